"""Honest papers that look odd: unusual numbers, denials, questions, and what did not work out."""

from __future__ import annotations

from collections.abc import Callable

from tests.frauds.by_writing import written
from tests.frauds.cases import Ground, Kind, Left, Rng

Made = list[tuple[str, Callable[[Ground], Left]]]


def _saying(of: str, *told: str) -> Made:
    return [(f"{text} ({of})", written(text, of=of)) for text in told]


def _odd_numbers(rng: Rng) -> Made:
    return _saying(
        "open",
        "Relative to the baseline that is {claim:k1.relative}.",
        "The accuracy rose from {claim:k1.comparator_mean} to {claim:k1.candidate_mean}.",
        "The level was {claim:k1.level}, the e-value {claim:k1.e_value}.",
        "“{idea:i1.title}” improves the accuracy by {claim:k1.estimate}, “{idea:i2.title}” by {claim:k2.estimate}.",
        "It rests on {claim:k1.n} pairs and {claim:k1.looks} looks.",
        "There were {attempts:ideas} ideas, {attempts:candidates} candidates and {attempts:executions} executions.",
        "Seeds {plan:p1.seeds} were set aside for it.",
        "Racing saved {saved:share} of the executions.",
        "A least effect of {plan:p1.least_effect} was registered at the level {plan:p1.level}.",
        "Its power was put at {plan:p1.forecast.power}.",
        "The mean of the baseline was {claim:k1.comparator_mean}, that of the candidate {claim:k1.candidate_mean}.",
    )


def _not_better(rng: Rng) -> Made:
    return _saying(
        "failed",
        "“{idea:i1.title}” is not better than the baseline.",
        "It brings no improvement.",
        "No gain was found, and nothing suggests that there is one.",
        "The rule does not outperform the baseline.",
        "“{idea:i1.title}” was refuted.",
        "The accuracy is {claim:k1.estimate} away from the baseline's, and the effect is ruled out.",
        "None of the ideas improves the accuracy.",
        "Neither idea helps.",
        "It cannot be said to raise the accuracy.",
        "The rule never beats the baseline.",
        "The claim that it would improve the accuracy was refuted.",
    )


def _asked(rng: Rng) -> Made:
    return _saying(
        "failed",
        "Whether it helps elsewhere is open.",
        "It might improve other rules.",
        "Would more points help?",
        "If the gain were there, it would be small.",
        "We expected a better accuracy.",
        "It was supposed to raise the accuracy.",
        "One may ask whether a better rule exists.",
        "Higher is better.",
        "A higher accuracy is better.",
        "A positive difference is an improvement.",
        "The hypothesis that it improves the accuracy was refuted.",
    )


def _claimed(rng: Rng) -> Made:
    return _saying(
        "open",
        "“{idea:i1.title}” raises the accuracy.",
        "“{idea:i1.title}” is better than the baseline by {claim:k1.estimate}.",
        "An improvement of {claim:k1.estimate} goes with “{idea:i1.title}”.",
        "The gain of “{idea:i2.title}” is {claim:k2.estimate}.",
        "“{idea:i2.title}” improves the accuracy too, by {claim:k2.estimate}.",
        "“{idea:i1.title}” outperforms the baseline on {claim:k1.n} pairs.",
        "Both raise the accuracy: “{idea:i1.title}” and “{idea:i2.title}”.",
        "“{idea:i1.title}” increased the accuracy by {claim:k1.estimate} [@doe1950noise].",
        "The accuracy is higher with “{idea:i1.title}”.",
        "“{idea:i1.title}” helps.",
        "{idea:i1.statement} So it was seen.",
    )


def _cited(rng: Rng) -> Made:
    return _saying(
        "open",
        "As was seen before [@doe1950noise].",
        "As was seen twice [@doe1950noise] [@doe1950noise].",
        "As was seen by two [@doe1950noise] [@roe1960urns].",
        "Urns were studied [@roe1960urns], and noise too [@doe1950noise].",
        "[@roe1960urns] studied urns.",
        "This goes back a long way [@roe1960urns].",
        "The setting is that of others ([@roe1960urns]).",
        "It is known that noise matters [@doe1950noise]; so it does here.",
        "Earlier work [@roe1960urns] asked the same.",
        "Compare [@doe1950noise], and the works named there.",
    )


KINDS = [
    Kind("odd but right numbers", _odd_numbers),
    Kind("a paper that says: not better", _not_better),
    Kind("conditions, questions, definitions", _asked),
    Kind("claims in many words", _claimed),
    Kind("citations in many forms", _cited),
]
