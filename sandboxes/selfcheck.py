"""Does a sandbox hold what it says? A few seconds of harmless attacks, for `hypoloop doctor` and before first use."""

from __future__ import annotations

import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from sandboxes.contract import Limits, Outcome, RunResult, RunSpec, Sandbox
from sandboxes.inside import environment
from sandboxes.trees import make_readable

WORKERS = 3
PROBE = """
import json, os, sys
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
def writable(path):
    try:
        open(path, "w").close()
    except OSError:
        return False
    os.remove(path)
    return True
links = [line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]]
code = os.path.dirname(os.path.abspath(__file__))
facts = {"uid": os.getuid(), "cap_eff": status["CapEff"].strip(), "no_new_privs": status["NoNewPrivs"].strip(),
         "seccomp": status["Seccomp"].strip(), "links": links, "env": dict(os.environ),
         "root_writable": writable("/hypoloop-probe"), "code_writable": writable(os.path.join(code, "probe"))}
json.dump(facts, open(os.path.join(sys.argv[1], "probe.json"), "w"))
"""
FORKS = """
import os, sys, time
made = 0
try:
    while made < 200:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        made += 1
except OSError:
    pass
open(os.path.join(sys.argv[1], "forks"), "w").write(str(made))
"""
MEMORY = "x = bytearray(400 << 20)\nimport time\ntime.sleep(3)\n"
SLEEP = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(30)\n"
DISK = """
import os, sys
with open(os.path.join(sys.argv[1], "big"), "wb") as file:
    for _ in range(64):
        file.write(bytes(1 << 20))
"""
PROGRAMS = {"probe": PROBE, "forks": FORKS, "memory": MEMORY, "sleep": SLEEP, "disk": DISK}
LIMITS = {
    "probe": Limits(wall_s=20),
    "forks": Limits(wall_s=20, pids=32),
    "memory": Limits(wall_s=20, memory_mb=128),
    "sleep": Limits(wall_s=1),
    "disk": Limits(wall_s=20, out_mb=8, file_mb=256),
}


class Check(NamedTuple):
    """One promise: whether it holds, and what was seen."""

    name: str
    ok: bool
    detail: str


def self_check(sandbox: Sandbox, image: str | None) -> tuple[Check, ...]:
    """Run the attacks in `sandbox` and say which promises hold; a few seconds.

    Raises:
        SandboxError: the platform could not run them at all.
    """
    with tempfile.TemporaryDirectory(prefix="hypoloop-check-") as folder:
        home = Path(folder)
        with ThreadPoolExecutor(WORKERS) as pool:
            results = dict(
                zip(PROGRAMS, pool.map(lambda name: _attack(sandbox, image, home, name), PROGRAMS), strict=True)
            )
        probe, forks = _read(home / "probe-out/probe.json"), _read(home / "forks-out/forks")
    return (*_identity_checks(json.loads(probe or "{}")), *_limit_checks(results, forks))


def _attack(sandbox: Sandbox, image: str | None, home: Path, name: str) -> RunResult:
    code = home / f"{name}-code"
    code.mkdir()
    (code / "attack.py").write_text(PROGRAMS[name], encoding="utf-8")
    make_readable(code)
    argv = ("{python}", "-I", "{code}/attack.py", "{out}")
    spec = RunSpec(
        run_id=f"check-{name}", argv=argv, code=code, out=home / f"{name}-out", image=image, limits=LIMITS[name]
    )
    return sandbox.run(spec)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _identity_checks(seen: dict[str, object]) -> tuple[Check, ...]:
    def check(name: str, key: str, wanted: object) -> Check:
        value = seen.get(key, "nothing: the probe did not report")
        return Check(name, value == wanted, str(value))

    return (
        Check(
            "runs without rights of the host's users",
            seen.get("uid") not in (None, 0, os.getuid()),
            f"uid {seen.get('uid')}",
        ),
        check("has no capability", "cap_eff", "0" * 16),
        check("cannot gain privileges", "no_new_privs", "1"),
        check("system calls are filtered", "seccomp", "2"),
        check("has no network but loopback", "links", ["lo"]),
        check("cannot write the root file system", "root_writable", False),
        check("cannot write its code", "code_writable", False),
        _environment_check(seen.get("env")),
    )


def _environment_check(env: object) -> Check:
    name = "sees no variable of the host"
    if not isinstance(env, dict):
        return Check(name, False, "the probe did not report")
    spec = RunSpec(run_id="check", argv=("-",), code=Path(), out=Path())
    ours = environment(spec, home="", path="")
    leaked = sorted(key for key, value in env.items() if key not in ours and os.environ.get(key) == value)
    return Check(name, not leaked, ", ".join(leaked) or f"{len(env)} variables, all given")


def _limit_checks(results: dict[str, RunResult], forks: str) -> tuple[Check, ...]:
    def ends(name: str, run: str, wanted: Outcome) -> Check:
        return Check(name, results[run].outcome is wanted, f"{run}: {results[run].outcome}")

    few = forks.isdigit() and int(forks) < LIMITS["forks"].pids
    disk = results["disk"]
    kept = sum(artifact.size for artifact in disk.artifacts) <= LIMITS["disk"].out_mb * 2**20
    return (
        ends("a program that takes too much memory is ended as such", "memory", Outcome.OOM),
        Check("the number of processes is limited", few, f"{forks or 'unknown'} forks of 200"),
        ends("a program that ignores SIGTERM ends at its time", "sleep", Outcome.TIMEOUT),
        Check("the output has a quota", disk.outcome is Outcome.OUTPUT_LIMIT and kept, f"disk: {disk.outcome}"),
    )
