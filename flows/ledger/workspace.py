"""The workspace: a campaign's code as commits. One branch per lineage, one commit per candidate, plans and papers."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from agents.llm.desk import matches
from agents.records import Patch
from flows.ledger.errors import EditRefused, WorkspaceError
from flows.ledger.repository import FileEntry, Repository
from templates.template import Template

BRANCH = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
TRAILER = re.compile(r"([A-Z][A-Za-z-]*): (.*)")
RECORD = "record"
WORKLOAD = "workload/"


class Workspace:
    """The campaign's git repository (bare). Every call may be killed and made again: the same call, the same commit."""

    def __init__(self, repository: Repository) -> None:
        """Use `Workspace.create` or `Workspace.open`."""
        self._repository = repository
        self._lock = threading.RLock()
        self.path = repository.path

    @classmethod
    def create(cls, path: Path, template: Template) -> Workspace:
        """Create the repository with the template's workload, manifest and brief as the baseline on branch `main`.

        The baseline's id follows from the template alone: its commit bears no date of its own.

        Raises:
            WorkspaceError: the repository is there and holds another baseline.
        """
        repository = Repository.init(path)
        trailers = {"Template": f"{template.name} {template.digest}", "Candidate": "c0"}
        message = _message(f"Baseline: {template.manifest.title}", "", trailers)
        tree = repository.write(_baseline_files(template.root), None)
        sha = repository.commit(tree, (), message, datetime(2000, 1, 1, tzinfo=UTC))
        tip = repository.tip("main")
        if tip is None:
            repository.point("main", sha, None)
        elif tip != sha:
            raise WorkspaceError(
                f"The repository {path} holds another baseline ({tip[:12]}) than template {template.name!r} has now. "
                "Give the changed template a campaign of its own."
            )
        return cls(repository)

    @classmethod
    def open(cls, path: Path) -> Workspace:
        """Open a repository that is there.

        Raises:
            WorkspaceError: there is none, or it has no baseline.
        """
        workspace = cls(Repository(path))
        workspace.baseline()
        return workspace

    def baseline(self) -> str:
        """Return the commit of the unchanged workload."""
        tip = self._repository.tip("main")
        if tip is None:
            raise WorkspaceError(f"The repository {self.path} has no baseline on branch 'main'.")
        return tip

    def commit_candidate(
        self, patch: Patch, parent_sha: str, branch: str, trailers: Mapping[str, str], at: datetime
    ) -> str:
        """Commit a patch on top of `parent_sha`, move `branch` to it and return the commit.

        `Parent:` is added to the trailers; a `Title:` among them heads the message instead of the patch's summary.
        A branch is only moved forward, or over a commit that speaks of the same candidate and that nobody built on.

        Raises:
            EditRefused: an edit leaves the template's editable paths.
            WorkspaceError: there is no such parent, or the branch holds something else.
        """
        if not self._repository.has(parent_sha):
            raise WorkspaceError(f"There is no commit {parent_sha} in {self.path} to build on.")
        contents = self._contents(patch, self._repository.files(parent_sha))
        lines = {key: value for key, value in trailers.items() if key != "Title"} | {"Parent": parent_sha}
        subject = f"Idea {patch.idea}: {trailers.get('Title', patch.summary)}"
        with self._lock:
            tree = self._repository.write(contents, parent_sha)
            sha = self._repository.commit(tree, (parent_sha,), _message(subject, patch.summary, lines), at)
            self._advance(branch, sha, lines)
        return sha

    def commit_files(self, files: Mapping[str, bytes], message: str, trailers: Mapping[str, str], at: datetime) -> str:
        """Add files (path -> bytes) to branch `record`, beside what it holds, and return the commit.

        Raises:
            EditRefused: a path leaves the repository.
        """
        for path in files:
            _refuse_odd(path)
        text = _message(message, "", trailers)
        with self._lock:
            for sha in self._repository.history(RECORD):
                if self._is_same(sha, files, text, at):
                    return sha
            tip = self._repository.tip(RECORD)
            tree = self._repository.write(dict(sorted(files.items())), tip)
            sha = self._repository.commit(tree, (tip,) if tip else (), text, at)
            self._repository.point(RECORD, sha, tip)
        return sha

    def checkout(self, sha: str, dest: Path) -> Path:
        """Write the commit's workload to `dest` and return it: `dest/run.py` and what lies beside it.

        Folders are 0755 and files 0644, so that a sandbox's user can read them. `dest` appears whole or not at all;
        when it is there and holds just this, it is left alone.
        """
        wanted = {path.removeprefix(WORKLOAD): blob for path, blob in self._blobs(sha).items()}
        with self._lock:
            if dest.exists() and _held(dest) == wanted:
                return dest
            dest.parent.mkdir(parents=True, exist_ok=True)
            for leftover in dest.parent.glob(f".{dest.name[:12]}-*"):
                shutil.rmtree(leftover)  # Of a process that was killed while it wrote.
            scratch = Path(tempfile.mkdtemp(prefix=f".{dest.name[:12]}-", dir=dest.parent))
            try:
                _write_tree(scratch / "new", wanted)
                if dest.exists():
                    dest.rename(scratch / "old")
                (scratch / "new").rename(dest)
            finally:
                shutil.rmtree(scratch)
        return dest

    def sources(self, sha: str) -> dict[str, str]:
        """Editable path -> text, as of a commit."""
        globs = self.editable()
        return {
            path: content.decode() for path, content in sorted(self._blobs(sha).items()) if _matches_any(path, globs)
        }

    def editable(self) -> tuple[str, ...]:
        """Return the patterns of editable paths that the baseline's manifest declares."""
        return tuple(tomllib.loads(self.read(self.baseline(), "template.toml").decode())["editable"])

    def outside(self, sha: str) -> tuple[str, ...]:
        """Return the paths in which a commit differs from the baseline although it must not."""
        base, there, globs = self._repository.files(self.baseline()), self._repository.files(sha), self.editable()
        changed = {path for path in base.keys() | there.keys() if base.get(path) != there.get(path)}
        return tuple(
            path for path in sorted(changed)
            if not _matches_any(path, globs) or path not in there or there[path].mode != "100644"
        )  # fmt: skip

    def read(self, sha: str, path: str) -> bytes:
        """Return a file as of a commit.

        Raises:
            WorkspaceError: there is no such commit or file.
        """
        entry = self._repository.files(sha).get(path)
        if entry is None:
            raise WorkspaceError(f"Commit {sha[:12]} holds no file {path!r}.")
        return self._repository.read(entry.blob)

    def damage(self) -> str:
        """Return what git finds wrong with the objects of the repository, empty when each is what its name says."""
        try:
            self._repository.run("fsck", "--full", "--no-dangling", "--no-progress")
        except WorkspaceError as error:
            return str(error)
        return ""

    def digests(self, sha: str) -> dict[str, str]:
        """Path -> SHA-256 of every file of a commit."""
        files = self._repository.files(sha)
        return {path: sha256(self._repository.read(entry.blob)).hexdigest() for path, entry in files.items()}

    def diff(self, sha: str) -> str:
        """Return what a commit changes against its parent, as a unified diff."""
        return self._repository.run(
            "diff-tree", "-p", "-r", "--root", "--no-commit-id", "--no-ext-diff", "--no-textconv", "--no-color", sha,
            strip_newline_in_stdout=False,
        )  # fmt: skip

    def trailers(self, sha: str) -> dict[str, str]:
        """Return the trailers of a commit's message."""
        return parse_trailers(self._repository.message(sha))

    def parents(self, sha: str) -> tuple[str, ...]:
        """Return a commit's parents."""
        return self._repository.parents(sha)

    def branches(self) -> dict[str, str]:
        """Branch -> its last commit."""
        return self._repository.branches()

    def history(self, branch: str) -> tuple[str, ...]:
        """Return a branch's commits, newest first; nothing when there is no such branch."""
        return self._repository.history(branch)

    def has(self, sha: str) -> bool:
        """Say whether `sha` is a commit of this repository."""
        return self._repository.has(sha)

    def _blobs(self, sha: str) -> dict[str, bytes]:
        """Path -> content of the workload's regular files."""
        if not self._repository.has(sha):
            raise WorkspaceError(f"There is no commit {sha} in {self.path}.")
        return {
            path: self._repository.read(entry.blob) for path, entry in self._repository.files(sha).items()
            if path.startswith(WORKLOAD) and entry.mode.startswith("100")
        }  # fmt: skip

    def _contents(self, patch: Patch, parent: Mapping[str, FileEntry]) -> dict[str, bytes]:
        """Return the edits as path -> bytes, or refuse."""
        globs = self.editable()
        folders = {folder for path in parent for folder in _folders(path)}
        seen: set[str] = set()
        for edit in patch.edits:
            _refuse_odd(edit.path)
            if edit.path in seen:
                raise EditRefused(edit.path, "the patch holds it twice")
            seen.add(edit.path)
            if not _matches_any(edit.path, globs):
                raise EditRefused(edit.path, f"only {', '.join(globs)} may change in this template")
            if edit.path in folders or any(folder in parent for folder in _folders(edit.path)):
                raise EditRefused(edit.path, "a file and a folder cannot have the same name")
            if edit.path in parent and not parent[edit.path].mode.startswith("100"):
                raise EditRefused(edit.path, "it is a link, and links are not followed")
        try:
            return {edit.path: edit.text.encode() for edit in sorted(patch.edits, key=lambda e: e.path)}
        except UnicodeEncodeError as error:
            raise EditRefused(patch.edits[0].path, "its text is not valid Unicode") from error

    def _advance(self, branch: str, sha: str, lines: Mapping[str, str]) -> None:
        if not BRANCH.fullmatch(branch) or branch in ("main", RECORD):
            raise WorkspaceError(f"{branch!r} is no name for a candidate's branch.")
        tip = self._repository.tip(branch)
        if tip is not None and self._repository.is_ancestor(sha, tip):
            return
        # A tip of the same candidate was committed, but the process ended before the journal heard of it.
        redone = tip is not None and self.trailers(tip).get("Candidate") == lines.get("Candidate")
        if tip is not None and not redone and not self._repository.is_ancestor(tip, sha):
            raise WorkspaceError(f"Branch {branch!r} holds commits ({tip[:12]}) that {sha[:12]} is not built on.")
        self._repository.point(branch, sha, tip)

    def _is_same(self, sha: str, files: Mapping[str, bytes], text: str, at: datetime) -> bool:
        if self._repository.message(sha).strip() != text.strip() or self._repository.time(sha) != int(at.timestamp()):
            return False
        there = self._repository.files(sha)
        return all(path in there and self._repository.read(there[path].blob) == files[path] for path in files)


def parse_trailers(message: str) -> dict[str, str]:
    """Return the `Key: value` lines of a message's last paragraph."""
    found = (TRAILER.fullmatch(line) for line in message.strip().rpartition("\n\n")[2].splitlines())
    return {match[1]: match[2] for match in found if match}


def _matches_any(path: str, patterns: tuple[str, ...]) -> bool:
    return path.startswith(WORKLOAD) and any(matches(path, pattern) for pattern in patterns)


def _refuse_odd(path: str) -> None:
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower().startswith(".git") for part in parts):
        raise EditRefused(path, "it does not stay inside the repository or touches git's own files")
    if "\\" in path or not path.isprintable():
        raise EditRefused(path, "it holds characters that no path here may hold")


def _folders(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _baseline_files(root: Path) -> dict[str, bytes]:
    files = {"README.md": root / "README.md", "template.toml": root / "template.toml"}
    for path in sorted((root / "workload").rglob("*")):
        if path.is_symlink():
            raise WorkspaceError(
                f"The template's {path.relative_to(root)} is a link; a workload holds plain files only."
            )
        if path.is_file() and "__pycache__" not in path.parts:
            files[path.relative_to(root).as_posix()] = path
    return {name: path.read_bytes() for name, path in sorted(files.items())}


def _message(subject: str, body: str, trailers: Mapping[str, str]) -> str:
    """Return a commit message: a readable subject, the body where it says more, the trailers."""
    headline, body = " ".join(subject.split()), " ".join(body.split())
    if len(headline) > 100:
        headline, body = headline[:99] + "…", body or headline
    lines = []
    for key, value in trailers.items():
        line = f"{key}: {' '.join(str(value).split())}"
        if not TRAILER.fullmatch(line):
            raise WorkspaceError(f"{key!r} is no name for a trailer.")
        lines.append(line)
    paragraphs = [headline, body if body and not headline.endswith(body) else "", "\n".join(lines)]
    return "\n\n".join(part for part in paragraphs if part) + "\n"


def _held(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def _write_tree(folder: Path, contents: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        path.chmod(0o644)
    for path in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
        path.chmod(0o755)
