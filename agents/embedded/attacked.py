"""Attacked: the sentences on how claims were challenged and what became of them."""

from __future__ import annotations

from agents.embedded.story import Story, listed, of, plural, titled
from agents.records import Challenge, ChallengeKind, Claim


def challenges_told(story: Story, claim: Claim) -> str:
    """Return what came of the challenges of a supported claim, or that there was none, and what was left out."""
    if not claim.challenges:
        told = (
            f"No challenge of {titled(claim.idea)} was completed. That its difference from the baseline is due to the "
            "change as a whole is tested; which part of it matters is not."
        )
    else:
        told = " ".join(_told(story, claim, index, each) for index, each in enumerate(claim.challenges))
    loose = "Like the test itself, all of this is exploratory." if claim.exploratory else ""
    return " ".join(part for part in (told, _left_out(story, claim), loose) if part)


def exploratory_told(claim: Claim) -> str:
    """Return that a claim is exploratory, empty for one that was decided by its plan as it was frozen."""
    if not claim.exploratory:
        return ""
    return (
        f"The plan of this test was changed after it was frozen ({{plan:{claim.plan}.deviations.0.what}}), so that "
        "what it shows is exploratory and counts as no discovery."
    )


def _left_out(story: Story, claim: Claim) -> str:
    titles = story.dossier.left_out.get(claim.id, ())
    if not titles:
        return ""
    return f"The budget did not allow {listed(titles)}; the claim was not put to {plural(len(titles), 'it', 'them')}."


def overturned(story: Story, claim: Claim) -> str:
    """Return what a claim had shown, and the challenges that took it away."""
    sample = f", interval {of(claim, 'interval')}" if claim.interval else ""
    fatal = [(index, challenge) for index, challenge in enumerate(claim.challenges) if challenge.refutes]
    others = [index for index, challenge in enumerate(claim.challenges) if not challenge.refutes]
    told = [_fatal(claim, index, challenge) for index, challenge in fatal]
    if others:
        told.append("What else it was put to changes nothing in that and is in the table of challenges.")
    return (
        f"The test of {titled(claim.idea)} against the baseline ended in its favour, with a mean difference of "
        f"{story.amount(of(claim, 'estimate'))} over {of(claim, 'n')} pairs{sample}. The claim did not survive. "
        + " ".join(part for part in (*told, _left_out(story, claim), exploratory_told(claim)) if part)
    )


def _told(story: Story, claim: Claim, index: int, challenge: Challenge) -> str:
    """One challenge that did not refute."""
    at = f"challenges.{index}"
    interval = f", interval {of(claim, f'{at}.interval')}" if challenge.interval else ""
    seen, pairs = f"{of(claim, f'{at}.estimate')}{interval}", f"{of(claim, f'{at}.n')} pairs of further seeds"
    if challenge.kind is ChallengeKind.REPLICATION:
        return _repeated(challenge, seen, pairs, first=story.supported[:1] == (claim,))
    if challenge.kind is ChallengeKind.ABLATION:
        before = any(other.kind is ChallengeKind.ABLATION for other in claim.challenges[:index])
        return _ablated(challenge, of(claim, f"{at}.removed"), seen, pairs, first=not before)
    return _elsewhere(challenge, of(claim, f"{at}.condition"), seen, pairs)


def _repeated(challenge: Challenge, seen: str, pairs: str, *, first: bool) -> str:
    if challenge.survived and not first:
        return f"A replication on {pairs} finds the gain ({seen}) again."
    if challenge.survived:
        return (
            f"The test was then repeated on {pairs}, and the gain ({seen}) is there again. The change is a single one, "
            "so the code without it is the baseline: this is a replication, and it says nothing about why the change "
            "works."
        )
    return f"A repetition was not settled by {pairs} ({seen}), so the gain rests on the first test alone."


def _ablated(challenge: Challenge, removed: str, seen: str, pairs: str, *, first: bool) -> str:
    setup = f"the candidate ran against the same code without {removed}"
    if challenge.survived and not first:
        return f"Against the code without {removed} the gain ({seen} on {pairs}) is there too."
    if challenge.survived:
        return (
            f"The claim was then challenged: on {pairs} {setup}. The gain over that code ({seen}) is there again, so "
            "it goes when its claimed cause is taken out."
        )
    return (
        f"A challenge, in which {setup}, was not settled by {pairs} ({seen}). The claim stands; that the claimed cause "
        "is behind it rests on the first test alone."
    )


def _elsewhere(challenge: Challenge, condition: str, seen: str, pairs: str) -> str:
    if challenge.kind is ChallengeKind.CONTROL:
        if challenge.survived:
            return (
                f"As a negative control both sides ran with {condition}, where there is nothing to gain: on {pairs} no "
                f"gain of the registered size is left ({seen})."
            )
        return f"A negative control, with {condition}, was not settled by {pairs} ({seen})."
    if challenge.survived:
        return f"With {condition} the gain is there too ({seen} on {pairs})."
    if challenge.narrows:
        return (
            f"With {condition}, however, a gain of the registered size is ruled out ({seen} on {pairs}); the claim "
            "holds for the registered circumstances and is not to be carried over to these."
        )
    return f"Whether it is there with {condition} was not settled by {pairs} ({seen})."


def _fatal(claim: Claim, index: int, challenge: Challenge) -> str:
    at = f"challenges.{index}"
    seen, pairs = of(claim, f"{at}.estimate"), f"{of(claim, f'{at}.n')} pairs of further seeds"
    if challenge.kind is ChallengeKind.REPLICATION:
        return (
            f"On {pairs} the mean was {seen}, and a gain of the registered size is ruled out there. A result that does "
            "not repeat is refuted as stated."
        )
    if challenge.kind is ChallengeKind.CONTROL:
        return (
            f"With {of(claim, f'{at}.condition')} there is nothing to gain, and on {pairs} the gain ({seen}) was there "
            "all the same: whatever is measured is not what was claimed, and the hypothesis is refuted as stated."
        )
    return (
        f"Against the same code without {of(claim, f'{at}.removed')} the mean gain was {seen} on {pairs}, and one of "
        "the registered size is ruled out: the code is as good when the claimed cause is gone. Something made a "
        "difference to the baseline, but not for the reason that was registered, and so the hypothesis is refuted as "
        "stated."
    )
