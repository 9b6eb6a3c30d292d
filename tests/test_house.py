"""The house rules that a test can hold."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("flows", "agents", "templates", "sandboxes")
TOO_VAGUE = {"core", "common", "utils", "helpers", "types", "misc"}
BANNED_NAMES = ("Manager", "Handler", "Helper", "Engine", "Processor")
FOREIGN = {
    "prefect": ("flows",),
    "mlflow": ("flows/ledger",),
    "git": ("flows/ledger",),
}


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", list(modules()) + sorted((ROOT / "tests").rglob("*.py")), ids=name_of)
def test_modules_stay_short(path: Path) -> None:
    limit = 300 if path.is_relative_to(ROOT / "tests") else 350
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit


@pytest.mark.parametrize("path", list(modules()), ids=name_of)
def test_functions_fit_on_a_screen(path: Path) -> None:
    functions = (n for n in ast.walk(parsed(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    assert not [f"{f.name} ({lines_of_code(f)} lines)" for f in functions if lines_of_code(f) > 40]


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, docstring apart."""
    first, last = function.body[0], function.body[-1]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    start = (first.end_lineno or 0) + 1 if is_docstring else first.lineno
    return (last.end_lineno or 0) - start + 1


@pytest.mark.parametrize("path", list(modules()), ids=name_of)
def test_names_say_what_a_thing_is(path: Path) -> None:
    assert path.stem not in TOO_VAGUE
    classes = [node.name for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)]
    assert not [name for name in classes if name.endswith(BANNED_NAMES)]


@pytest.mark.parametrize("path", list(modules()), ids=name_of)
def test_protocols_stay_narrow(path: Path) -> None:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id == "Protocol" for b in node.bases):
            verbs = [n for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
            assert len(verbs) <= 7, node.name


@pytest.mark.parametrize("path", list(modules()), ids=name_of)
def test_modules_hold_no_mutable_state(path: Path) -> None:
    """Module-level names are constants: upper case, dunder, type aliases, or private and never rebound."""
    tree = parsed(path)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]


@pytest.mark.parametrize(("library", "homes"), FOREIGN.items())
def test_each_foreign_library_has_one_home(library: str, homes: tuple[str, ...]) -> None:
    strays = [name_of(path) for path in modules() if library in imported(path) and not name_of(path).startswith(homes)]
    assert not strays


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


def test_only_evidence_builds_claims() -> None:
    builders = [
        name_of(path)
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Claim"
    ]
    assert builders
    assert all(name.startswith("flows/evidence/") for name in builders)


def test_exports_are_sorted() -> None:
    for package in PACKAGES:
        for init in sorted((ROOT / package).rglob("__init__.py")):
            for node in parsed(init).body:
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    assert node.targets[0].id == "__all__", name_of(init)
                    names = ast.literal_eval(node.value)
                    assert names == sorted(names), name_of(init)


def tracked_text() -> Iterator[tuple[str, str]]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
    for name in listed.stdout.decode().splitlines():
        path = ROOT / name
        if path.is_file() and path.stat().st_size < 2_000_000:
            yield name, path.read_bytes().decode("utf-8", errors="ignore")


def test_no_registry_address_and_no_path_of_one_machine_is_committed() -> None:
    needles = ("index-" + "url =", "/sim" + "ple/", "/wo" + "rk/main", "/wo" + "rk/shared", "/ro" + "ot/.pyenv")
    hits = [(name, needle) for name, text in tracked_text() for needle in needles if needle in text]
    assert not hits


def test_the_lock_names_hashes_and_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "--hash=sha256:" in lock
    assert "://" not in lock


def test_every_skip_has_a_reason() -> None:
    bare = [
        name_of(path)
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "pytest.skip"
        and not node.args
        and not node.keywords
    ]
    assert not bare
