from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from agents.records import Verdict
from flows.commands.bench import bench
from flows.evidence import Race, Register, decide, freeze
from flows.evidence.eprocess import Floats
from flows.evidence.simulation import page
from flows.evidence.simulation.campaigns import BASELINE, Campaign, Ours, Result, _named, imagined, peeking_t, raced
from flows.evidence.simulation.nulls import CENTRE, MEAN, MEDIAN, nulls
from flows.evidence.simulation.page import Origin, Size, markdown, sections
from flows.evidence.simulation.rules import giving_up
from flows.evidence.simulation.sections import Section, Share
from flows.evidence.simulation.studies import NOTHING, PLANTED, Job, figures
from flows.evidence.simulation.type_one import methods, peeking

TINY = Size(campaigns=1, samples=20)


def campaign(seed: int = 1, effects: tuple[float, ...] = PLANTED) -> Campaign:
    return imagined(np.random.default_rng(seed), effects)


def test_shares_carry_the_exact_interval() -> None:
    low, high = Share(3, 200).interval
    expected = stats.binomtest(3, 200).proportion_ci(method="exact")
    assert (low, high) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert str(Share(0, 200)) == "0.000 [0.000, 0.018]"


@pytest.mark.parametrize("null", nulls(), ids=lambda null: null.name)
def test_a_null_is_what_it_says(null: object) -> None:
    assert hasattr(null, "draw")
    d: Floats = null.draw(np.random.default_rng(5), (40_000, 4))[:, -1]
    error = d.std() / 200
    if MEAN in null.true and "Student" not in null.name:
        assert d.mean() <= 4 * error
    if MEDIAN in null.true:
        assert (d > 0).mean() <= 0.5 + 4 * 0.0025
    if CENTRE in null.true:
        assert stats.ks_2samp(d[:20_000], -d[20_000:]).pvalue > 1e-4
    if null.bound is not None:
        assert np.abs(d).max() <= null.bound


def test_imagined_campaigns_have_the_effects_they_are_given() -> None:
    made = campaign()
    assert sorted(made.effects) == sorted(PLANTED)
    noise = np.concatenate([(each.confirm - each.effects[:, None]).ravel() for each in map(campaign, range(20))])
    assert (noise.mean(), noise.std()) == (pytest.approx(0.0, abs=0.02), pytest.approx(1.0, abs=0.02))
    screens = np.stack([each.screen - each.effects[:, None] for each in map(campaign, range(40))])
    assert screens.std() == pytest.approx(1.0, abs=0.05)
    assert np.corrcoef(screens[:, 0].ravel(), screens[:, 1].ravel())[0, 1] == pytest.approx(0.5, abs=0.15)


def test_a_simulated_campaign_is_what_freeze_and_decide_say() -> None:
    """Carried out here by hand, plan after plan: the same claims at the same price."""
    made, conduct = campaign(3), Ours()
    plans, found, executions = [], set(), 0
    for index in range(len(made.effects)):
        register = Register(plans, found, range(1, 10))
        plan = freeze(conduct.rules, register, *_named(index), BASELINE, 1.0)
        decision = decide(plan, list(made.confirm[index]))
        plans.append(plan)
        executions += 2 * decision.n
        if decision.verdict is Verdict.SUPPORTED:
            found.add(plan.id)
    result = conduct(made)
    assert [f"p{k + 1}" for k in np.flatnonzero(result.claimed)] == sorted(found, key=lambda id_: int(id_[1:]))
    assert result.executions == executions
    assert result.confirmed.all()
    assert len({plan.level for plan in plans}) == len(found) + 1


def test_a_screen_spends_what_it_runs_and_confirms_what_passed() -> None:
    made = campaign(4)
    seen, spent = raced(Race(), made.screen)
    result = Ours(horizon=8, race=Race())(made)
    passed = sum(each.passed for each in seen.values())
    assert result.executions > spent
    assert result.confirmed.sum() <= min(passed, 8)
    assert spent < 10 * 21


def test_peeking_stops_at_the_first_success() -> None:
    d = np.array([[1.0, 1.1, 0.9, 1.0], [1.0, -1.0, 1.0, -1.0]])
    assert list(peeking(d).any(axis=-1)) == [True, False]
    still = Campaign(np.zeros(2), np.zeros((2, 9)), np.tile(d, (1, 10)))
    assert peeking_t(still).executions == 2 * (3 + 20)


def test_figures_are_those_of_the_campaigns() -> None:
    def claims_all(made: Campaign) -> Result:
        everything = np.ones(20, dtype=np.bool_)
        return Result(everything, everything, 400)

    made = figures(Job("all", claims_all, PLANTED, 1, 3))
    assert (made.fdr, made.any_false.hits, float(made.found.mean())) == (pytest.approx(0.9), 3, 1.0)
    assert (made.saved, made.saved_shared) == (pytest.approx(0.5), pytest.approx(1 - 400 / 420))
    assert figures(Job("all", claims_all, NOTHING, 1, 3)).fdr == 1.0


def test_every_method_says_what_it_promises_for() -> None:
    promised = {
        method.name: [null.name for null in nulls() if method.needs <= null.true]
        for method in methods(np.random.default_rng(1))
    }
    assert promised["paired t, one look"] == ["normal"]
    assert "rare catastrophes, mean zero" in promised["mean, any look"]
    assert "rare catastrophes, mean zero" not in promised["centre, any look"]
    assert promised["paired t, peeking"] == []


@pytest.fixture(scope="module")
def made() -> list[Section]:
    return sections(1, TINY, map)


def test_the_same_seed_gives_the_same_figures() -> None:
    one, same, other = (figures(Job("raced", Ours(horizon=8, race=Race()), PLANTED, seed, 1)) for seed in (1, 1, 2))
    assert (one.used, one.fdr) == (same.used, same.fdr)
    assert one.used != other.used
    tables = [giving_up(np.random.default_rng(seed), 50).tables for seed in (1, 1, 2)]
    assert tables[0] == tables[1] != tables[2]


def test_the_page_names_where_it_comes_from_and_holds_every_section(made: list[Section]) -> None:
    text = markdown(made, Origin("hypoloop bench evidence --seed 1", 1, "0.1.0", "2026-01-02"))
    for part in (
        "`hypoloop bench evidence --seed 1`, seed 1, hypoloop 0.1.0, 2026-01-02",
        "| method |",
        "peeking t-test",
    ):
        assert part in text
    assert text.count("\n## ") - 1 == len(made) == 5
    for section in made:
        assert all(len(row) == len(table.head) for table in section.tables for row in table.rows)


def test_the_page_says_where_frauds_and_their_price_are_measured(made: list[Section]) -> None:
    text = markdown(made, Origin("hypoloop bench evidence", 1, "0.1.0", "2026-01-02"))
    last = text.rpartition("\n## ")[2]
    assert "[frauds.md](frauds.md)" in last
    assert "[integrity.md](integrity.md)" in last


def test_the_command_prints_the_tables_and_writes_the_page(
    made: list[Section], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(page, "sections", lambda *given: asked.append(given[:2]) or made)
    path = tmp_path / "evidence.md"
    done = CliRunner().invoke(bench, ["evidence", "--quick", "--seed", "3", "--write", str(path)])
    assert done.exit_code == 0, done.output
    assert asked == [(3, page.QUICK)]
    assert "When nothing works" in done.output
    assert f"Written: {path}" in done.output.replace("\n", "")
    assert "Written by `hypoloop bench evidence --quick --seed 3`, seed 3" in path.read_text(encoding="utf-8")
