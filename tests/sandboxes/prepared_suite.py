"""What every prepared run must do: `PreparedContract` for all, `RealPreparedContract` where an interpreter waits.

A backend's test class inherits one of them beside its sandbox contract, which gives the fixture `lab`.
"""

from __future__ import annotations

from typing import Any

import pytest

from sandboxes import Outcome, RunResult, RunSpec, SandboxError
from tests.sandboxes.lab import Lab, names

WRITE = "import sys; open(sys.argv[1] + '/x', 'w').write('42')"


class PreparedContract:
    """Behaviours that even a sandbox which runs nothing must show."""

    def test_a_prepared_run_can_wait_while_another_runs(self, lab: Lab) -> None:
        spec = lab.spec(WRITE)
        waiting = lab.sandbox.prepare(spec)
        assert lab.run(WRITE).outcome is Outcome.OK
        assert not list(spec.out.iterdir())
        assert names(waiting.run()) == {"x"}

    def test_preparing_changes_nothing_of_the_result(self, lab: Lab) -> None:
        whole, prepared = lab.spec(WRITE), lab.spec(WRITE)
        waiting = lab.sandbox.prepare(prepared)
        assert told(lab.sandbox.run(whole)) == told(waiting.run())

    def test_the_output_directory_is_there_before_the_turn(self, lab: Lab) -> None:
        spec = lab.spec(WRITE)
        waiting = lab.sandbox.prepare(spec)
        assert spec.out.is_dir()
        waiting.close()

    def test_a_prepared_run_that_is_closed_leaves_nothing(self, lab: Lab) -> None:
        spec = lab.spec(WRITE)
        lab.sandbox.prepare(spec).close()
        assert [path.name for path in lab.home.iterdir()] == [spec.code.name]

    def test_what_was_given_up_can_be_prepared_again(self, lab: Lab) -> None:
        spec = lab.spec(WRITE)
        lab.sandbox.prepare(spec).close()
        assert lab.sandbox.prepare(spec).run().outcome is Outcome.OK


class RealPreparedContract(PreparedContract):
    """Behaviours of a run whose interpreter was started ahead: it must not show."""

    def test_data_filled_between_prepare_and_run_is_seen(self, lab: Lab) -> None:
        given = lab.home / "given"
        given.mkdir()
        waiting = lab.sandbox.prepare(lab.spec("import sys; print(open(sys.argv[2] + '/x').read())", data={"d": given}))
        (given / "x").write_text("late", encoding="utf-8")
        (given / "x").chmod(0o644)
        assert waiting.run().log_head == "late\n"

    def test_a_prepared_run_reads_what_an_earlier_one_wrote(self, lab: Lab) -> None:
        first = lab.spec(WRITE)
        writer = lab.sandbox.prepare(first)
        reader = lab.sandbox.prepare(
            lab.spec("import sys; print(open(sys.argv[2] + '/x').read())", data={"d": first.out})
        )
        writer.run()
        assert reader.run().log_head == "42\n"

    def test_code_is_read_at_its_turn(self, lab: Lab) -> None:
        spec = lab.spec("print('early')")
        waiting = lab.sandbox.prepare(spec)
        (spec.code / "run.py").write_text("print('late')", encoding="utf-8")
        assert waiting.run().log_head == "late\n"

    def test_its_time_begins_with_its_turn(self, lab: Lab) -> None:
        waiting = lab.sandbox.prepare(lab.spec("print('in time')", wall_s=2.0))
        lab.run("import time; time.sleep(2.5)")
        assert waiting.run().outcome is Outcome.OK

    def test_closing_the_sandbox_gives_up_what_waits(self, lab: Lab) -> None:
        spec = lab.spec(WRITE)
        waiting = lab.sandbox.prepare(spec)
        lab.sandbox.close()
        assert not spec.out.exists()
        with pytest.raises(SandboxError, match="closed"):
            waiting.run()

    def test_closing_a_run_that_is_over_changes_nothing(self, lab: Lab) -> None:
        spec = lab.spec(WRITE)
        waiting = lab.sandbox.prepare(spec)
        waiting.run()
        waiting.close()
        assert (spec.out / "x").exists()

    def test_the_script_is_the_main_program(self, lab: Lab) -> None:
        program = """
            import os, sys, __main__
            assert __name__ == "__main__" and __main__.__file__ == __file__ == sys.argv[0], (__name__, __file__)
            assert os.path.basename(__file__) == "run.py" and len(sys.argv) == 2, sys.argv
            assert os.path.realpath(sys.path[0]) == os.path.dirname(os.path.realpath(__file__)), sys.path
            assert sys.excepthook and not set(vars(__main__)) & {"gc", "trace", "problem"}
            import beside
        """
        spec = lab.spec(program)
        (spec.code / "beside.py").write_text("print('imported')", encoding="utf-8")
        assert lab.sandbox.run(spec).log_head == "imported\n"

    def test_an_isolated_interpreter_stays_isolated(self, lab: Lab) -> None:
        program = """
            import os, sys
            assert sys.flags.isolated and os.path.dirname(os.path.abspath(__file__)) not in sys.path
            print("isolated")
        """
        assert lab.sandbox.run(script(lab, program, "-I")).log_head == "isolated\n"

    def test_a_traceback_begins_in_the_script(self, lab: Lab) -> None:
        result = lab.run("def fail():\n    raise ValueError('so')\n\nfail()")
        lines = result.log_head.splitlines()
        assert result.exit_code == 1
        assert lines[0] == "Traceback (most recent call last):"
        assert lines[1].endswith('run.py", line 4, in <module>')
        assert lines[-1] == "ValueError: so"

    def test_a_chained_traceback_is_whole(self, lab: Lab) -> None:
        program = "try:\n    1 / 0\nexcept ZeroDivisionError as first:\n    raise KeyError('second') from first"
        said = lab.run(program).log_head
        assert said.index("ZeroDivisionError") < said.index("direct cause") < said.index("KeyError")
        assert "<string>" not in said

    def test_a_script_that_is_no_python_fails_at_its_line(self, lab: Lab) -> None:
        result = lab.run("x = 1\ny = (")
        assert result.outcome is Outcome.FAILED
        assert result.exit_code == 1
        assert 'run.py", line 2' in result.log_head
        assert "SyntaxError" in result.log_head

    def test_a_script_that_is_not_there_fails(self, lab: Lab) -> None:
        spec = lab.spec("pass")
        result = lab.sandbox.run(spec.model_copy(update={"argv": ("{python}", "{code}/absent.py")}))
        assert result.outcome is Outcome.FAILED
        assert "absent.py" in result.log_head
        assert "No such file" in result.log_head

    def test_words_and_codes_of_exit_are_kept(self, lab: Lab) -> None:
        result = lab.run("import sys; sys.exit('no more')")
        assert (result.exit_code, result.log_head) == (1, "no more\n")

    def test_what_is_left_to_the_end_is_done(self, lab: Lab) -> None:
        program = "import atexit, sys\natexit.register(print, 'at exit')\nsys.stdout.write('unflushed ')"
        assert lab.run(program).log_head == "unflushed at exit\n"

    @pytest.mark.parametrize("how", ["fork", "spawn", "forkserver"])
    def test_it_can_have_workers(self, lab: Lab, how: str) -> None:
        program = f"""
            import multiprocessing

            def double(number):
                return 2 * number

            if __name__ == "__main__":
                with multiprocessing.get_context({how!r}).Pool(2) as pool:
                    print(sum(pool.map(double, range(7))))
        """
        assert lab.run(program, memory_mb=1024).log_head == "42\n"


def script(lab: Lab, program: str, *flags: str) -> RunSpec:
    spec = lab.spec(program)
    return spec.model_copy(update={"argv": ("{python}", *flags, *spec.argv[1:])})


def told(result: RunResult) -> dict[str, Any]:
    """Return what a result says apart from its name, and from what differs between any two runs."""
    apart = {"run_id", "wall_s", "total_s", "cpu_s", "peak_memory_mb", "phases"}
    return result.model_dump(exclude=apart)
