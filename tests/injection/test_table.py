"""docs/injection.md says what the code does: who answers with what, who reads what, which payloads there are."""

from __future__ import annotations

from pathlib import Path

from tests.injection.payloads import payloads
from tests.injection.places import PLACES
from tests.injection.playing import Ended
from tests.injection.table import DECIDES, kind_rows, place_rows, role_rows, shapes

PAGE = Path(__file__).parents[2] / "docs" / "injection.md"


def test_every_shape_of_an_answer_is_told_of() -> None:
    assert set(shapes()) == set(DECIDES)


def test_the_page_tells_roles_places_and_payloads(honest: Ended, hostile: tuple[Ended, ...]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    wanted = [*role_rows(honest), *place_rows(hostile), *kind_rows()]
    assert [row for row in wanted if row not in page.splitlines()] == []
    assert f"{len(payloads())} payloads in {len(PLACES)} places" in page


def test_no_answer_has_a_field_for_what_is_measured() -> None:
    banned = {"score", "metrics", "verdict", "budget", "seed", "seeds", "executions", "claims", "level", "belief"}
    assert not {name for shape in shapes().values() for name in shape.model_fields} & banned
