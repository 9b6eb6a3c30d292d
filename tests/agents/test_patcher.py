from __future__ import annotations

import ast
from itertools import combinations

import pytest

from agents.embedded.patcher import apply_factors, patch
from agents.errors import PatchFailed
from templates.factors import symbols
from templates.template import Template, list_templates, load_template
from tests.agents.making import MOVES, RUN, idea

RUN_PY, MOVES_PY = "workload/run.py", "workload/moves.py"


def rewrite(template: Template, name: str, text: str) -> Template:
    (template.root / name).write_text(text, encoding="utf-8")
    return Template(template.root)


def test_a_knob_changes_its_constant_and_nothing_else(tiny: Template) -> None:
    texts = apply_factors(tiny, ["fast"], tiny.sources())
    assert texts == {RUN_PY: RUN.replace("RATE = 0.5 ", "RATE = 0.9 ")}


def test_a_knob_keeps_an_annotation(tiny: Template) -> None:
    assert "STEPS: int = 1000\n" in apply_factors(tiny, ["long"], tiny.sources())[RUN_PY]


def test_an_intervention_replaces_adds_and_merges_imports(tiny: Template) -> None:
    text = apply_factors(tiny, ["mirror"], tiny.sources())[MOVES_PY]
    names = [n.targets[0].id for n in ast.parse(text).body if isinstance(n, ast.Assign)]  # type: ignore[attr-defined]
    assert names == ["WIDTH", "MIRRORS"]
    assert text.startswith('"""Moves of the walker."""\nfrom __future__ import annotations\nimport statistics\n')
    assert "mirrored" in text
    assert "return rate * WIDTH" not in text
    assert text.count("from __future__") == 1
    assert "from moves import" not in text


def test_what_an_intervention_does_not_name_stays_as_it_was(tiny: Template) -> None:
    text = apply_factors(tiny, ["mirror"], tiny.sources())[MOVES_PY]
    assert text.endswith(MOVES[MOVES.index("\n\ndef jump") :])


def test_new_constants_may_use_the_constants_of_the_baseline(tiny: Template) -> None:
    space: dict[str, object] = {}
    exec(apply_factors(tiny, ["mirror"], tiny.sources())[MOVES_PY], space)
    assert space["MIRRORS"] == [-2, 2]


def test_the_order_of_factors_does_not_matter(tiny: Template) -> None:
    sources = tiny.sources()
    assert apply_factors(tiny, ["far", "fast", "mirror"], sources) == apply_factors(
        tiny, ["mirror", "far", "fast"], sources
    )


def test_removing_every_cause_leaves_the_baseline(tiny: Template) -> None:
    assert apply_factors(tiny, [], tiny.sources()) == {}


def test_a_missing_symbol_is_refused(tiny: Template) -> None:
    sources = {**tiny.sources(), RUN_PY: RUN.replace("RATE = 0.5", "SPEED = 0.5")}
    with pytest.raises(PatchFailed, match=r"'fast' does not fit workload/run\.py.*RATE"):
        apply_factors(tiny, ["fast"], sources)


def test_a_factor_that_changes_nothing_is_refused(tiny: Template) -> None:
    sources = {**tiny.sources(), RUN_PY: RUN.replace("RATE = 0.5", "RATE = 0.90")}
    with pytest.raises(PatchFailed, match="changes nothing"):
        apply_factors(tiny, ["fast"], sources)


def test_an_unknown_factor_is_refused(tiny: Template) -> None:
    with pytest.raises(PatchFailed, match="declares no factor slower"):
        apply_factors(tiny, ["slower"], tiny.sources())


def test_a_file_that_is_not_editable_is_refused(tiny: Template) -> None:
    with pytest.raises(PatchFailed, match="not an editable file"):
        apply_factors(tiny, ["fast"], {MOVES_PY: MOVES})


def test_a_value_that_is_no_literal_is_refused(tiny: Template) -> None:
    with pytest.raises(PatchFailed, match="not a Python literal"):
        apply_factors(tiny, ["fast"], tiny.sources(), {"fast": "__import__('os').getpid()"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def leap():\n    pass\n", "nothing would call"),
        ("print('hello')\n", "imports and definitions only"),
        ("def step(:\n", "not valid Python"),
    ],
)
def test_an_intervention_that_does_not_fit_is_refused(tiny: Template, text: str, why: str) -> None:
    with pytest.raises(PatchFailed, match=why):
        apply_factors(rewrite(tiny, "interventions/mirror.py", text), ["mirror"], tiny.sources())


def test_a_replacement_that_would_lose_a_name_is_refused(tiny: Template) -> None:
    changed = rewrite(tiny, "interventions/mirror.py", "WIDTH = 3\n")
    with pytest.raises(PatchFailed, match="lose HEIGHT"):
        apply_factors(changed, ["mirror"], {MOVES_PY: MOVES.replace("WIDTH = 2", "WIDTH, HEIGHT = 2, 3")})


def test_a_name_that_is_bound_twice_is_not_replaced(tiny: Template) -> None:
    with pytest.raises(PatchFailed, match="more than once"):
        apply_factors(tiny, ["mirror"], {MOVES_PY: MOVES + "\n\ndef step(rate, seed):\n    return 0\n"})


def test_a_patch_says_what_was_done_and_which_factors_are_in_it(tiny: Template) -> None:
    made = patch(tiny, idea("i7", "fast", "mirror"), tiny.sources())
    assert made.idea == "i7"
    assert made.factors == ("fast", "mirror")
    assert "set RATE to 0.9" in made.summary
    assert {edit.path for edit in made.edits} == {RUN_PY, MOVES_PY}


def test_a_patch_on_a_parent_takes_back_what_the_idea_does_not_name(tiny: Template) -> None:
    made = patch(tiny, idea("i7", "fast", parents=("i1",)), tiny.sources())
    assert {edit.path: edit.text for edit in made.edits}[MOVES_PY] == MOVES


def test_an_idea_without_factors_is_refused(tiny: Template) -> None:
    with pytest.raises(PatchFailed, match="names no factor"):
        patch(tiny, idea("i7"), tiny.sources())


@pytest.mark.parametrize("name", list_templates())
def test_every_factor_and_every_sound_pair_of_a_shipped_template_compiles(name: str) -> None:
    template = load_template(name)
    factors, sources = template.manifest.factors, template.sources()
    pairs = [(a, b) for a, b in combinations(factors, 2) if symbols(template, a).isdisjoint(symbols(template, b))]
    sets = [(f.name,) for f in factors] + [(a.name, b.name) for a, b in pairs]
    seen = set()
    for names in sets:
        texts = apply_factors(template, names, sources)
        for path, text in texts.items():
            compile(text, path, "exec")
        seen.add(tuple(sorted(texts.items())))
    assert len(seen) == len(sets)
