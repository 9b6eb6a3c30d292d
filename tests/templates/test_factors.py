from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from templates.errors import TemplateBroken
from templates.factors import conflict, definitions, faults, symbols
from templates.template import Template, load_template
from tests.templates.making import MANIFEST, make

HELPER = "import math\n\nSPIN = 2\n\ndef twist(x):\n    return x\n\ndef toss(weight):\n    return twist(weight)\n"


def test_a_knob_touches_its_constant_and_an_intervention_its_definitions(tmp_path: Path) -> None:
    template = Template(make(tmp_path, spin=HELPER))
    assert symbols(template, template.factor("heavier")) == {"workload/run.py:WEIGHT"}
    names = {f"workload/run.py:{name}" for name in ("SPIN", "twist", "toss")}
    assert symbols(template, template.factor("spin")) == names


def test_factors_conflict_when_they_define_the_same_name(tmp_path: Path) -> None:
    template = Template(make(tmp_path, spin="WEIGHT = 3.0\n"))
    assert conflict(template, template.factor("heavier"), template.factor("spin"))
    shipped = load_template("boltzmann-sampling")
    assert not conflict(shipped, shipped.factor("global-flip"), shipped.factor("wolff"))
    assert conflict(shipped, shipped.factor("heat-bath"), shipped.factor("lazy-chain"))


def test_only_the_top_level_counts() -> None:
    text = '"""Doc."""\nimport os\nA = 1\nB: int = 2\nC = D = 3\nclass E:\n    x = 1\ndef f():\n    y = 1\n'
    assert list(definitions(text)) == ["A", "B", "C", "D", "E", "f"]


@pytest.mark.parametrize(
    ("spin", "says"),
    [
        ("def throw(weight):\n    return 1\n", "replaces no definition"),
        ("def toss(weight):\n    return 1\n\nprint('x')\n", "line 4 is neither a definition nor an import"),
        ("toss = 3\n", "another kind of thing"),
        ("def toss(weight:\n", "line 1"),
    ],
)
def test_an_intervention_that_cannot_be_applied_is_named(tmp_path: Path, spin: str, says: str) -> None:
    template = Template(make(tmp_path, spin=spin))
    assert any(says in fault for fault in faults(template, template.factor("spin")))


def test_a_knob_without_its_constant_is_named(tmp_path: Path) -> None:
    manifest = MANIFEST.replace('symbol = "WEIGHT"', 'symbol = "toss"')
    template = Template(make(tmp_path, manifest=manifest))
    assert "no module-level constant toss" in faults(template, template.factor("heavier"))[0]


def test_a_broken_intervention_has_no_symbols(tmp_path: Path) -> None:
    template = Template(make(tmp_path, spin="def toss("))
    with pytest.raises(TemplateBroken, match="line 1"):
        symbols(template, template.factor("spin"))


@pytest.mark.parametrize("name", ["boltzmann-sampling", "offline-rl", "symbolic-pattern"])
def test_every_shipped_factor_fits_and_most_combine(name: str) -> None:
    template = load_template(name)
    declared = template.manifest.factors
    assert not [fault for factor in declared for fault in faults(template, factor)]
    pairs = list(combinations(declared, 2))
    assert sum(not conflict(template, *pair) for pair in pairs) > 0.8 * len(pairs)
