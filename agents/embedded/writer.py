"""Writer: drafts the paper from the evidence. Every number is a binding, so that nothing here can misquote one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agents.embedded.outcomes import refuted_section, results_section
from agents.embedded.setting import discussion_section, introduction_section, limits_section, method_section
from agents.embedded.story import Story, listed, of, plural, titled
from agents.records import ChallengeKind, Claim, Draft, Section
from agents.team import Dossier
from templates.template import Template

BY = "embedded"
AGAIN = (ChallengeKind.REPLICATION, ChallengeKind.ABLATION)
"""Challenges that are a repetition on further seeds too."""
SECTIONS: Mapping[str, tuple[str, Callable[[Story], str]]] = {
    "introduction": ("Introduction", introduction_section),
    "method": ("Method", method_section),
    "results": ("Results", results_section),
    "refuted": ("What did not hold", refuted_section),
    "discussion": ("Discussion", discussion_section),
    "limits": ("Limits", limits_section),
}


def write(template: Template, dossier: Dossier) -> Draft:
    """Return a draft whose story follows from the verdicts: what holds, what fell, or that nothing was registered."""
    story = Story(template, dossier)
    return Draft(
        title=title(story),
        abstract=abstract(story),
        sections=tuple(section(story, key) for key in SECTIONS),
        by=BY,
    )


def section(story: Story, key: str) -> Section:
    """Return the section `key`, one of `SECTIONS`."""
    heading, body = SECTIONS[key]
    return Section(key=key, title=heading, body=body(story))


def title(story: Story) -> str:
    """Return a title that claims what the evidence carries and no more."""
    if len(story.supported) == 1:
        test = "an exploratory test" if story.supported[0].exploratory else "a registered test"
        return f"{titled(story.supported[0].idea)} {story.improves} the {story.metric}: {test}"
    if story.supported:
        return f"{{template:title}}: {{count:supported}} registered changes that {story.improve} the {story.metric}"
    if story.overturned:
        return "{template:title}: a gain that did not survive its challenge"
    if story.dossier.claims:
        return f"{{template:title}}: registered tests without support for a change in the {story.metric}"
    return "{template:title}: an exploratory search without a registered claim"


def abstract(story: Story) -> str:
    """Return the abstract: question, design, sample sizes, verdict counts, what holds, and the price of finding it."""
    ideas = plural(story.dossier.attempts.ideas, "idea", "ideas")
    opening = f"{{campaign:question}} A campaign of automated experiments took this up with {{attempts:ideas}} {ideas}"
    if not story.dossier.claims:
        return (
            f"{opening}, each screened on {{template:seeds.screen}} search seeds or more. None of them went on to a "
            "registered test, so that {count:supported} hypotheses are supported, {count:refuted} refuted and "
            "{count:inconclusive} inconclusive, and this report makes no claim. It records what {attempts:executions} "
            "executions showed, all of it exploratory, for those who would try next."
        )
    registered = plural(len(story.dossier.claims), "one hypothesis", "{count:claims} hypotheses")
    design = (
        f"{opening} and registered {registered} before {plural(len(story.dossier.claims), 'its', 'their')} first "
        f"confirming run. {_design(story)} Of what was registered, {{count:supported}} ended supported, "
        "{count:refuted} refuted and {count:inconclusive} inconclusive."
    )
    price = (
        "The price of this answer was {attempts:executions} executions; each of them, failures included, is in the "
        "campaign's journal."
    )
    return " ".join([design, _outcome(story), price])


def _design(story: Story) -> str:
    if story.deterministic:
        return (
            "The outcome of this experiment does not depend on the seed, so that a single pair of executions, "
            "candidate and baseline, decides on data held out from the search."
        )
    return (
        "Candidate and baseline ran on the same fresh seeds, were scored on data held out from the search, and were "
        "compared by a sequential test that allows for every look taken."
    )


def _outcome(story: Story) -> str:
    if story.supported:
        return f"{_gains(story)}{_held(story)}"
    if story.overturned:
        claim = story.overturned[0]
        return (
            f"{titled(claim.idea)} first passed its test with a mean gain of {story.amount(of(claim, 'estimate'))} "
            f"({_sample(claim)}), yet did not survive its challenge; as stated, the hypothesis is refuted."
        )
    if not story.measured:
        return "No registered test came to a single complete pair of executions, so that no effect was measured."
    best = max(story.measured, key=lambda c: c.estimate)
    return (
        f"The most favourable estimate, that of {titled(best.idea)}, was a mean paired difference of "
        f"{story.amount(of(best, 'estimate'))} ({_sample(best)}; positive is better), and it carries no claim."
    )


def _gains(story: Story) -> str:
    first = story.supported[0]
    if len(story.supported) == 1:
        gain = story.amount(of(first, "estimate"))
        return f"{titled(first.idea)} {story.improves} the {story.metric} by {gain} ({_sample(first)})."
    better = "lowered" if story.improves == "lowers" else "raised"
    gains = (f"by {story.amount(of(c, 'estimate'))} with {titled(c.idea)} ({_sample(c)})" for c in story.supported)
    return f"Against the baseline the {story.metric} is {better} {listed(gains)}."


def _held(story: Story) -> str:
    held = [c for c in story.supported if any(made.survived and made.kind in AGAIN for made in c.challenges)]
    if not held:
        return ""
    them = f"The gain of {listed(map(_name, held))}"
    ablated = all(any(c.survived and c.kind is ChallengeKind.ABLATION for c in claim.challenges) for claim in held)
    gone = ", and went when the claimed cause was taken out" if ablated else ""
    return f" {them} was there again on further seeds{gone}."


def _name(claim: Claim) -> str:
    return titled(claim.idea)


def _sample(claim: Claim) -> str:
    beside = ", exploratory" if claim.exploratory else ""
    if claim.interval is None:
        return f"pairs of executions: {of(claim, 'n')}, no interval{beside}"
    return f"interval {of(claim, 'interval')}, {of(claim, 'n')} paired seeds{beside}"
