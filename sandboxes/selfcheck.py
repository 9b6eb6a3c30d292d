"""Does a sandbox hold what it says? Every promise it makes is attacked: harmlessly, side by side, in a few seconds."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from sandboxes import attacks
from sandboxes.contract import Hold, Limits, Outcome, Promise, RunResult, RunSpec, Sandbox
from sandboxes.logs import HEAD_BYTES, TAIL_BYTES
from sandboxes.owners import start_time
from sandboxes.trees import make_readable

WORKERS = 3
MIB = 2**20
# An engine keeps one shelf of output volumes for runs of the same size; so these are all of one size.
COMMON = Limits(wall_s=20, memory_mb=256, cpus=1, pids=64, out_mb=4, out_files=50, file_mb=8)
LIMITS = {
    "probe": COMMON.model_copy(update={"file_mb": 1, "open_files": 64}),
    "forks": COMMON.model_copy(update={"pids": 32, "memory_mb": 2048}),
    "memory": COMMON.model_copy(update={"memory_mb": 128}),
    "wall": COMMON.model_copy(update={"wall_s": 1.0}),
    "cpus": COMMON.model_copy(update={"cpus": 0.2}),
    "out_bytes": COMMON,
    "out_files": COMMON,
    "log": COMMON.model_copy(update={"log_mb": 1}),
}
ATTACKED_BY = {
    Promise.NETWORK: "probe",
    Promise.FILES: "probe",
    Promise.ENVIRONMENT: "probe",
    Promise.SYSCALLS: "probe",
    Promise.OPEN_FILES: "probe",
    Promise.FILE_SIZE: "probe",
    Promise.WALL: "wall",
    Promise.MEMORY: "memory",
    Promise.CPUS: "cpus",
    Promise.PIDS: "forks",
    Promise.OUT_BYTES: "out_bytes",
    Promise.OUT_FILES: "out_files",
    Promise.LOG: "log",
}
ENDS = {
    Promise.WALL: Outcome.TIMEOUT,
    Promise.MEMORY: Outcome.OOM,
    Promise.OUT_BYTES: Outcome.OUTPUT_LIMIT,
    Promise.OUT_FILES: Outcome.OUTPUT_LIMIT,
    Promise.LOG: Outcome.OUTPUT_LIMIT,
}
"""How the run of an attack must end; against other promises, the program's calls only fail."""
ENDS_IF_WATCHED = ENDS | {Promise.PIDS: Outcome.KILLED}
# A quota of time is given out in periods, and a program may be a period ahead.
CPU_SLACK = 1.5
MOST = {
    Promise.OPEN_FILES: ("open_files", LIMITS["probe"].open_files, "open files"),
    Promise.FILE_SIZE: ("file_size", LIMITS["probe"].file_mb * MIB, "bytes in one file"),
    Promise.CPUS: ("cpus", LIMITS["cpus"].cpus * CPU_SLACK, "cores"),
    Promise.PIDS: ("forks", LIMITS["forks"].pids - 1, "forks"),
    Promise.OUT_BYTES: ("bytes", LIMITS["out_bytes"].out_mb * MIB, "bytes of output"),
    Promise.OUT_FILES: ("entries", LIMITS["out_files"].out_files, "files"),
}
"""What an attack may report at the most where the limit is enforced: its name for it, the number, and the unit."""


class Check(NamedTuple):
    """One promise: how the backend says that it keeps it, whether it does, and what was seen.

    A promise that the backend does not make is `ok` and was not attacked.
    """

    promise: Promise
    hold: Hold
    ok: bool
    detail: str

    @property
    def name(self) -> str:
        """The promise in words."""
        return self.promise.replace("_", " ")


class Attack(NamedTuple):
    """What an attack came to: the run, and what the program itself reported, if it could."""

    result: RunResult
    seen: Mapping[str, Any]


def self_check(sandbox: Sandbox, image: str | None) -> tuple[Check, ...]:
    """Attack every promise that `sandbox` makes and say which hold; about five seconds.

    Raises:
        SandboxError: the platform could not run the attacks at all.
    """
    offered = sandbox.capabilities()
    promised = [promise for promise in Promise if offered.hold(promise) is not Hold.ABSENT]
    names = sorted({ATTACKED_BY[promise] for promise in promised})
    with tempfile.TemporaryDirectory(prefix="hypoloop-check-") as folder, _bait(Path(folder)) as bait:
        bait["promises"] = promised
        attacks_by_name = _attacked(
            lambda name, cancel: sandbox.run(_spec(Path(folder), image, bait, name), cancel), names
        )
    return tuple(
        _check(promise, offered.hold(promise), attacks_by_name.get(ATTACKED_BY[promise]), bait["variable"])
        for promise in Promise
    )


@contextmanager
def _bait(home: Path) -> Iterator[dict[str, Any]]:
    """Lay out what is reached only where nothing holds: a variable, a file, a port and a socket of this process."""
    home.chmod(0o755)  # what keeps the program out must be the sandbox, not the mode of a directory
    mark = secrets.token_hex(8)
    canary, variable = home / f"canary-{mark}", f"HYPOLOOP_CANARY_{mark.upper()}"
    canary.write_text("seen", encoding="utf-8")
    canary.chmod(0o644)
    os.environ[variable] = mark
    with socket.create_server(("127.0.0.1", 0)) as port, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as abstract:
        with suppress(OSError):  # only Linux has sockets without a file
            abstract.bind(f"\0hypoloop-{mark}")
            abstract.listen()
        try:
            yield {
                "canary": str(canary),
                "variable": variable,
                "port": port.getsockname()[1],
                "abstract": f"hypoloop-{mark}",
                "pid": os.getpid(),
                "started": start_time(os.getpid()),
                "open_files": LIMITS["probe"].open_files,
                "file_bytes": LIMITS["probe"].file_mb * MIB,
            }
        finally:
            del os.environ[variable]


def _attacked(run: Callable[[str, threading.Event], RunResult], names: Iterable[str]) -> dict[str, Attack]:
    """Run the attacks side by side; should one not run at all, or we be interrupted, the others are cancelled."""
    cancel = threading.Event()
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="hypoloop-check") as pool:
        waiting = {name: pool.submit(run, name, cancel) for name in names}
        try:
            results = {name: future.result() for name, future in waiting.items()}
        except BaseException:
            cancel.set()
            raise
    return {name: Attack(result, _reported(result.log_head + result.log_tail)) for name, result in results.items()}


def _spec(home: Path, image: str | None, bait: Mapping[str, Any], name: str) -> RunSpec:
    """Return the run of one attack, its code laid out in `home`."""
    code, data = home / f"{name}-code", home / f"{name}-data"
    data.mkdir()
    code.mkdir()
    shutil.copyfile(attacks.__file__, code / "attacks.py")
    make_readable(code)
    make_readable(data)
    return RunSpec(
        run_id=f"check-{name}",
        argv=("{python}", "-I", "{code}/attacks.py", name, "{out}", json.dumps({**bait, "data": "{given}"})),
        code=code,
        data={"given": data},
        out=home / f"{name}-out",
        image=image,
        limits=LIMITS[name],
    )


def _reported(log: str) -> Mapping[str, Any]:
    """Return what the program said in its last line; nothing where it could not."""
    try:
        said = json.loads(log.strip().rpartition("\n")[2])
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _check(promise: Promise, hold: Hold, attack: Attack | None, variable: str) -> Check:
    if hold is Hold.ABSENT or attack is None:
        return Check(promise, hold, True, "not held by this sandbox, nor said to be")
    result = attack.result
    end = f"the attack ended as {result.outcome}" + (f" ({result.limit})" if result.limit else "")
    wanted = (ENDS_IF_WATCHED if hold is Hold.WATCHED else ENDS).get(promise)
    if wanted is not None and (result.outcome, result.limit) != (wanted, promise):
        return Check(promise, hold, False, f"{end}, not as {wanted} ({promise})")
    if promise is Promise.LOG:
        kept = len(result.log_head) + len(result.log_tail)
        return Check(promise, hold, kept <= HEAD_BYTES + TAIL_BYTES, f"{end}, {kept} of {result.log_bytes} bytes kept")
    if promise in MOST and (hold is Hold.ENFORCED or wanted is None):
        return Check(promise, hold, *_measured(promise, attack, end))
    if wanted is None:
        return Check(promise, hold, *_found(promise, attack, variable))
    return Check(promise, hold, True, end)


def _measured(promise: Promise, attack: Attack, end: str) -> tuple[bool, str]:
    """Hold a number that the program reported against the most it may be."""
    key, most, unit = MOST[promise]
    got = attack.seen.get(key)
    if not isinstance(got, int | float):
        return False, f"{end} and reported nothing"
    return 0 < got <= most, f"{got:.3g} {unit}, at most {most:.3g} allowed"


def _found(promise: Promise, attack: Attack, variable: str) -> tuple[bool, str]:
    """Say what the program found that it should not have."""
    found = attack.seen.get(promise)
    if promise is Promise.ENVIRONMENT and isinstance(found, dict):
        seen = variable in found or os.environ.get(variable) in found.values()
        return not seen, "sees a variable of the host" if seen else f"{len(found)} variables, all given"
    if not isinstance(found, list):
        return False, f"the attack ended as {attack.result.outcome} and reported nothing"
    return not found, "; ".join(map(str, found)) or "nothing found"
