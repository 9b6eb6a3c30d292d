from __future__ import annotations

import pytest

from agents.embedded.checks import prose
from agents.embedded.writer import SECTIONS, write
from agents.records import Draft, Verdict
from agents.team import Dossier
from flows.papers.binding import Bindings, bind, refuse_literals
from flows.papers.faults import draft_faults
from templates.template import Template
from tests.agents.making import MANIFEST, challenge, claim, dossier

SURVIVED = challenge(9, survived=True, refutes=False)
UNSETTLED = challenge(9, survived=False, refutes=False)
FELL = challenge(9, survived=False, refutes=True)

STORIES: dict[str, Dossier] = {
    "supported": dossier(claim(1, "i1", Verdict.SUPPORTED, SURVIVED), claim(2, "i2", Verdict.INCONCLUSIVE)),
    "several supported": dossier(
        claim(1, "i1", Verdict.SUPPORTED, SURVIVED),
        claim(2, "i2", Verdict.SUPPORTED, UNSETTLED),
        claim(3, "i3", Verdict.SUPPORTED),
    ),
    "none supported": dossier(
        claim(1, "i1", Verdict.REFUTED), claim(2, "i2", Verdict.INCONCLUSIVE), claim(3, "i3", Verdict.REFUTED)
    ),
    "overturned": dossier(claim(1, "i1", Verdict.REFUTED, FELL)),
    "deterministic": dossier(
        claim(1, "i1", Verdict.SUPPORTED, once=True), claim(2, "i2", Verdict.REFUTED, once=True)
    ),
    "unmeasured": dossier(claim(1, "i1", Verdict.INCONCLUSIVE).model_copy(update={"n": 0, "interval": None})),
    "nothing registered": dossier(),
}  # fmt: skip


@pytest.fixture(params=STORIES)
def story(request: pytest.FixtureRequest) -> Dossier:
    return STORIES[request.param]


def text(draft: Draft) -> str:
    return "\n".join(prose(draft).values())


def test_every_binding_resolves_and_no_number_is_typed(tiny: Template, story: Dossier) -> None:
    draft = write(tiny, story)
    refuse_literals(draft)
    bound, keys = bind(text(draft).replace("[@pearson1905problem]", ""), Bindings(story, tiny.manifest))
    assert keys
    assert "{" not in bound


def test_every_section_has_paragraphs(tiny: Template, story: Dossier) -> None:
    draft = write(tiny, story)
    assert [s.key for s in draft.sections] == list(SECTIONS)
    assert all(len(s.body.split()) > 15 for s in draft.sections)


def test_no_sentence_is_said_twice(tiny: Template, story: Dossier) -> None:
    sections = [s.body for s in write(tiny, story).sections]
    sentences = [s.strip() for body in sections for p in body.split("\n\n") for s in p.split(". ") if len(s) > 40]
    assert len(sentences) == len(set(sentences))


def test_every_story_is_told_in_its_own_words(tiny: Template) -> None:
    drafts = [write(tiny, story) for story in STORIES.values()]
    assert len({(d.title, d.abstract) for d in drafts}) == len(drafts)


def test_every_claim_is_told_with_its_sample_size(tiny: Template, story: Dossier) -> None:
    told = text(write(tiny, story))
    for each in story.claims:
        assert f"{{claim:{each.id}.{'n' if each.n else 'reason'}}}" in told


def test_only_a_supported_claim_makes_the_title_announce_a_gain(tiny: Template) -> None:
    assert " lowers the distance from home" in write(tiny, STORIES["supported"]).title
    assert "without support" in write(tiny, STORIES["none supported"]).title
    assert "did not survive" in write(tiny, STORIES["overturned"]).title
    assert "without a registered claim" in write(tiny, STORIES["nothing registered"]).title


def test_a_gain_that_outlived_its_cause_is_told_among_what_did_not_hold(tiny: Template) -> None:
    sections = prose(write(tiny, STORIES["overturned"]))
    assert "{claim:k1.challenges.0.estimate}" in sections["refuted"]
    assert "No claim stands" in sections["results"]


def test_an_unchallenged_claim_is_said_to_be_that(tiny: Template) -> None:
    sections = prose(write(tiny, STORIES["several supported"]))
    assert "No challenge of" in sections["results"]
    assert "was not settled" in sections["results"]


def test_a_deterministic_experiment_has_no_interval(tiny: Template) -> None:
    manifest = MANIFEST.replace("screen = 4", "screen = 4\ndeterministic = true")
    (tiny.root / "template.toml").write_text(manifest, encoding="utf-8")
    told = text(write(Template(tiny.root), STORIES["deterministic"]))
    assert ".interval}" not in told
    assert "single pair of executions" in told


@pytest.mark.parametrize("verdict", [Verdict.SUPPORTED, Verdict.REFUTED, Verdict.INCONCLUSIVE])
def test_too_few_pairs_for_an_interval_are_not_called_deterministic(tiny: Template, verdict: Verdict) -> None:
    story = dossier(claim(1, "i1", verdict).model_copy(update={"interval": None, "n": 5}))
    draft = write(tiny, story)
    assert "deterministic" not in text(draft)
    assert "{claim:k1.interval}" not in str(draft.model_copy(update={"title": ""}))
    assert draft_faults(draft, story, tiny) == ()


def test_a_repair_is_told_among_the_limits(tiny: Template) -> None:
    story = STORIES["supported"]
    mended = story.tried[0].model_copy(update={"repair": "STEPS went back to 550."})
    draft = write(tiny, story.model_copy(update={"tried": (mended, *story.tried[1:])}))
    assert "{tried:i1.repair}" in prose(draft)["limits"]


def test_the_team_says_who_wrote_and_that_no_model_did(tiny: Template, story: Dossier) -> None:
    limits = prose(write(tiny, story))["limits"]
    assert "drafted by the embedded team" in limits
    assert "no language model took part" in limits
