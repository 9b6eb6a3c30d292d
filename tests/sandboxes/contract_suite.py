"""What every sandbox must do: `SandboxContract` for all of them, `RealSandboxContract` for those that run something.

A backend's test class inherits one of them and gives the fixtures `sandbox` and `image`.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path

import pytest

from sandboxes import Outcome, RunResult, Sandbox, SandboxError, SandboxRefused
from tests.sandboxes.lab import Lab, names


class SandboxContract:
    """Behaviours that even a sandbox which runs nothing must show."""

    @pytest.fixture
    def image(self) -> str | None:
        return None

    @pytest.fixture
    def lab(self, sandbox: Sandbox, image: str | None, tmp_path: Path) -> Lab:
        return Lab(sandbox, image, tmp_path)

    def test_a_good_run_is_ok_and_its_files_are_collected(self, lab: Lab) -> None:
        result = lab.run("import sys; open(sys.argv[1] + '/metrics.json', 'w').write('{}')")
        assert result.outcome is Outcome.OK
        assert result.exit_code == 0
        assert names(result) == {"metrics.json"}
        assert lab.read("metrics.json") == "{}"
        assert result.backend == lab.sandbox.capabilities().backend

    def test_digests_are_those_of_the_bytes(self, lab: Lab) -> None:
        program = "import os, sys; os.mkdir(sys.argv[1] + '/d'); open(sys.argv[1] + '/d/x', 'wb').write(b'z' * 3000000)"
        (artifact,) = lab.run(program).artifacts
        collected = (lab.out / "d/x").read_bytes()
        assert artifact.name == "d/x"
        assert artifact.size == len(collected) == 3_000_000
        assert artifact.sha256 == hashlib.sha256(b"z" * 3_000_000).hexdigest()

    def test_a_failing_program_is_a_result(self, lab: Lab) -> None:
        result = lab.run("raise SystemExit(3)")
        assert result.outcome is Outcome.FAILED
        assert result.exit_code == 3

    def test_expected_names_survive_a_flood_of_files(self, lab: Lab) -> None:
        program = """
            import os, sys
            for number in range(19):
                open(os.path.join(sys.argv[1], f"a{number}"), "w").close()
            open(os.path.join(sys.argv[1], "z.json"), "w").write("{}")
        """
        result = lab.run(program, expect=("z.json",), out_files=20)
        assert "z.json" in names(result)

    def test_a_set_cancel_ends_the_run_as_cancelled(self, lab: Lab) -> None:
        cancel = threading.Event()
        cancel.set()
        result = lab.sandbox.run(lab.spec("import time; time.sleep(30)"), cancel)
        assert result.outcome is Outcome.CANCELLED

    def test_an_output_directory_is_used_once(self, lab: Lab) -> None:
        spec = lab.spec("pass")
        spec.out.mkdir()
        with pytest.raises(SandboxError, match="exists already"):
            lab.sandbox.run(spec)

    def test_missing_directories_are_the_platforms_fault(self, lab: Lab) -> None:
        spec = lab.spec("pass", data={"labels": lab.home / "nowhere"})
        with pytest.raises(SandboxError, match="does not exist"):
            lab.sandbox.run(spec)

    def test_the_home_directory_never_enters(self, lab: Lab) -> None:
        spec = lab.spec("pass", data={"home": Path.home()})
        with pytest.raises(SandboxRefused, match="home directory"):
            lab.sandbox.run(spec)

    def test_a_closed_sandbox_runs_nothing(self, lab: Lab) -> None:
        lab.sandbox.close()
        with pytest.raises(SandboxError, match="closed"):
            lab.sandbox.run(lab.spec("pass"))


class RealSandboxContract(SandboxContract):
    """Behaviours of a sandbox in which programs really run."""

    def test_data_directories_are_found_by_their_token(self, lab: Lab) -> None:
        (lab.home / "given").mkdir()
        (lab.home / "given/x").write_text("42", encoding="utf-8")
        program = "import sys; open(sys.argv[1] + '/y', 'w').write(open(sys.argv[2] + '/x').read())"
        lab.run(program, data={"given": lab.home / "given"})
        assert lab.read("y") == "42"

    def test_what_is_printed_is_in_the_log(self, lab: Lab) -> None:
        result = lab.run("import sys; print('to out'); print('to err', file=sys.stderr); sys.exit(1)")
        assert result.log_head.splitlines() == ["to out", "to err"]
        assert result.log_bytes == 14

    def test_bytes_that_are_no_text_do_not_break_the_log(self, lab: Lab) -> None:
        result = lab.run("import os; os.write(1, bytes([255, 27, 0, 10]))")
        assert result.log_head == "\\xff\x1b\x00\n"

    def test_a_program_that_ignores_signals_ends_at_its_time(self, lab: Lab) -> None:
        program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(60)"
        result = lab.run(program, wall_s=1.0)
        assert result.outcome is Outcome.TIMEOUT
        assert result.exit_code is None
        assert result.wall_s < 15
        assert result.log_head == "up\n"

    def test_too_much_memory_ends_as_oom(self, lab: Lab) -> None:
        result = lab.run("import time; x = bytearray(900 << 20); time.sleep(20)", memory_mb=192)
        assert result.outcome is Outcome.OOM

    def test_a_running_program_is_cancelled(self, lab: Lab) -> None:
        cancel = threading.Event()
        timer = threading.Timer(0.8, cancel.set)
        timer.start()
        result = lab.sandbox.run(lab.spec("import time; time.sleep(60)"), cancel)
        timer.join()
        assert result.outcome is Outcome.CANCELLED

    def test_a_flood_of_a_gigabyte_is_cut_and_ends_the_run(self, lab: Lab) -> None:
        program = """
            import os
            os.write(1, b"head")
            for _ in range(1024):
                os.write(1, b"x" * (1 << 20))
        """
        result = lab.run(program, log_mb=1)
        assert result.outcome is Outcome.OUTPUT_LIMIT
        assert result.log_head.startswith("head")
        assert len(result.log_head) + len(result.log_tail) <= 320 * 1024 < result.log_bytes

    def test_a_full_disk_is_an_output_limit(self, lab: Lab) -> None:
        program = """
            import sys
            with open(sys.argv[1] + "/big", "wb") as file:
                for _ in range(64):
                    file.write(bytes(1 << 20))
        """
        assert lab.run(program, out_mb=2, file_mb=128).outcome is Outcome.OUTPUT_LIMIT

    def test_a_file_at_its_limit_is_an_output_limit(self, lab: Lab) -> None:
        program = "import sys; open(sys.argv[1] + '/big', 'wb').write(bytes(8 << 20))"
        assert lab.run(program, file_mb=2).outcome is Outcome.OUTPUT_LIMIT

    def test_too_many_entries_are_an_output_limit(self, lab: Lab) -> None:
        program = "import sys\nfor number in range(5000): open(f'{sys.argv[1]}/{number}', 'w').close()"
        result = lab.run(program, out_files=50)
        assert result.outcome is Outcome.OUTPUT_LIMIT
        assert len(result.artifacts) <= 50

    def test_links_pipes_and_sockets_are_refused(self, lab: Lab) -> None:
        program = """
            import os, socket, sys
            os.chdir(sys.argv[1])
            os.symlink("/etc/passwd", "link")
            os.symlink("/etc", "folder")
            os.mkfifo("pipe")
            open("plain", "w").write("x")
            os.link("plain", "twin")
        """
        result = lab.run(program, expect=("link", "folder/passwd", "pipe"))
        assert names(result) <= {"plain"}
        assert {"link", "folder", "pipe", "twin"} <= {refused.name for refused in result.refused}
        assert not [path for path in lab.out.rglob("*") if path.is_symlink()]

    def test_names_that_could_confuse_are_refused(self, lab: Lab) -> None:
        program = r"""
            import os, sys
            os.chdir(sys.argv[1].encode())
            for name in (b"new\nline", b"\xff\xfe", b"\x1b[2J", b"n" * 240):
                open(name, "w").close()
            open("fine", "w").close()
        """
        result = lab.run(program)
        assert names(result) == {"fine"}
        assert {refused.why for refused in result.refused} == {"name"}
        assert all(refused.name.isascii() and refused.name.isprintable() for refused in result.refused)

    def test_a_very_deep_directory_is_survived_and_removed(self, lab: Lab) -> None:
        program = """
            import os, sys
            os.chdir(sys.argv[1])
            open("kept", "w").close()
            for _ in range(300):
                os.mkdir("d" * 20)
                os.chdir("d" * 20)
            open("lost", "w").close()
        """
        result = lab.run(program, out_files=2000)
        assert result.outcome is Outcome.OK
        assert names(result) == {"kept"}
        assert "depth" in {refused.why for refused in result.refused}

    def test_only_run_directories_remain(self, lab: Lab) -> None:
        lab.run(
            "import os, sys; os.mkdir(sys.argv[1] + '/x'); os.chmod(sys.argv[1] + '/x', 0); os.chmod(sys.argv[1], 0)"
        )
        assert {path.name for path in lab.home.iterdir()} == {"code1", "out1"}

    def test_the_hosts_environment_stays_outside(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "canary-1")
        monkeypatch.setenv("HYPOLOOP_CANARY", "canary-2")
        lab.run("import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1] + '/env', 'w'))", cpus=2)
        seen = json.loads(lab.read("env"))
        assert not [value for value in seen.values() if "canary" in value]
        assert "OPENAI_API_KEY" not in seen
        assert seen["OMP_NUM_THREADS"] == seen["OPENBLAS_NUM_THREADS"] == "2"
        assert seen["PYTHONDONTWRITEBYTECODE"] == "1"

    def test_given_variables_go_inside(self, lab: Lab) -> None:
        spec = lab.spec("import os; print(os.environ['GIVEN'])").model_copy(update={"env": {"GIVEN": "yes"}})
        assert lab.sandbox.run(spec).log_head == "yes\n"

    def test_standard_input_is_at_its_end(self, lab: Lab) -> None:
        assert lab.run("import sys; print(repr(sys.stdin.read()))").log_head == "''\n"

    def test_grandchildren_die_with_the_run(self, lab: Lab) -> None:
        program = """
            import os, sys, time
            if os.fork() == 0:
                time.sleep(2)
                open(sys.argv[1] + "/late", "w").close()
                os._exit(0)
            open(sys.argv[1] + "/early", "w").close()
        """
        assert names(lab.run(program)) == {"early"}

    def test_a_program_that_is_not_there_is_a_failed_run(self, lab: Lab) -> None:
        spec = lab.spec("pass").model_copy(update={"argv": ("no-such-program",)})
        result = lab.sandbox.run(spec)
        assert result.outcome is Outcome.FAILED
        assert result.exit_code == 127

    def test_runs_at_the_same_time_do_not_mix(self, lab: Lab) -> None:
        specs = [lab.spec(f"import sys; open(sys.argv[1] + '/n', 'w').write('{n}'); print({n})") for n in range(3)]
        results: dict[int, RunResult] = {}
        threads = [
            threading.Thread(target=lambda n=n, spec=spec: results.__setitem__(n, lab.sandbox.run(spec)))
            for n, spec in enumerate(specs)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [results[n].log_head for n in range(3)] == ["0\n", "1\n", "2\n"]
        assert [(spec.out / "n").read_text(encoding="utf-8") for spec in specs] == ["0", "1", "2"]

    def test_closing_ends_what_runs(self, lab: Lab) -> None:
        results: list[RunResult] = []
        spec = lab.spec("import time; time.sleep(60)")
        thread = threading.Thread(target=lambda: results.append(lab.sandbox.run(spec)))
        thread.start()
        threading.Event().wait(1.0)
        lab.sandbox.close()
        thread.join()
        assert [result.outcome for result in results] == [Outcome.CANCELLED]

    def test_collected_files_can_be_read_whatever_the_umask(self, lab: Lab) -> None:
        before = os.umask(0o077)
        try:
            lab.run("import os, sys; os.mkdir(sys.argv[1] + '/d'); open(sys.argv[1] + '/d/x', 'w').close()")
        finally:
            os.umask(before)
        assert (lab.out / "d/x").stat().st_mode & 0o777 == 0o644
        assert (lab.out / "d").stat().st_mode & 0o777 == 0o755
