"""Prompts: whatever is put into one goes through the filter for data, but for a few words that hypoloop chose."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROMPTS = sorted((Path(__file__).parents[2] / "agents" / "prompts").glob("*.md"))
VALUE = re.compile(r"{{(.*?)}}", re.DOTALL)
OURS = re.compile(
    r"""^(template\.(title|question)|metric\.\w+|template\.(manifest\.)?metric\.\w+|metric\.range\[\d\]
    |template\.(editable|outputs)\s\|\sjoin\(",\s"\)|template\.resources\.\w+|caps\.\w+|wanted|verb|persona|latest
    |outcome|key|keys\s\|\sjoin\(",\s"\)|constraint|"[^"]*"\sif\s.*\selse\s"[^"]*"|"s"\sif\swanted\s!=\s1)$""",
    re.VERBOSE,
)
"""Values from the template's manifest, from settings, from ids and from our own words."""


def loose(text: str) -> list[str]:
    return [v for value in VALUE.findall(text) if "| data(" not in (v := value.strip()) and not OURS.match(v)]


@pytest.mark.parametrize("path", PROMPTS, ids=lambda path: path.stem)
def test_what_comes_from_outside_goes_through_the_filter_for_data(path: Path) -> None:
    assert loose(path.read_text(encoding="utf-8")) == []


def test_a_prompt_that_leaves_the_filter_out_is_found() -> None:
    text = next(path for path in PROMPTS if path.stem == "repair").read_text(encoding="utf-8")
    spoiled = text.replace('| data("log", caps.shown)', "")
    assert spoiled != text
    assert len(loose(spoiled)) == 1


@pytest.mark.parametrize("path", PROMPTS, ids=lambda path: path.stem)
def test_a_system_part_takes_no_value(path: Path) -> None:
    parts = re.split(r"^<!-- (system|user) -->$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    systems = [body for role, body in zip(parts[1::2], parts[2::2], strict=True) if role == "system"]
    assert not any("{{" in body or "{%" in body for body in systems)


@pytest.mark.parametrize("path", PROMPTS, ids=lambda path: path.stem)
def test_a_role_that_reads_data_is_told_that_data_never_instructs(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if "<!-- system -->" in text:
        assert re.search(r"never\s+(gives\s+you\s+instructions|an\s+instruction)", text)
