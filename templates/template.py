"""Templates: what is experimented on. A folder with a manifest, a brief, a workload and a protected evaluator."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from templates.errors import ManifestInvalid, TemplateNotFound
from templates.manifest import (
    Condition,
    Factor,
    Image,
    Manifest,
    Metric,
    Part,
    Seeds,
    line_of,
    read_manifest,
)

__all__ = [
    "Condition",
    "Factor",
    "Image",
    "Manifest",
    "Metric",
    "Part",
    "Seeds",
    "Template",
    "digest",
    "list_templates",
    "load_template",
]


class Template:
    """A loaded template: `manifest`, `brief` (README.md), `root`, and `digest` over every file in it."""

    def __init__(self, root: Path) -> None:
        """Load and validate the folder `root`.

        Raises:
            ManifestInvalid: the manifest or a file it names is missing or wrong.
        """
        self.root = root.resolve()
        self.manifest = read_manifest(self.root / "template.toml")
        self._require_files()
        self.brief = (self.root / "README.md").read_text(encoding="utf-8")
        self.digest = digest(self.root)

    @property
    def name(self) -> str:
        """The template's name."""
        return self.manifest.name

    def factor(self, name: str) -> Factor:
        """Return the declared factor `name`; `KeyError` when there is none."""
        return {factor.name: factor for factor in self.manifest.factors}[name]

    def sources(self) -> dict[str, str]:
        """Editable path -> baseline text."""
        return {
            path.relative_to(self.root).as_posix(): path.read_text(encoding="utf-8")
            for pattern in self.manifest.editable
            for path in sorted(self.root.glob(pattern))
        }

    def _require_files(self) -> None:
        """Every file the manifest speaks of is there, and nothing protected is editable."""
        for name in ("README.md", "workload/run.py", "evaluator/evaluate.py"):
            if not (self.root / name).is_file():
                raise ManifestInvalid(f"{self.root} has no {name}. Every template needs one; add it.")
        for pattern in self.manifest.editable:
            outside = [path for path in self.root.glob(pattern) if self.root / "workload" not in path.parents]
            if outside or not any(self.root.glob(pattern)):
                raise self._wrong(
                    ("editable",), f"editable path {pattern!r} must match files of workload/ and nothing else"
                )
        sources = self.sources()
        for index, factor in enumerate(self.manifest.factors):
            if factor.file not in sources:
                raise self._wrong(("factors", index, "file"), f"{factor.file!r} is no editable file")
            if factor.source and not (self.root / factor.source).is_file():
                raise self._wrong(("factors", index, "source"), f"there is no file {factor.source!r}")
        self._require_references()

    def _require_references(self) -> None:
        wanted = {key: ("source",) for key in self.manifest.source} | {
            factor.source_of_idea: ("factors", index, "source_of_idea")
            for index, factor in enumerate(self.manifest.factors)
            if factor.source_of_idea
        }
        path = self.root / "references.bib"
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for key, keys in wanted.items():
            if f"{{{key}," not in text:
                raise self._wrong(keys, f"references.bib has no entry {key!r}")

    def _wrong(self, keys: Sequence[str | int], what: str) -> ManifestInvalid:
        path = self.root / "template.toml"
        line = line_of(path.read_text(encoding="utf-8"), keys)
        return ManifestInvalid(f"{path}{f', line {line}' if line else ''}: {what}. Correct it.")


def digest(root: Path) -> str:
    """Return the SHA-256 over the names and bytes of every file under `root`; Python's caches do not count.

    Raises:
        ManifestInvalid: there is a link or another thing that is no plain file.
    """
    whole = hashlib.sha256()
    for path in _files(root):
        name, content = path.relative_to(root).as_posix().encode(), path.read_bytes()
        whole.update(b"%d %d " % (len(name), len(content)) + name + content)
    return whole.hexdigest()


def load_template(name_or_path: str | Path, folders: Sequence[Path] = ()) -> Template:
    """Load a template by name (from `folders`, then those shipped, then installed packages) or by its folder.

    Raises:
        TemplateNotFound: neither a known name nor a folder with a template.toml.
        ManifestInvalid: it is there and does not say what it must.
    """
    name = str(name_or_path)
    for known, root in _search(folders):
        if known == name:
            template = Template(root)
            if template.name != name:
                raise ManifestInvalid(
                    f"{root / 'template.toml'}: name: it must be {name!r}, as its folder is called. Rename one."
                )
            return template
    if (Path(name_or_path).expanduser() / "template.toml").is_file():
        return Template(Path(name_or_path).expanduser())
    raise TemplateNotFound(name, list_templates(folders))


def list_templates(folders: Sequence[Path] = ()) -> tuple[str, ...]:
    """Return the names that `load_template` knows, sorted; nothing is loaded or validated.

    Raises:
        ManifestInvalid: an installed package announces a template that is not there.
    """
    return tuple(sorted({name for name, _ in _search(folders)}))


def _search(folders: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    for folder in (*folders, Path(__file__).parent):
        for manifest in sorted(folder.glob("*/template.toml")):
            yield manifest.parent.name, manifest.parent
    for entry in metadata.entry_points(group="hypoloop.templates"):
        yield entry.name, _package_folder(entry)


def _package_folder(entry: metadata.EntryPoint) -> Path:
    """Find the folder of a package without running its code."""
    try:
        spec = importlib.util.find_spec(entry.value)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        owner = entry.dist.name if entry.dist else "An installed package"
        raise ManifestInvalid(
            f"{owner} announces the template {entry.name!r} in {entry.value}, which is no package with an __init__.py. "
            "Install it again or remove it."
        )
    return Path(spec.origin).parent


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted((*names, *folders)):
            path = Path(folder, name)
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise ManifestInvalid(f"{path} is no plain file. Put a copy in its place: a template holds no links.")
            if path.is_file() and path.suffix != ".pyc":
                yield path
