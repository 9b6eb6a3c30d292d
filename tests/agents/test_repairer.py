from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agents.embedded.patcher import apply_factors
from agents.embedded.repairer import repair
from agents.records import Patch
from templates.template import Template
from tests.agents.making import MOVES, RUN, failed, idea

RUN_PY, MOVES_PY = "workload/run.py", "workload/moves.py"
TRACE = """Traceback (most recent call last):
  File "/x/run.py", line 1, in <module>
  File "/x/moves.py", line 9, in {}
"""


def crashed(tiny: Template, *names: str) -> dict[str, str]:
    return {**tiny.sources(), **apply_factors(tiny, names, tiny.sources())}


def edits(patch: Patch | None) -> dict[str, str]:
    assert patch is not None
    return {edit.path: edit.text for edit in patch.edits}


def run(folder: Path, sources: dict[str, str], code: str) -> subprocess.CompletedProcess[str]:
    for path, text in sources.items():
        (folder / Path(path).name).write_text(text, encoding="utf-8")
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("outcome", ["timeout", "oom"])
def test_a_knob_that_asks_too_much_goes_half_the_way_back(tiny: Template, outcome: str) -> None:
    patch = repair(tiny, idea("i1", "long"), crashed(tiny, "long"), failed(outcome), "")
    assert edits(patch) == {RUN_PY: RUN.replace("= 100", "= 550")}
    assert patch is not None
    assert "set to 550" in patch.summary
    assert patch.factors == ("long",)


def test_a_knob_that_merely_failed_is_not_touched(tiny: Template) -> None:
    assert repair(tiny, idea("i1", "long"), crashed(tiny, "long"), failed(), "ZeroDivisionError") is None


def test_there_is_no_half_way_between_neighbours(tiny: Template) -> None:
    (tiny.root / RUN_PY).write_text(RUN.replace("= 100", "= 999"), encoding="utf-8")
    changed = Template(tiny.root)
    assert repair(changed, idea("i1", "long"), crashed(changed, "long"), failed("timeout"), "") is None


def test_a_missing_import_is_added_and_the_code_runs(tiny: Template, tmp_path: Path) -> None:
    sources = crashed(tiny, "far")
    code = "from moves import jump; jump(0.1)"
    before = run(tmp_path, sources, code)
    assert "NameError: name 'math' is not defined" in before.stderr
    patch = repair(tiny, idea("i1", "far"), sources, failed(), before.stderr)
    assert patch is not None
    assert "`math`" in patch.summary
    after = run(tmp_path, {**sources, **edits(patch)}, code)
    assert after.returncode == 0, after.stderr


def test_a_name_of_another_module_is_imported_from_there(tiny: Template) -> None:
    patch = repair(tiny, idea("i1", "far"), crashed(tiny, "far"), failed(), "NameError: name 'RATE' is not defined")
    assert "from run import RATE\n" in edits(patch)[MOVES_PY]


def test_an_import_from_the_wrong_module_is_put_right(tiny: Template) -> None:
    sources = {**tiny.sources(), RUN_PY: RUN.replace("from moves import step", "from numbers import step")}
    log = "ImportError: cannot import name 'step' from 'numbers' (/usr/lib/numbers.py)"
    text = edits(repair(tiny, idea("i1", "fast"), sources, failed(), log))[RUN_PY]
    assert "from moves import step\n" in text
    assert "from numbers" not in text


def test_a_name_that_nobody_knows_is_given_up(tiny: Template) -> None:
    log = "NameError: name 'walrus' is not defined"
    assert repair(tiny, idea("i1", "far"), crashed(tiny, "far"), failed(), log) is None


def test_a_log_cannot_make_the_team_import_what_no_file_reads(tiny: Template) -> None:
    log = "NameError: name 'subprocess' is not defined"
    assert repair(tiny, idea("i1", "far"), crashed(tiny, "far"), failed(), log) is None


def test_a_combination_loses_the_factor_whose_code_it_crashed_in(tiny: Template) -> None:
    sources = crashed(tiny, "fast", "mirror", "long")
    patch = repair(tiny, idea("i1", "fast", "mirror", "long"), sources, failed(), TRACE.format("step"))
    assert patch is not None
    assert patch.factors == ("fast", "long")
    assert edits(patch) == {MOVES_PY: MOVES}
    assert "without Go mirror, whose code it crashed in" in patch.summary


def test_without_a_culprit_a_combination_loses_what_was_added_last(tiny: Template) -> None:
    sources = crashed(tiny, "fast", "mirror", "long")
    patch = repair(tiny, idea("i1", "fast", "mirror", "long"), sources, failed("oom"), "")
    assert patch is not None
    assert patch.factors == ("fast", "mirror")
    assert edits(patch) == {RUN_PY: RUN.replace("RATE = 0.5", "RATE = 0.9")}


def test_a_pair_is_not_cut_down_to_a_factor_that_was_tried(tiny: Template) -> None:
    sources = crashed(tiny, "fast", "mirror")
    assert repair(tiny, idea("i1", "fast", "mirror"), sources, failed(), TRACE.format("step")) is None
