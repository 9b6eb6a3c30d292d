"""Outcomes: the sections of a paper that say what held and what did not."""

from __future__ import annotations

from agents.embedded.attacked import challenges_told, exploratory_told, overturned
from agents.embedded.story import Story, listed, of, paragraphs, plural, titled
from agents.records import Claim
from agents.team import Tried

NAMED = 3
"""Ideas of one kind of exploratory outcome that are named; the rest are in the tables."""


def results_section(story: Story) -> str:
    """Say what the registered tests support, at what price, and what happened when it was challenged."""
    if not story.dossier.claims:
        return paragraphs(_nothing_registered(story), _survivors(story))
    if not story.supported:
        return paragraphs(_nothing_held(story), price_told(story), _survivors(story))
    told = (claim_told(story, claim) for claim in story.supported)
    return paragraphs(_verdicts(story), *told, price_told(story), _survivors(story))


def refuted_section(story: Story) -> str:
    """Say what the tests or a challenge refuted, what stayed open, and what did not get as far as a test."""
    fell = (*story.overturned, *story.refuted, *story.inconclusive)
    told = paragraphs(*(claim_told(story, claim) for claim in fell))
    if not told and story.dossier.claims:
        told = (
            "Every hypothesis that was registered is supported, which says as much about the screen that chose them as "
            "about the ideas: what looked unpromising was never put to a test."
        )
    return paragraphs(told, _set_aside(story)) or "No hypothesis was registered and no idea was set aside."


def _verdicts(story: Story) -> str:
    many = "The {count:claims} registered hypotheses"
    return (
        f"{plural(len(story.dossier.claims), 'The one registered hypothesis', many)} came to these verdicts: "
        "{count:supported} supported, {count:refuted} refuted, {count:inconclusive} inconclusive. Differences are "
        "candidate against baseline, signed so that a positive one is an improvement."
    )


def claim_told(story: Story, claim: Claim) -> str:
    """Return the paragraphs on one claim, however it ended; of several that ended alike, the wording varies."""
    if claim in story.supported:
        gain = _gain_once(story, claim) if claim.deterministic else _gain(story, claim)
        return paragraphs(
            " ".join(part for part in (gain, exploratory_told(claim)) if part), challenges_told(story, claim)
        )
    if claim in story.overturned:
        return overturned(story, claim)
    told = _refuted(story, claim) if claim in story.refuted else _inconclusive(story, claim)
    return " ".join(part for part in (told, exploratory_told(claim)) if part)


def _gain(story: Story, claim: Claim) -> str:
    index = story.supported.index(claim)
    gain, interval = story.amount(of(claim, "estimate")), of(claim, "interval")
    means = f"{of(claim, 'comparator_mean')} for the baseline and {of(claim, 'candidate_mean')} for the candidate"
    looks = plural(claim.looks, "one look", f"{of(claim, 'looks')} looks")
    if claim.interval is None:
        return (
            f"{of(claim, 'statement')} The pairs, {of(claim, 'n')} of them, are too few for an interval. Their mean "
            f"improvement is {gain}; the mean {story.metric} is {means}. The evidence against no improvement amounts "
            f"to an e-value of {of(claim, 'e_value')} at a level of {of(claim, 'level')}."
        )
    if index == 0:
        relative = f", {of(claim, 'relative')} of the baseline's mean" if claim.relative is not None else ""
        return (
            f"{of(claim, 'statement')} Over {of(claim, 'n')} paired seeds the mean improvement is {gain}{relative}, "
            f"with an interval of {interval}; the mean {story.metric} is {means}. The evidence against no improvement "
            f"amounts to an e-value of {of(claim, 'e_value')} after {looks}, where the level granted to this test "
            f"was {of(claim, 'level')}.{_registered(story, claim)}"
        )
    if index % 2:
        return (
            f"A separate test bears out {titled(claim.idea)}. Its interval, {interval}, lies around a mean "
            f"improvement of {gain} on {of(claim, 'n')} paired seeds, with means of {means}. The e-value stood at "
            f"{of(claim, 'e_value')} when the test ended, for a level of {of(claim, 'level')}."
        )
    return (
        f"{of(claim, 'statement')} Here {of(claim, 'n')} pairs were enough: {gain} on average, interval {interval}, "
        f"e-value {of(claim, 'e_value')} at a level of {of(claim, 'level')}."
    )


def _registered(story: Story, claim: Claim) -> str:
    plan = story.plan(claim)
    if plan is None:
        return ""
    return f" The least effect registered beforehand was {story.amount(f'{{plan:{plan.id}.least_effect}}')}."


def _gain_once(story: Story, claim: Claim) -> str:
    return (
        f"{of(claim, 'statement')} The workload is deterministic, so {of(claim, 'n')} execution per side decides: "
        f"{of(claim, 'comparator_mean')} for the baseline, {of(claim, 'candidate_mean')} for the candidate, an "
        f"improvement of {story.amount(of(claim, 'estimate'))}. No interval belongs to it, because nothing varies that "
        "an interval could describe."
    )


def _nothing_held(story: Story) -> str:
    if story.overturned:
        names = listed(titled(claim.idea) for claim in story.overturned)
        return (
            f"No claim stands at the end of this campaign. {names} passed the registered test against the baseline and "
            "fell to the challenge that followed; the next section gives the numbers. Of all registered hypotheses, "
            "{count:refuted} ended refuted and {count:inconclusive} inconclusive."
        )
    one = "The one hypothesis that was registered was not supported"
    many = "None of the {count:claims} hypotheses that were registered was supported"
    reach = (
        "This answers the question only for the changes and the sample sizes that were tried; an effect below what "
        "these tests can see remains possible."
        if story.measured
        else "As no test came to a single complete pair, the question is as open as before."
    )
    return (
        f"{plural(len(story.dossier.claims), one, many)}: the verdicts are {{count:refuted}} refuted and "
        f"{{count:inconclusive}} inconclusive. {reach}"
    )


def _nothing_registered(story: Story) -> str:
    return (
        "No hypothesis went on to a registered test, so this section has no claims to report. The campaign proposed "
        "{attempts:ideas} ideas, put {attempts:candidates} into code and ran {attempts:executions} executions, "
        "the baseline's among them. At the screen {count:screened} ideas were set aside and {count:crashed} crashed."
    )


def price_told(story: Story) -> str:
    """Return how much was tried to reach these verdicts."""
    last = story.dossier.claims[-1]
    return (
        "These verdicts must be read with what was tried to reach them. Up to the last of them the campaign had "
        f"proposed {of(last, 'attempts.ideas')} ideas and run {of(last, 'attempts.executions')} executions; the whole "
        "campaign comes to {attempts:ideas} ideas, {attempts:candidates} candidates and {attempts:executions} "
        f"executions. {_saved(story)}{_corrected(story)}"
    )


def _saved(story: Story) -> str:
    made = story.dossier.saved
    if made is None or made.share <= 0:
        return ""
    return (
        "Seeds were spent where a decision needed them: the screen and the tests came to {saved:used} executions, "
        "where a design with a fixed number of seeds would have taken {saved:fixed}. "
    )


def _corrected(story: Story) -> str:
    if story.deterministic:
        return "With no chance in the outcome there is no error rate to hold; the choice among ideas remains a choice."
    return "The level of each test was set so that the rate of false discoveries over all of them stays in bounds."


def _survivors(story: Story) -> str:
    """Exploratory gains, said to be that."""
    passed = [t for t in story.exploratory if t.outcome == "survived" and t.effect is not None]
    if not passed:
        return ""
    best = sorted(passed, key=lambda t: -(t.effect or 0.0))[:NAMED]
    seen = listed(f"{titled(t.idea.id)} ({story.amount(_seen(t))})" for t in best)
    opening = "Beyond the registered tests, the screen" if story.dossier.claims else "The screen"
    return (
        f"{opening} looked favourably on {seen}. These differences are exploratory: they "
        "come from few search seeds, on data the search could see, and were never put to a registered test."
    )


def _refuted(story: Story, claim: Claim) -> str:
    if claim.deterministic:
        return (
            f"{of(claim, 'statement')} The difference was {story.amount(of(claim, 'estimate'))} on {of(claim, 'n')} "
            "pair, and in a deterministic experiment that settles it."
        )
    if claim.interval is None:
        return (
            f"{of(claim, 'statement')} The pairs, {of(claim, 'n')} of them, are too few for an interval. Their mean "
            f"difference was {story.amount(of(claim, 'estimate'))}. {of(claim, 'reason')}"
        )
    if story.refuted.index(claim) % 2:
        return (
            f"Nor did {titled(claim.idea)} reach its registered effect. Its mean difference was "
            f"{story.amount(of(claim, 'estimate'))} (interval {of(claim, 'interval')}, {of(claim, 'n')} pairs)."
        )
    return (
        f"{of(claim, 'statement')} On {of(claim, 'n')} pairs the mean difference was "
        f"{story.amount(of(claim, 'estimate'))}, interval {of(claim, 'interval')}. {of(claim, 'reason')}"
    )


def _inconclusive(story: Story, claim: Claim) -> str:
    if claim.n == 0:
        return f"The test of {titled(claim.idea)} could not be carried out. {of(claim, 'reason')}"
    found = f"{story.amount(of(claim, 'estimate'))}"
    sample = f", with an interval of {of(claim, 'interval')}" if claim.interval else ""
    if story.inconclusive.index(claim) % 2:
        return (
            f"The question stays open for {titled(claim.idea)} too: {found} on average over {of(claim, 'n')} pairs"
            f"{sample}."
        )
    short = "fell short of what" if claim.e_value * claim.level < 1 else "reached what"
    return (
        f"{titled(claim.idea)} was left undecided after {of(claim, 'n')} pairs. The mean difference was {found}"
        f"{sample}, and the e-value {of(claim, 'e_value')} {short} the level {of(claim, 'level')} asks for. "
        f"{of(claim, 'reason')}"
    )


def _set_aside(story: Story) -> str:
    """Exploratory failures: they are part of the record, and they warn whoever comes next."""
    crashed = [t for t in story.exploratory if t.outcome == "crashed"]
    screened = [t for t in story.exploratory if t.outcome == "screened" and t.effect is not None]
    told = []
    if screened:
        worst = sorted(screened, key=lambda t: t.effect or 0.0)[:NAMED]
        seen = listed(f"{titled(t.idea.id)} ({story.amount(_seen(t))})" for t in worst)
        least = plural(len(screened), "one idea", "{count:screened} ideas")
        told.append(
            f"The screen set aside {least} before any registered test; the least favourable differences there were "
            f"those of {seen}. They are exploratory, and an idea that was set aside is not thereby refuted."
        )
    if crashed:
        names = listed(titled(t.idea.id) for t in crashed[:NAMED])
        more = " and others" if len(crashed) > NAMED else ""
        told.append(f"No result came from {names}{more}: the code did not run to its end.")
    return " ".join(told)


def _seen(tried: Tried) -> str:
    return f"{{tried:{tried.idea.id}.effect}}"
