"""A replay runs a campaign again on its stored answers: nothing is asked, nothing is bought, the same comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agents.errors import ModelUnavailable
from agents.literature.library import FILE, Library
from flows.commands.campaigns import run
from flows.errors import SettingsInvalid, TemplateChanged
from flows.ledger.errors import CampaignUnknown
from flows.replaying import FREE, replayed_spec
from flows.settings import CampaignSpec
from tests.agents.literature.making import work
from tests.thinking.ending import to_the_end
from tests.thinking.killing import SMALL, campaign
from tests.thinking.playing import NAME, LlmPlayed


def first(root: Path, **more: Any) -> LlmPlayed:
    """Play a campaign to its end."""
    return to_the_end(campaign(root, **(SMALL | more))[0])


def again(of: LlmPlayed, name: str = "again", **more: Any) -> LlmPlayed:
    """Return its replay, not yet played; whatever asks a model fails."""

    def nobody(call: object) -> str:
        raise AssertionError(f"a model was asked: {call}")

    made = LlmPlayed(of.root, nobody)
    made.spec = replayed_spec(of.home, NAME, name).model_copy(update=more)
    made.folder = of.home / "campaigns" / name
    return made


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> LlmPlayed:
    return first(tmp_path_factory.mktemp("original"))


@pytest.fixture(scope="module")
def replayed(original: LlmPlayed) -> LlmPlayed:
    return to_the_end(again(original))


def test_ideas_patches_scores_verdicts_and_prose_are_the_same(original: LlmPlayed, replayed: LlmPlayed) -> None:
    one, two = original.state, replayed.state
    for field in ("ideas", "rejected", "discarded", "screened", "finalists", "lessons", "draft", "reviews", "closed"):
        assert getattr(one, field) == getattr(two, field), field
    assert one.salt == two.salt
    assert [c.verdict for c in one.claims.values()] == [c.verdict for c in two.claims.values()] != []
    assert [(e.stage, e.seed, e.metrics) for e in one.executions.values()] == [
        (e.stage, e.seed, e.metrics) for e in two.executions.values()
    ]
    for before, after in zip(one.candidates.values(), two.candidates.values(), strict=True):
        assert original.workspace.sources(before.commit) == replayed.workspace.sources(after.commit)
        assert before.summary == after.summary


def test_nothing_is_bought_and_what_was_paid_stays_what_it_was(original: LlmPlayed, replayed: LlmPlayed) -> None:
    assert not replayed.model.calls
    assert replayed.state.calls == original.state.calls
    assert {p.name: p.read_bytes() for p in (original.folder / "calls").iterdir()} == {
        p.name: p.read_bytes() for p in (replayed.folder / "calls").iterdir()
    }
    assert any("nothing was bought" in text for text in replayed.state.notices)
    assert not any("nothing was bought" in text for text in original.state.notices)


def test_the_journal_says_what_is_replayed(replayed: LlmPlayed) -> None:
    (begun,) = replayed.of_kind("campaign")
    assert begun["spec"]["replay_of"] == NAME


def test_a_question_that_was_never_answered_ends_it_and_names_the_question(original: LlmPlayed) -> None:
    other = again(original, "other", llm=original.spec.llm.model_copy(update={"works": 0}), seed=99)
    with pytest.raises(ModelUnavailable, match="The recording has no answer of scripted@127.0.0.1 to the ideator"):
        other.play()


def test_an_interrupted_replay_goes_on_as_one(original: LlmPlayed, replayed: LlmPlayed) -> None:
    begun = again(original, "begun")
    begun.play(rounds=1)
    begun.spec = CampaignSpec.model_validate(begun.state.spec)
    to_the_end(begun, fence=2)
    assert begun.state.draft == replayed.state.draft
    assert not begun.model.calls


def test_it_reads_the_library_that_the_campaign_had(tmp_path: Path) -> None:
    before, since = work("On damping", "Of oscillators."), work("On oscillators", "Of damping.")
    Library(tmp_path / "home" / FILE).add([before])
    played = first(tmp_path)
    Library(played.home / FILE).add([since])
    made = to_the_end(again(played))
    assert Library(made.folder / FILE).all() == (before.entry,)
    assert made.state.draft == played.state.draft


def test_calls_that_the_budget_refused_are_refused_again(tmp_path: Path) -> None:
    """What was under way when they were refused is not when they are replayed."""
    capped = first(tmp_path, thoughts=4, budget={**SMALL["budget"], "money": 0.05})
    refused = sorted(text for text in capped.state.notices if "was not asked" in text)
    assert refused
    made = to_the_end(again(capped))
    assert sorted(text for text in made.state.notices if "was not asked" in text) == refused
    assert made.state.draft == capped.state.draft
    assert made.state.reviews == capped.state.reviews
    assert made.state.closed == capped.state.closed


def test_a_recording_that_forgets_what_was_refused_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capped = first(tmp_path, thoughts=4, budget={**SMALL["budget"], "money": 0.05})
    monkeypatch.setattr("flows.replaying.refusals", lambda events: {})
    with pytest.raises(ModelUnavailable):
        to_the_end(again(capped))


def test_what_the_file_may_set_otherwise_is_taken_from_it_and_anything_else_refused(original: LlmPlayed) -> None:
    free = original.spec.model_copy(update={"name": "mine", "slots": 7, "thoughts": 2})
    assert replayed_spec(original.home, NAME, "mine", free).slots == 7
    assert {"slots", "thoughts"} <= set(FREE)
    for change in ({"seed": 8}, {"alpha": 0.1}, {"budget": original.spec.budget.model_copy(update={"rounds": 3})}):
        with pytest.raises(SettingsInvalid, match=f"another campaign than 'thought': {next(iter(change))} differ"):
            replayed_spec(original.home, NAME, "mine", original.spec.model_copy(update=change))


def test_another_model_is_another_campaign_and_another_key_or_port_is_not(original: LlmPlayed) -> None:
    settings = original.spec.models["default"]
    elsewhere = settings.model_copy(update={"base_url": "http://127.0.0.1:77/v1", "key_env": "OTHER"})
    replayed_spec(original.home, NAME, "m", original.spec.model_copy(update={"models": {"default": elsewhere}}))
    better = settings.model_copy(update={"model": "better"})
    with pytest.raises(SettingsInvalid, match="models differ"):
        replayed_spec(original.home, NAME, "m", original.spec.model_copy(update={"models": {"default": better}}))


def test_a_template_that_was_changed_is_refused(tmp_path: Path) -> None:
    played, _ = campaign(tmp_path, **SMALL)
    played.play(rounds=1)
    readme = played.template.root / "workload" / "run.py"
    readme.write_text(readme.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    with pytest.raises(TemplateChanged):
        replayed_spec(played.home, NAME, "again")


def test_a_campaign_in_which_people_took_part_is_refused(tmp_path: Path) -> None:
    played, _ = campaign(tmp_path, **SMALL, mode="copilot")
    with played.opened():
        pass
    with pytest.raises(SettingsInvalid, match="People took part"):
        replayed_spec(played.home, NAME, "again")


def test_a_recording_that_is_gone_is_named(original: LlmPlayed, tmp_path: Path) -> None:
    with pytest.raises(CampaignUnknown, match="'nobody'"):
        replayed_spec(original.home, "nobody", "again")


def test_a_name_without_a_replay_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(run, ["--name", "new"], obj=str(tmp_path))
    assert done.exit_code == 2
    assert "--name goes with --replay" in done.output
