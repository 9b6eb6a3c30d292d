from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandboxes import Limits, RunSpec, SandboxError
from sandboxes.inside import arguments, check_spec, environment
from sandboxes.profile import hardened, volume_options, workload
from sandboxes.syscalls import filter_text


def spec(tmp_path: Path, **fields: object) -> RunSpec:
    given: dict[str, object] = {"run_id": "r", "argv": ("{python}",), "code": tmp_path, "out": tmp_path / "out"}
    return RunSpec.model_validate(given | fields)


def test_only_known_tokens_are_put_in_and_only_once(tmp_path: Path) -> None:
    run = spec(tmp_path, argv=("{python}", '{"a": {}}', "--out={out}/{other}", "{code}{data}"))
    paths = {"python": "/py", "out": "/lab/{code}", "code": "/lab/code", "data": "/d"}
    assert arguments(run, paths) == ["/py", '{"a": {}}', "--out=/lab/{code}/{other}", "/lab/code/d"]


@pytest.mark.parametrize("name", ["python", "out", "code", "a/b", "..", "", "x" * 41])
def test_names_of_data_are_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(SandboxError, match="cannot name a data directory"):
        check_spec(spec(tmp_path, data={name: tmp_path}))


def test_a_run_without_a_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="names no program"):
        check_spec(spec(tmp_path, argv=()))


def test_given_variables_win_and_threads_follow_the_cores(tmp_path: Path) -> None:
    run = spec(tmp_path, env={"LANG": "de"}, limits=Limits(cpus=0.5))
    env = environment(run, home="/h", path="/p")
    assert env["LANG"] == "de"
    assert env["HOME"] == env["TMPDIR"] == "/h"
    assert env["OMP_NUM_THREADS"] == "1"


def test_the_profile_forbids_all_it_should() -> None:
    chosen = workload(Limits(memory_mb=100, cpus=1.5, pids=9, file_mb=2), {})
    assert chosen["network_mode"] == "none"
    assert chosen["read_only"]
    assert chosen["user"] == "10001:10001"
    assert chosen["mem_limit"] == chosen["memswap_limit"] == "100m"
    assert chosen["pids_limit"] == 9
    assert chosen["nano_cpus"] == 1_500_000_000
    assert chosen["cap_drop"] == ["ALL"]
    assert chosen["security_opt"] == ["no-new-privileges:true", f"seccomp={filter_text()}"]
    assert chosen["ipc_mode"] == "private"
    assert chosen["init"]
    assert "noexec" in chosen["tmpfs"]["/tmp"]
    hard = {limit["Name"]: limit["Hard"] for limit in chosen["ulimits"]}
    assert hard == {"fsize": 2 << 20, "nofile": 1024, "core": 0}
    assert chosen["log_config"]["Config"] == {"max-size": "1m", "max-file": "2"}
    assert not chosen["use_config_proxy"]
    assert not chosen.keys() & {"privileged", "cap_add", "pid_mode", "devices", "volumes_from", "device_requests"}


def test_the_holder_is_confined_like_the_workload() -> None:
    holder, worker = hardened(Limits(), {}), workload(Limits(), {})
    assert holder.keys() <= worker.keys()
    assert "nosuid,nodev,noexec" in volume_options(Limits())["o"]


def test_importing_the_package_loads_no_engine_client() -> None:
    program = "import sys, sandboxes; sys.exit('docker' in sys.modules or 'requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_gpus_are_asked_for_only_when_wanted() -> None:
    (request,) = workload(Limits(gpus=2), {}, ("0", "3"))["device_requests"]
    assert request["DeviceIDs"] == ["0", "3"]
