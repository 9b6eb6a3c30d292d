"""Loading the scripts of a shipped template into the test's own process."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import templates

ROOT = Path(templates.__file__).parent


@contextmanager
def module(template: str, part: str, name: str) -> Iterator[ModuleType]:
    """Import one script as its own folder would, and forget it and its neighbours afterwards."""
    folder = ROOT / template / part
    # Another template's scripts bear the same names and may be loaded at this moment.
    aside = {name: sys.modules.pop(name) for name in [p.stem for p in folder.glob("*.py")] if name in sys.modules}
    before, path, caches = set(sys.modules), list(sys.path), sys.dont_write_bytecode
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    try:
        yield importlib.import_module(name)
    finally:
        sys.path[:] = path
        sys.dont_write_bytecode = caches
        for fresh in set(sys.modules) - before:
            file = getattr(sys.modules[fresh], "__file__", None)
            if file and Path(file).parent == folder:
                del sys.modules[fresh]
        sys.modules.update(aside)


def intervene(workload: ModuleType, template: str, name: str) -> None:
    """Put the definitions of an intervention over those of a loaded workload."""
    path = ROOT / template / "interventions" / f"{name}.py"
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), vars(workload))
