"""Setting: the sections of a paper around its outcomes, from the introduction to the limits."""

from __future__ import annotations

from collections.abc import Sequence

from agents.embedded.story import Story, cited, listed, paragraphs, plural, titled
from agents.records import ChallengeKind, Claim, Lesson

TOLD = 3
"""Lessons that the discussion tells; all of them are in the journal."""


def introduction_section(story: Story) -> str:
    """Say what is asked, of what, and what this paper can and cannot contribute."""
    background = cited(story.template.manifest.source)
    return paragraphs(
        f"{{campaign:question}} This paper reports what one campaign of automated experiments has to say about it; "
        "the experiment is called \N{LEFT DOUBLE QUOTATION MARK}{template:title}\N{RIGHT DOUBLE QUOTATION MARK}. "
        f"The setting belongs to {{template:domain}} and rests on established work{background}; "
        "what is new here is not a method but a set of controlled comparisons.",
        "A search that tries many changes and reports the best of them will find improvements where there are none. "
        "The campaign therefore keeps two things apart. Exploring may look at anything on the data set aside for it. "
        "Claiming is left to hypotheses that were written down, with their least effect and their decision rule, "
        f"before the runs that decide them. {_preview(story)}",
    )


def _preview(story: Story) -> str:
    if story.supported:
        names = listed(titled(claim.idea) for claim in story.supported)
        rest = "" if len(story.supported) == len(story.dossier.claims) else ", and what failed is reported beside it"
        return f"What passed in this way is {names}{rest}."
    if story.overturned:
        names = listed(titled(claim.idea) for claim in story.overturned)
        return f"Here that mattered: {names} passed the registered test and was refuted by what came after it."
    if story.dossier.claims:
        return "In this campaign nothing passed in this way, which is reported here as the result it is."
    return "In this campaign no hypothesis got that far, and what follows is exploratory throughout."


def method_section(story: Story) -> str:
    """Say how the experiment works, how ideas were found, and by which rule a claim was decided."""
    metric = "{template:metric.name}"
    better = "lower is better" if story.improves == "lowers" else "higher is better"
    return paragraphs(
        f"{{template:method}} The metric of every comparison is the {story.metric} ({metric}; {better}).",
        "An idea applies one change, or several together, to the baseline's code, and predicts an improvement "
        "of at least {template:metric.least_effect} in the metric. The candidates of a round were raced on the search "
        "data: {template:seeds.screen} search seeds for each, then further ones where a plan could still be earned, "
        "and only what looked promising there was registered. "
        "A registration names candidate, comparator, metric, least effect, seeds and the looks at which the rule is "
        "applied; it entered the campaign's journal before the first of its runs.",
        _rule(story),
        "Candidate code ran in a sandbox ({campaign:sandbox}) and wrote data only. What scored these data ran apart "
        "from it, out of the candidate's sight and reach. Every execution has its seed, its commit and its outcome in "
        "the journal, so that each number in this text can be followed back to the runs it came from.",
    )


def _rule(story: Story) -> str:
    if story.deterministic:
        return (
            "The metric does not change with the seed. One execution of each side on the held-out data decides a "
            "registered hypothesis: it is supported when the improvement is at least the least effect, and refuted "
            "otherwise. There is no sampling error, hence no interval and no error rate; {campaign:alpha} was the "
            "level set for the campaign and no test had to spend any of it."
        )
    return (
        "A registered test pairs candidate and baseline on fresh seeds and on data held out from the search. It bets "
        "against the hypothesis that the paired differences are symmetric about zero; what the bets have earned is the "
        "e-value, which may be looked at as often as one likes without raising the rate of error. The levels of "
        "successive tests are set online so that the rate of false discoveries over the whole campaign is held at "
        "{campaign:alpha}, under any dependence between them. Intervals are valid at every sample size at once. "
        f"{_attacks(story)}"
    )


def _attacks(story: Story) -> str:
    kinds = {condition.kind for condition in story.template.manifest.conditions}
    told = [
        "What a test supports is challenged afterwards, on seeds of its own; all challenges of a claim are registered "
        "before the first of them runs. A combination meets the same code without each of its ingredients in turn, and "
        "if the gain remains without its claimed cause, the claim is refuted; for a single change the code without it "
        "is the baseline, so the challenge is a replication."
    ]
    if "control" in kinds:
        told.append("As a negative control both sides run where there is nothing to gain, so that none may be left.")
    if "change" in kinds:
        told.append(
            "Both sides also run under changed conditions; a gain that is ruled out there narrows the claim to the "
            "circumstances it was registered for."
        )
    return " ".join([*told, "A challenge can only take a claim away and is held at {campaign:alpha} itself."])


def discussion_section(story: Story) -> str:
    """Say what the outcome means, no further than it goes, and what to try next."""
    return paragraphs(_meaning(story), _lessons(story), _next(story))


def _meaning(story: Story) -> str:
    if story.supported:
        return " ".join([_mechanism(story, story.supported[0]), *_others(story, story.supported[1:])])
    if story.overturned:
        return _fallen(story.overturned[0])
    if story.refuted:
        return (
            "A refuted hypothesis is information: within the precision of these tests, the changes concerned do not "
            "bring what was expected of them here. It does not follow that they are without use at other sizes, "
            "budgets or settings, where nothing was run."
        )
    if story.dossier.claims and not story.measured:
        return (
            "The registered tests broke off before they measured anything, so there is no effect to discuss. Why they "
            "did is in the section before this one, and it concerns the code and not the hypothesis."
        )
    if story.dossier.claims:
        return (
            "An open verdict is not evidence of no effect. The tests ended without enough evidence in either "
            "direction, and a reader who needs the answer would have to register more seeds than this campaign did."
        )
    return (
        "That nothing was registered has two possible readings. The declared changes may not help, or the screen may "
        "have been too short to see that one does. The data here cannot tell these apart."
    )


def _fallen(claim: Claim) -> str:
    """Say what a claim that a challenge took away is an example of."""
    opening = f"The case of {titled(claim.idea)} shows what a challenge is for."
    kinds = {challenge.kind for challenge in claim.challenges if challenge.refutes}
    if ChallengeKind.ABLATION in kinds:
        return (
            f"{opening} A comparison with the baseline alone would have credited the change with a gain that the code "
            "also has without it. What else in the candidate makes the difference is an open question, and one that a "
            "new registration could decide."
        )
    if ChallengeKind.CONTROL in kinds:
        return (
            f"{opening} A difference that is there where nothing can be gained is made by something else than what was "
            "claimed, by the way of measuring for instance. What that is was not found out here."
        )
    return (
        f"{opening} A single test is wrong now and then, however it is levelled, and what is seen once may not be seen "
        "a second time."
    )


def _mechanism(story: Story, claim: Claim) -> str:
    shown = (
        "The challenge ties the difference to the change, but not to this account of it, which the metric cannot show."
        if any(challenge.survived and challenge.kind is ChallengeKind.ABLATION for challenge in claim.challenges)
        else "The tests speak of the difference only; this account of it was not tested."
    )
    return (
        f"The reason given for {titled(claim.idea)} before it was run is this{story.sources(claim)}: "
        f"\N{LEFT DOUBLE QUOTATION MARK}{{idea:{claim.idea}.mechanism}}\N{RIGHT DOUBLE QUOTATION MARK} {shown}"
    )


def _others(story: Story, claims: Sequence[Claim]) -> list[str]:
    return [
        f"For {titled(claim.idea)} it is{story.sources(claim)}: \N{LEFT DOUBLE QUOTATION MARK}"
        f"{{idea:{claim.idea}.mechanism}}\N{RIGHT DOUBLE QUOTATION MARK}"
        for claim in claims
    ]


def _lessons(story: Story) -> str:
    """Tell the firmest of the latest lessons; a belief is a guide for the search and no claim."""
    latest = {frozenset(lesson.factors): lesson for lesson in story.dossier.lessons}
    # What a registered test has spoken of is told by its claim.
    open_sets = {frozenset(t.idea.factors) for t in story.exploratory}
    firm = [latest[s] for s in latest if s in open_sets and latest[s].kind in ("helps", "hurts", "inert")]
    told = sorted(firm, key=_firmness, reverse=True)[:TOLD]
    if not told:
        return ""
    sentences = " ".join(f"{{lesson:{lesson.id}.statement}}" for lesson in told)
    beliefs = listed(f"{{lesson:{lesson.id}.belief}}" for lesson in told)
    return (
        "For its own guidance the search drew lessons from every screen. The firmest about what was not registered "
        f"{plural(len(told), 'is this', 'are these')}. {sentences} The search put the probability "
        "of a gain of half the least effect or more "
        f"at {beliefs}{plural(len(told), '', ', in this order')}. Beliefs of this kind are "
        "exploratory; they steer what is tried next and support no claim."
    )


def _firmness(lesson: Lesson) -> float:
    return abs(lesson.belief - 0.5)


def _next(story: Story) -> str:
    if story.inconclusive:
        names = listed(titled(claim.idea) for claim in story.inconclusive[:TOLD])
        return f"The most direct next step is another registered test of {names}, with more seeds, all of them fresh."
    if story.supported and any(challenge.kind is ChallengeKind.CHANGE for challenge in story.supported[0].challenges):
        return (
            "The conditions that were changed here are those that the template declares. Under others the extent of "
            "what is supported is unknown, and they are a natural next step."
        )
    if story.supported:
        return (
            "A natural next step is to repeat the supported comparison under changed conditions, a different size or "
            "budget, where its extent is unknown."
        )
    if story.dossier.claims:
        return "The declared changes that were not reached, and changes nobody declared, remain to be tried."
    return "A longer screen, or changes of another kind, would be the first thing to try."


def limits_section(story: Story) -> str:
    """Say what limits these conclusions: of the study, of the statistics, of the author."""
    own = " ".join(f"{{template:limits_of_study.{i}}}" for i in range(len(story.template.manifest.limits_of_study)))
    return paragraphs(own, _statistics(story), _repairs(story), author_told())


def _statistics(story: Story) -> str:
    if story.deterministic:
        return (
            "One deterministic comparison says what happens on this data and no other. How the difference varies over "
            "data of the same kind was not measured."
        )
    return (
        "The paired seeds capture the variation that seeds bring about, and nothing else: other machines, library "
        "versions or problem sizes were not sampled. The held-out data share their origin with the search data. The "
        "bound on false discoveries holds on average over campaigns; it is no statement about any single claim."
        f"{_power(story)}"
    )


def _power(story: Story) -> str:
    weak = [plan for plan in story.dossier.plans if plan.forecast is not None and plan.forecast.underpowered]
    if not weak:
        return ""
    return (
        " Of the registered plans {count:underpowered} "
        f"{plural(len(weak), 'was', 'were')} labelled underpowered beforehand: support at the least effect was less "
        "likely than not, so that an open verdict there says little."
    )


def _repairs(story: Story) -> str:
    mended = [t for t in story.dossier.tried if t.repair]
    if not mended:
        return ""
    told = " ".join(f"{{tried:{t.idea.id}.repair}}" for t in mended)
    return f"Some code did not run as first written and was changed once, after its crash and before its screen. {told}"


def author_told() -> str:
    """Return who wrote this, and what that means."""
    return (
        "This text was drafted by the embedded team of hypoloop. It chooses among changes that people declared and "
        "words what the evidence says; no language model took part, and no person has checked the argument. The ideas "
        "are therefore no better than the list they were drawn from."
    )
