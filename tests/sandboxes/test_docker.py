from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandboxes import DockerOptions, DockerSandbox, EngineUnavailable, ImageMissing, Limits, Outcome, SandboxError
from sandboxes.owners import Owner, this_process
from tests.sandboxes.contract_suite import RealSandboxContract
from tests.sandboxes.lab import Lab, names
from tests.sandboxes.prepared_suite import RealPreparedContract

if TYPE_CHECKING:
    from docker import DockerClient

OWNER = f"test-docker-{os.getpid()}"  # several suites may run on one engine


def left_behind(engine: DockerClient, owner: str) -> list[str]:
    ours = {"label": f"hypoloop.owner={owner}"}
    containers = [found["Id"] for found in engine.api.containers(all=True, filters=ours)]
    return containers + [volume.name for volume in engine.volumes.list(filters=ours)]


@pytest.mark.docker
class TestDocker(RealSandboxContract, RealPreparedContract):
    @pytest.fixture
    def sandbox(self, engine: DockerClient) -> Iterator[DockerSandbox]:
        sandbox = DockerSandbox(OWNER)
        yield sandbox
        sandbox.close()
        assert left_behind(engine, OWNER) == []

    @pytest.fixture
    def image(self, lab_image: str) -> str:
        return lab_image

    def test_the_result_names_the_image_by_id(self, lab: Lab, engine: DockerClient, lab_image: str) -> None:
        result = lab.run("import numpy, gymnasium")
        assert result.outcome is Outcome.OK
        assert result.image_id == engine.images.get(lab_image).id

    def test_code_data_and_root_cannot_be_written(self, lab: Lab) -> None:
        (lab.home / "given").mkdir()
        program = """
            import os, sys
            for folder in (os.path.dirname(__file__), sys.argv[2], "/", "/etc", "/lab", "/usr/local/bin"):
                try:
                    open(os.path.join(folder, "x"), "w").close()
                    print("wrote", folder)
                except OSError as problem:
                    print(problem.errno)
        """
        result = lab.run(program, data={"given": lab.home / "given"})
        assert result.log_head.split() == ["30"] * 6
        assert not (lab.home / "given/x").exists()

    def test_there_is_no_network(self, lab: Lab) -> None:
        program = """
            import socket
            print([name for _, name in socket.if_nameindex()])
            for target in (("1.1.1.1", 53), ("172.17.0.1", 2375)):
                try:
                    socket.create_connection(target, timeout=3)
                    print("connected")
                except OSError as problem:
                    print("unreachable")
        """
        assert lab.run(program).log_head == "['lo']\nunreachable\nunreachable\n"

    def test_an_oom_killed_child_is_oom_even_if_the_program_succeeds(self, lab: Lab) -> None:
        program = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'x = bytearray(900 << 20)'])"
        result = lab.run(program, memory_mb=192)
        assert result.exit_code == 0
        assert result.oom_killed
        assert result.outcome is Outcome.OOM

    def test_a_forged_oom_exit_code_is_no_oom(self, lab: Lab) -> None:
        result = lab.run("import os; os._exit(137)")
        assert not result.oom_killed
        assert result.outcome is Outcome.KILLED

    def test_processes_are_limited(self, lab: Lab) -> None:
        result = lab.run(
            "import os, time\nn = 0\ntry:\n"
            "    while n < 500:\n        if os.fork() == 0: time.sleep(20); os._exit(0)\n        n += 1\n"
            "except OSError: print(n)",
            pids=20,
        )
        assert int(result.log_head) < 20

    def test_a_flood_of_sparse_files_does_not_hide_the_expected(self, lab: Lab) -> None:
        program = """
            import os, sys
            os.chdir(sys.argv[1])
            for number in range(40):
                with open(f"a{number}", "wb") as file:
                    file.truncate(30 << 20)
            open("z.json", "w").write("{}")
        """
        result = lab.run(program, expect=("z.json", "absent.json"), out_mb=4)
        assert "z.json" in names(result)
        assert sum(artifact.size for artifact in result.artifacts) <= 4 << 20

    def test_directories_closed_to_others_are_readable_inside(self, lab: Lab) -> None:
        given = lab.home / "given"
        given.mkdir(mode=0o700)
        (given / "x").write_text("seen", encoding="utf-8")
        (given / "x").chmod(0o600)
        result = lab.run("import sys; print(open(sys.argv[2] + '/x').read())", data={"given": given})
        assert result.log_head == "seen\n"
        assert given.stat().st_mode & 0o777 == 0o700
        assert {path.name for path in lab.home.iterdir()} == {"given", "code1", "out1"}

    def test_the_users_proxy_settings_stay_outside(
        self, lab_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = {"proxies": {"default": {"httpProxy": "http://user:canary@proxy.invalid"}}}
        (tmp_path / "config.json").write_text(json.dumps(settings), encoding="utf-8")
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        sandbox = DockerSandbox(OWNER)
        result = Lab(sandbox, lab_image, tmp_path).run("import os; print(dict(os.environ))")
        sandbox.close()
        assert result.outcome is Outcome.OK
        assert "canary" not in result.log_head

    def test_more_cores_than_the_engine_has_are_what_it_has(self, lab: Lab, engine: DockerClient) -> None:
        result = lab.run("pass", cpus=4096)
        assert result.outcome is Outcome.OK
        assert result.limits.cpus == engine.info()["NCPU"]

    def test_usage_is_measured_whatever_the_length(self, lab: Lab) -> None:
        result = lab.run("import time\nx = bytearray(80 << 20)\nend = time.time() + 1.5\nwhile time.time() < end: pass")
        assert result.usage_source.startswith("cgroup") or os.getuid() != 0
        assert result.cpu_s is not None
        assert result.cpu_s > 0
        assert result.peak_memory_mb is not None
        assert result.peak_memory_mb > 40

    def test_a_device_the_engine_cannot_hand_out_is_unsupported_in_its_own_words(
        self, lab: Lab, engine: DockerClient
    ) -> None:
        if "nvidia" in engine.info()["Runtimes"]:
            pytest.skip("this engine has an NVIDIA runtime, so it refuses no device that is there")
        spec = lab.spec("pass", gpus=1).model_copy(update={"gpus": ("0",)})
        result = lab.sandbox.run(spec)
        assert result.outcome is Outcome.UNSUPPORTED
        assert "device" in result.reason
        assert not spec.out.exists()

    def test_a_run_that_was_given_no_device_is_unsupported_before_anything_is_made(self, lab: Lab) -> None:
        spec = lab.spec("pass", gpus=1)
        assert lab.sandbox.run(spec).outcome is Outcome.UNSUPPORTED
        assert not spec.out.exists()

    def test_a_missing_image_is_the_platforms_fault_and_leaves_room_for_a_retry(self, lab: Lab) -> None:
        spec = lab.spec("pass").model_copy(update={"image": "hypoloop/lab:never-built"})
        with pytest.raises(ImageMissing, match="never-built"):
            lab.sandbox.run(spec)
        assert not spec.out.exists()

    def test_a_spec_without_an_image_is_refused(self, lab: Lab) -> None:
        with pytest.raises(SandboxError, match="names no image"):
            lab.sandbox.run(lab.spec("pass").model_copy(update={"image": None}))

    def test_a_container_removed_under_a_run_is_the_platforms_fault(self, lab: Lab, engine: DockerClient) -> None:
        spec = lab.spec("import time; time.sleep(30)")

        def sabotage() -> None:
            for holder in engine.containers.list(filters={"label": f"hypoloop.owner={OWNER}"}):
                if "holder" in holder.name:
                    holder.remove(force=True)

        timer = threading.Timer(1.5, sabotage)
        timer.start()
        with pytest.raises(SandboxError):
            lab.sandbox.run(spec.model_copy(update={"limits": Limits(wall_s=3)}))
        timer.join()
        assert not spec.out.exists()


@pytest.mark.docker
def test_reaping_takes_what_the_dead_left_and_spares_the_living(engine: DockerClient, lab_image: str) -> None:
    me = this_process("reap-test")
    later = 4e9
    dead = Owner(**(me.__dict__ | {"started": "1"}))  # the number lives, the process that had it does not
    rebooted = Owner(**(me.__dict__ | {"boot": "another"}))
    elsewhere = Owner(**(me.__dict__ | {"host": "another", "started": "1"}))
    labels = {
        "dead": dead.labels("a", later),
        "rebooted": rebooted.labels("b", later),
        "overdue": me.labels("c", 1.0),
        "living": me.labels("d", later),
        "elsewhere": elsewhere.labels("e", later),
    }
    made = {name: engine.containers.create(lab_image, ["true"], labels=given) for name, given in labels.items()}
    volume = engine.volumes.create(labels=labels["dead"])
    sandbox = DockerSandbox("somebody-else")
    try:
        sandbox.reap()
        left = {found["Id"] for found in engine.api.containers(all=True)}
        assert {name for name, container in made.items() if container.id in left} == {"living", "elsewhere"}
        assert volume.name not in {found.name for found in engine.volumes.list()}
    finally:
        sandbox.close()
        for name in ("living", "elsewhere"):
            made[name].remove(force=True)


def test_an_engine_that_does_not_answer_is_said_to_be_so(tmp_path: Path) -> None:
    sandbox = DockerSandbox("nobody", DockerOptions(base_url=f"unix://{tmp_path}/none.sock"))
    with pytest.raises(EngineUnavailable, match="No Docker engine answers"):
        sandbox.reap()
    lab = Lab(sandbox, "hypoloop/lab:any", tmp_path)
    spec = lab.spec("pass")
    with pytest.raises(EngineUnavailable):
        sandbox.run(spec)
    assert not spec.out.exists()
