from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandboxes import Hold, Outcome, ProcessSandbox, Promise
from sandboxes.session import members
from tests.sandboxes.contract_suite import RealSandboxContract
from tests.sandboxes.lab import Lab
from tests.sandboxes.prepared_suite import RealPreparedContract


class TestProcess(RealSandboxContract, RealPreparedContract):
    @pytest.fixture
    def sandbox(self) -> Iterator[ProcessSandbox]:
        sandbox = ProcessSandbox()
        yield sandbox
        sandbox.close()

    def test_it_says_that_it_isolates_nothing(self, sandbox: ProcessSandbox) -> None:
        said = sandbox.capabilities()
        assert not said.isolates
        assert said.hold(Promise.NETWORK) is Hold.ABSENT
        assert said.hold(Promise.MEMORY) is Hold.WATCHED
        assert any("this user's rights" in note for note in said.notes)

    def test_one_huge_grab_is_out_of_memory(self, lab: Lab) -> None:
        result = lab.run("x = bytearray(10 ** 12)")
        assert result.outcome is Outcome.OOM
        assert "MemoryError" in result.log_head

    def test_memory_of_all_processes_counts_together(self, lab: Lab) -> None:
        program = """
            import os, time
            for _ in range(4):
                if os.fork() == 0:
                    x = bytearray(90 << 20)
                    time.sleep(20)
                    os._exit(0)
            time.sleep(20)
        """
        result = lab.run(program, memory_mb=200)
        assert result.outcome is Outcome.OOM

    def test_a_crowd_of_processes_is_killed(self, lab: Lab) -> None:
        program = (
            "import os, time\nfor _ in range(30):\n  if os.fork() == 0: time.sleep(20); os._exit(0)\ntime.sleep(20)"
        )
        assert lab.run(program, pids=10, memory_mb=4000).outcome is Outcome.KILLED

    def test_a_program_that_kills_itself_was_killed(self, lab: Lab) -> None:
        result = lab.run("import os; os.kill(os.getpid(), 9)")
        assert result.outcome is Outcome.KILLED
        assert result.exit_code == 137

    def test_a_gpu_that_was_not_given_is_unsupported(self, lab: Lab) -> None:
        spec = lab.spec("pass", gpus=1)
        assert lab.sandbox.run(spec).outcome is Outcome.UNSUPPORTED
        assert not spec.out.exists()

    def test_a_run_sees_the_devices_it_was_given_and_no_other(self, lab: Lab) -> None:
        program = "import os; print(repr(os.environ['CUDA_VISIBLE_DEVICES']))"
        given = lab.spec(program, gpus=2).model_copy(update={"gpus": ("1", "3")})
        assert lab.sandbox.run(given).log_head == "'1,3'\n"
        assert lab.run(program).log_head == "''\n"

    def test_nothing_of_the_session_lives_on(self, lab: Lab) -> None:
        program = "import os, time\nprint(os.getsid(0))\nif os.fork() == 0: time.sleep(60)\n"
        leader = int(lab.run(program).log_head)
        assert members(leader) == []

    def test_usage_is_measured(self, lab: Lab) -> None:
        program = """
            import time
            x = bytearray(80 << 20)
            while time.process_time() < 0.4:
                pass
        """
        result = lab.run(program)
        assert result.cpu_s is not None
        assert result.cpu_s >= 0.3
        assert result.peak_memory_mb is not None
        assert result.peak_memory_mb >= 80
