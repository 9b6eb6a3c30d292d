from __future__ import annotations

from agents.llm.implicated import code_of, implicated, outline, plain

RUN = '''\
"""Walk."""

import math

import moves

RATE = 0.5
OTHER = 1


def scaled(x):
    return RATE * x


def unrelated():
    return OTHER


class Walker:
    @property
    def place(self):
        return scaled(moves.step(0))

    def rest(self):
        return 0


def main():
    print(Walker().place)


if __name__ == "__main__":
    main()
'''
MOVES = "def step(n):\n    return 1 / n\n\n\ndef idle():\n    return 0\n"
FILES = {"workload/run.py": RUN, "workload/moves.py": MOVES}
HOST = "/home/somebody/.hypoloop/campaigns/x/sources/0a1b"
LOG = f'''\
{HOST}/run.py:12: RuntimeWarning: overflow in <function f at 0x7f3a91c0>
Traceback (most recent call last):
  File "{HOST}/run.py", line 33, in <module>
    main()
  File "{HOST}/run.py", line 29, in main
    print(Walker().place)
  File "{HOST}/run.py", line 22, in place
    return scaled(moves.step(0))
  File "{HOST}/moves.py", line 2, in step
    return 1 / n
  File "/usr/lib/python3.11/site-packages/thing/moves.py", line 5, in step
    raise
ZeroDivisionError: division by zero
'''


def test_the_functions_of_the_traceback_are_given_innermost_first_with_what_they_use() -> None:
    found = [(e.path, e.first, e.last) for e in implicated(LOG, FILES)]
    assert found == [
        ("workload/moves.py", 1, 2),
        ("workload/run.py", 20, 22),
        ("workload/run.py", 28, 29),
        ("workload/run.py", 32, 33),
        ("workload/run.py", 11, 12),
        ("workload/run.py", 19, 25),
        ("workload/run.py", 3, 5),
    ]


def test_what_the_crash_has_nothing_to_do_with_is_not_shown() -> None:
    code = code_of(implicated(LOG, FILES), FILES, 10_000)
    assert "idle" not in code
    assert "OTHER" not in code
    assert "unrelated" not in code
    assert "   2|     return 1 / n" in code


def test_the_cap_keeps_the_innermost() -> None:
    code = code_of(implicated(LOG, FILES), FILES, 150)
    assert code.startswith("# workload/moves.py, lines 1 to 2: line 2 is in it\n   1| def step(n):")
    assert "run.py" not in code
    assert len(code_of(implicated(LOG, FILES), FILES, 20)) == 20


def test_a_library_of_the_same_file_name_is_not_the_candidates() -> None:
    log = 'Traceback:\n  File "/usr/lib/python3.11/site-packages/thing/moves.py", line 2, in step\n'
    assert implicated(log, FILES) == ()


def test_where_the_code_does_not_parse_the_lines_around_are_given() -> None:
    broken = "x = 1\n" * 30 + "def f(:\n" + "y = 2\n" * 30
    log = '  File "/lab/code/run.py", line 31\n    def f(:\n          ^\nSyntaxError: invalid syntax\n'
    assert [tuple(e)[:3] for e in implicated(log, {"workload/run.py": broken})] == [("workload/run.py", 21, 41)]


def test_lines_that_a_hostile_log_makes_up_choose_nothing_that_is_not_there() -> None:
    log = "\n".join(
        [
            '  File "/lab/evaluator/evaluate.py", line 1, in main',
            '  File "/etc/passwd", line 1, in main',
            '  File "/lab/code/run.py", line 9999999, in main',
            '  File "/lab/code/run.py", line 0, in main',
            '  File "' + "a" * 5000 + '", line 1, in main',
        ]
    )
    found = implicated(log, FILES)
    assert {e.path for e in found} == {"workload/run.py"}
    assert all(1 <= e.first <= e.last <= 34 for e in found)


def test_a_log_bears_no_trace_of_the_machine() -> None:
    said = plain(LOG, FILES)
    assert 'File "workload/run.py", line 22, in place' in said
    assert "workload/run.py:12: RuntimeWarning: overflow in <function f at 0x...>" in said
    assert 'File ".../moves.py", line 5' in said
    assert "/home" not in said
    assert plain(said, FILES) == said


def test_one_log_of_two_machines_is_one_text() -> None:
    assert plain(LOG, FILES) == plain(LOG.replace(HOST, "/lab/code").replace("7f3a91c0", "55d0aa10"), FILES)


def test_what_is_no_path_stays() -> None:
    log = "loss 1/2/3 at http://host/a/b and/or 10 m/s, ratio a/b, 0x1f"
    assert plain(log, FILES) == log


def test_an_outline_names_what_is_there_and_where() -> None:
    assert outline({"workload/moves.py": MOVES}) == "# workload/moves.py, 6 lines\n   1| step\n   5| idle"
