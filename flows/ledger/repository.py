"""Git plumbing: objects, commits and branches of one bare repository, whoever runs it and whatever their settings."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from git.cmd import Git
from git.exc import GitCommandError, GitCommandNotFound

from flows.ledger.errors import WorkspaceError

AUTHOR = ("hypoloop", "hypoloop@localhost")
NO_SHA = "0" * 40
SHA = re.compile(r"[0-9a-f]{40}")


class FileEntry(NamedTuple):
    """A file in a tree: its mode as git writes it (`100644`, `120000` for a link) and its blob."""

    mode: str
    blob: str


class Repository:
    """A bare repository that is written object by object, so that a kill at any moment leaves it whole.

    Objects and branches are fsynced. Neither hooks nor the user's or machine's git settings have a say: the same
    content, parent, message and time always make the same commit.
    """

    def __init__(self, path: Path) -> None:
        """Open the repository at `path`.

        Raises:
            WorkspaceError: there is none.
        """
        self.path = path.resolve()
        self._lock = threading.RLock()
        self._git = Git(self.path)
        self._git.update_environment(**environment(self.path))
        if not (self.path / "objects").is_dir():
            raise WorkspaceError(f"There is no git repository at {path}.")

    @classmethod
    def init(cls, path: Path) -> Repository:
        """Create the repository unless it is there; doing it again does no harm."""
        path.mkdir(parents=True, exist_ok=True)
        git = Git(path)
        git.update_environment(**environment(path.resolve()))
        _plainly(git, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", "--object-format=sha1")
        return cls(path)

    def run(self, *arguments: str, **options: Any) -> str:
        """Run one git command and return what it printed.

        Raises:
            WorkspaceError: git refused, in its own words.
        """
        with self._lock:
            return str(_plainly(self._git, *arguments, **options))

    def tip(self, branch: str) -> str | None:
        """Return the commit a branch points to, None when there is no such branch."""
        return self.branches().get(branch)

    def branches(self) -> dict[str, str]:
        """Branch -> commit, sorted by name."""
        lines = self.run("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads").splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines)
        return {ref.removeprefix("refs/heads/"): sha for ref, sha in pairs}

    def has(self, sha: str) -> bool:
        """Say whether `sha` is a commit of this repository."""
        if not SHA.fullmatch(sha):
            return False
        try:
            return self.run("cat-file", "-t", sha) == "commit"
        except WorkspaceError:
            return False  # This question is how git says no.

    def files(self, sha: str) -> dict[str, FileEntry]:
        """Path -> entry, of everything in a commit's tree."""
        found = {}
        for record in self.run("ls-tree", "-r", "-z", "--full-tree", sha).split("\0"):
            if record:
                meta, path = record.split("\t", 1)
                mode, _, blob = meta.split(" ")
                found[path] = FileEntry(mode, blob)
        return found

    def read(self, blob: str) -> bytes:
        """Return the content of a blob."""
        with self._lock:
            options = {"stdout_as_string": False, "strip_newline_in_stdout": False}
            return bytes(_plainly(self._git, "cat-file", "blob", blob, **options))

    def message(self, sha: str) -> str:
        """Return the whole message of a commit."""
        return self.run("log", "-1", "--no-show-signature", "--format=%B", sha)

    def time(self, sha: str) -> int:
        """Return a commit's time in seconds since 1970."""
        return int(self.run("log", "-1", "--no-show-signature", "--format=%ct", sha))

    def parents(self, sha: str) -> tuple[str, ...]:
        """Return a commit's parents."""
        return tuple(self.run("rev-list", "--parents", "-n1", sha).split()[1:])

    def history(self, branch: str) -> tuple[str, ...]:
        """Return a branch's commits, newest first; nothing when there is no such branch."""
        return tuple(self.run("rev-list", f"refs/heads/{branch}").split()) if self.tip(branch) else ()

    def is_ancestor(self, earlier: str, later: str) -> bool:
        """Say whether `later` is built on `earlier` or is the same commit."""
        return self.run("rev-list", "--max-count=1", earlier, f"^{later}") == ""

    def write(self, contents: Mapping[str, bytes], base: str | None) -> str:
        """Return the tree that holds `contents` (path -> bytes) laid over the tree of the commit `base`."""
        with tempfile.TemporaryDirectory(prefix="hypoloop-") as name, self._lock:
            scratch = Path(name)
            blobs = self._blobs(tuple(contents.values()), scratch)
            listing = "".join(f"100644 {blob}\t{path}\0" for path, blob in zip(contents, blobs, strict=True))
            (scratch / "listing").write_text(listing, encoding="utf-8")
            env = {"GIT_INDEX_FILE": str(scratch / "index")}
            if base is not None:
                self.run("read-tree", base, env=env)
            with (scratch / "listing").open("rb") as stream:
                self.run("update-index", "-z", "--index-info", istream=stream, env=env)
            return self.run("write-tree", env=env)

    def commit(self, tree: str, parents: Sequence[str], message: str, at: datetime) -> str:
        """Write a commit and return its id, which follows from the arguments alone. No branch moves."""
        when = f"{int(at.astimezone(UTC).timestamp())} +0000"
        env = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        with tempfile.TemporaryFile() as stream:
            stream.write(message.encode())
            stream.seek(0)
            arguments = [part for parent in parents for part in ("-p", parent)]
            return self.run("commit-tree", tree, *arguments, "-F", "-", istream=stream, env=env)

    def point(self, branch: str, new: str, old: str | None) -> None:
        """Move a branch from `old` (None: it is new) to `new`."""
        reference = f"refs/heads/{branch}"
        with self._lock:
            try:
                self.run("update-ref", reference, new, old or NO_SHA)
            except WorkspaceError:
                # The lease leaves one writer, so a lock in the way was left by one that was killed.
                leftover = self.path / f"{reference}.lock"
                if not leftover.exists():
                    raise
                leftover.unlink()
                self.run("update-ref", reference, new, old or NO_SHA)

    def _blobs(self, contents: Sequence[bytes], scratch: Path) -> list[str]:
        names = []
        for index, content in enumerate(contents):
            (scratch / str(index)).write_bytes(content)
            names.append(str(scratch / str(index)))
        (scratch / "names").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        with (scratch / "names").open("rb") as stream:
            return self.run("hash-object", "-w", "--no-filters", "--stdin-paths", istream=stream).split()


def environment(path: Path) -> dict[str, str]:
    """Return the variables under which git sees this repository and nothing of the user or the machine."""
    settings = {
        "core.hooksPath": os.devnull,
        "core.fsync": "loose-object,reference",
        "core.autocrlf": "false",
        "core.attributesFile": os.devnull,
        "core.quotePath": "false",
        "commit.gpgSign": "false",
        "gc.auto": "0",
        "i18n.commitEncoding": "utf-8",
        "log.showSignature": "false",
    }
    variables = {
        "GIT_DIR": str(path),
        "GIT_OBJECT_DIRECTORY": str(path / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
        "GIT_COMMON_DIR": str(path),
        "GIT_NAMESPACE": "",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_PARAMETERS": "",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": AUTHOR[0],
        "GIT_AUTHOR_EMAIL": AUTHOR[1],
        "GIT_COMMITTER_NAME": AUTHOR[0],
        "GIT_COMMITTER_EMAIL": AUTHOR[1],
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for index, (key, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    return variables


def _plainly(git: Git, *arguments: str, **options: Any) -> Any:
    """Run git; turn its failure into a sentence. No value of GIT_WORK_TREE means none, so it has to go."""
    try:
        return git.execute(["env", "-u", "GIT_WORK_TREE", "git", *arguments], **options)
    except GitCommandNotFound as error:
        raise WorkspaceError("There is no `git` on this machine's PATH. Install git 2.36 or newer.") from error
    except GitCommandError as error:
        said = str(error.stderr).strip().removeprefix("stderr:").strip().strip("'")
        raise WorkspaceError(f"git {arguments[0]} failed in the campaign's repository: {said}") from error
