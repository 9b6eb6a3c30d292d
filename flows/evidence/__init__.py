"""Statistics and verdicts: what may be claimed. Pure, and the only code that may build a claim."""

from flows.evidence.claims import build_claim, judge, judge_challenge, rederive, with_challenge
from flows.evidence.decide import Decision, Ending, decide, looks_taken
from flows.evidence.eprocess import confidence_sequence, e_values
from flows.evidence.errors import ClaimRefused, DifferencesInvalid, EvidenceError, ExecutionsInvalid, PlanRefused
from flows.evidence.levels import next_level
from flows.evidence.pairs import pair, paired_differences
from flows.evidence.plan import Register, Rules, check_seeds, freeze, freeze_challenge, pairs_needed, rule_in_words
from flows.evidence.screen import Screened, bet_scale, screened

__all__ = [
    "ClaimRefused",
    "Decision",
    "DifferencesInvalid",
    "Ending",
    "EvidenceError",
    "ExecutionsInvalid",
    "PlanRefused",
    "Register",
    "Rules",
    "Screened",
    "bet_scale",
    "build_claim",
    "check_seeds",
    "confidence_sequence",
    "decide",
    "e_values",
    "freeze",
    "freeze_challenge",
    "judge",
    "judge_challenge",
    "looks_taken",
    "next_level",
    "pair",
    "paired_differences",
    "pairs_needed",
    "rederive",
    "rule_in_words",
    "screened",
    "with_challenge",
]
