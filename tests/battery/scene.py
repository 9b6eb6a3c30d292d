"""What a program finds on the host should it get there: decoys of its own, unlike any other program's, each watched."""

from __future__ import annotations

import ctypes
import hashlib
import os
import secrets
import shutil
import stat
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sandboxes.trees import remove_tree
from tests.battery.ear import Ear
from tests.battery.entries import KIT, PROGRAMS, Entry
from tests.templates.making import MANIFEST, make

LOOKS = 4  # what forks while it is looked for may be missed once
RUN = "import attack\n\nattack.main({given!r})\n"
LOADED = "the planted file of another run\n" * 64
# The evaluator of the battery reads a number, or an array of one, and tells how it was started.
EVALUATE = """\
import argparse, json, os, pathlib, sys
import numpy
p = argparse.ArgumentParser()
for name in ("--run", "--seed", "--split", "--out"):
    p.add_argument(name)
a = p.parse_args()
run, here = pathlib.Path(a.run), pathlib.Path(__file__).parent
labels = json.loads((here / "labels.json").read_text())
def writable():
    try:
        (run / "hypoloop-probe").write_bytes(b"")
    except OSError:
        return False
    return True
told = {"isolated": sys.flags.isolated, "path": sys.path, "json": json.__file__, "numpy": numpy.__file__,
        "writable": writable(), "labels": len(labels), "beside": sorted(os.listdir(here))}
print("told:" + json.dumps(told), flush=True)
try:
    if (run / "number.npy").exists():
        number = float(numpy.load(run / "number.npy", allow_pickle=False)[0])
    else:
        number = float((run / "number.txt").read_text())
except (OSError, ValueError, MemoryError, IndexError) as problem:
    sys.exit(f"Refused: no number ({type(problem).__name__}).")
if not number < 10:
    sys.exit("Refused: no coin is as high as that.")
pathlib.Path(a.out).write_text(json.dumps({"height": number + int(a.seed), "tosses": 1}))
"""
# A careless evaluator: it passes on what the candidate claims.
CARELESS = """\
import pathlib, shutil, sys
claimed = pathlib.Path(sys.argv[2], "metrics.json")
shutil.copyfile(claimed, sys.argv[8]) if claimed.is_file() else sys.exit("Refused: nothing is claimed.")
"""


class Scene:
    """The planted surroundings of one program, and the program's own code among them."""

    def __init__(self, area: Path, entry: Entry, ear: Ear, evaluate: str = EVALUATE) -> None:
        self.mark = f"hypo-{secrets.token_hex(5)}"
        self.token = f"hypoloop-{self.mark}"
        self.canary = f"canary-{secrets.token_hex(12)}"
        self.root = area / f"{entry.theme}-{entry.name}-{self.mark}"
        self.here = self.root / "campaign/executions/this"
        self.shm = Path("/dev/shm", self.token)
        self._ear = ear
        self._files(entry, evaluate)
        self.segment = Segment(self.canary)
        self.victim = subprocess.Popen(["sleep", "120"], env={"SECRET_KEY": self.canary, "PATH": os.environ["PATH"]})
        (self.code / "run.py").write_text(RUN.format(given=self._given(entry)), encoding="utf-8")
        self._before = self.snapshot()

    def snapshot(self) -> Mapping[str, str]:
        """Return what the decoys are now, by name."""
        files = {
            str(path.relative_to(self.root)): _about(path) for path in sorted(self.root.rglob("*")) if self._own(path)
        }
        files |= {"process": _state(self.victim.pid), "segment": self.segment.content()}
        if self.shm.parent.is_dir():
            files["shared file"] = _about(self.shm)
        return files

    def disturbed(self) -> tuple[str, ...]:
        """Return which decoys are not what they were."""
        before, now = self._before, self.snapshot()
        return tuple(sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)))

    def survivors(self) -> list[int]:
        """Return the processes of the program that still live, by the name that it gave them."""
        for _ in range(LOOKS):
            found = [pid for pid in _processes() if _name(pid) == self.mark and _state(pid) != "ended"]
            if found:
                return found
        return []

    def close(self) -> None:
        """Take everything away, what outlived its run included."""
        self.victim.kill()
        self.victim.wait()
        while left := self.survivors():
            for pid in left:
                with suppress(ProcessLookupError):  # a relay of processes passes on to the next
                    os.kill(pid, 9)
        self.segment.remove()
        self.shm.unlink(missing_ok=True)
        remove_tree(self.root)

    def _own(self, path: Path) -> bool:
        return not path.is_relative_to(self.here) and not path.is_relative_to(self.root / "cache")

    def _files(self, entry: Entry, evaluate: str) -> None:
        manifest = MANIFEST.replace("memory_mb = 256", "memory_mb = 256\nout_mb = 16")
        template = make(self.root / "template", run="", evaluate=evaluate, manifest=manifest)
        self.code = template / "workload"
        self.template = template
        secret = f"KEY={self.canary}\n"
        files = {
            "decoy.txt": secret,
            "data/given.txt": LOADED,
            "campaign/journal.jsonl": f'{{"seq": 1, "note": "{self.canary}"}}\n',
            "campaign/executions/earlier/out/number.txt": secret,
            "campaign/executions/earlier/score/metrics.json": '{"height": 1.0, "tosses": 1}',
            "template/coin/evaluator/labels.json": f'["{self.canary}"]',
        }
        homes = (".ssh/id_rsa", ".aws/credentials", ".docker/config.json", ".git-credentials", ".netrc", ".kube/config")
        files |= {f"home/{name}": secret for name in homes}
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o666)  # only the sandbox stands before it
        self.here.mkdir(parents=True)
        for name in (KIT, entry.theme):
            shutil.copyfile(PROGRAMS / f"{name}.py", self.code / f"{name}.py")
        if self.shm.parent.is_dir():
            self.shm.write_text(secret, encoding="utf-8")
            self.shm.chmod(0o666)

    def _given(self, entry: Entry) -> dict[str, Any]:
        paths = {
            "decoy": "decoy.txt",
            "home": "home",
            "journal": "campaign/journal.jsonl",
            "earlier": "campaign/executions/earlier/out/number.txt",
            "score": "campaign/executions/earlier/score/metrics.json",
            "template": "template/coin/template.toml",
            "labels": "template/coin/evaluator/labels.json",
            "evaluate": "template/coin/evaluator/evaluate.py",
        }
        told: dict[str, Any] = {name: str(self.root / path) for name, path in paths.items()}
        told |= {"theme": entry.theme, "name": entry.name, "mark": self.mark, "token": self.token, "shm": str(self.shm)}
        return told | {"victim": self.victim.pid, "segment": self.segment.number} | dict(self._ear.told)


class Segment:
    """System V shared memory of the host with a canary in it."""

    def __init__(self, canary: str) -> None:
        self._libc = ctypes.CDLL(None)
        self._libc.shmat.restype = ctypes.c_void_p
        self.number = self._libc.shmget(0, ctypes.c_size_t(4096), 0o1666)
        self._place = self._libc.shmat(self.number, None, 0)
        ctypes.memmove(self._place, canary.encode(), len(canary))

    def content(self) -> str:
        """Return what is in it now."""
        return ctypes.string_at(self._place, 64).hex()

    def remove(self) -> None:
        """Give it back."""
        self._libc.shmdt(ctypes.c_void_p(self._place))
        self._libc.shmctl(self.number, 0, None)


def _about(path: Path) -> str:
    try:
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
    except FileNotFoundError:
        return "gone"
    when = status.st_mtime_ns if stat.S_ISREG(status.st_mode) else 0
    return f"{status.st_mode:o} {status.st_uid} {when} {hashlib.sha256(content).hexdigest()}"


def _state(pid: int) -> str:
    """Say whether the process goes on as it should, is traced, or has ended."""
    told = dict(line.split(":\t", 1) for line in _read(pid, "status").splitlines() if ":\t" in line)
    if told.get("State", "X")[0] in "XZ":
        return "ended"
    return f"goes on ({'stopped' if told['State'][0] in 'Tt' else 'free'}), traced by {told.get('TracerPid')}"


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - many, and often


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", "rb", buffering=0) as file:  # noqa: PTH123 - many, and often
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""  # it ended in between


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
