"""Statistics and verdicts: what may be claimed. Pure, and the only code that may build a claim."""

from flows.evidence.challenges import attack_of, attack_title, judge_challenge, with_challenge
from flows.evidence.claims import build_claim, judge, rederive
from flows.evidence.closing import Closing, closing, e_bh
from flows.evidence.decide import Decision, decide, looks_taken
from flows.evidence.deviations import deviated, is_discovery
from flows.evidence.eprocess import confidence_sequence, e_values, pairs_needed
from flows.evidence.errors import ClaimRefused, DifferencesInvalid, EvidenceError, ExecutionsInvalid, PlanRefused
from flows.evidence.forecast import forecast
from flows.evidence.gate import ablations_due, check_plan
from flows.evidence.levels import next_level
from flows.evidence.location import Location
from flows.evidence.pairs import pair, paired_differences
from flows.evidence.plan import Register, Rules, check_seeds, freeze, freeze_challenge, rule_in_words
from flows.evidence.racing import Heat, Race, next_heat
from flows.evidence.rule import Ending
from flows.evidence.savings import Saved, saved
from flows.evidence.screen import Screened, bet_scale, screened

__all__ = [
    "ClaimRefused",
    "Closing",
    "Decision",
    "DifferencesInvalid",
    "Ending",
    "EvidenceError",
    "ExecutionsInvalid",
    "Heat",
    "Location",
    "PlanRefused",
    "Race",
    "Register",
    "Rules",
    "Saved",
    "Screened",
    "ablations_due",
    "attack_of",
    "attack_title",
    "bet_scale",
    "build_claim",
    "check_plan",
    "check_seeds",
    "closing",
    "confidence_sequence",
    "decide",
    "deviated",
    "e_bh",
    "e_values",
    "forecast",
    "freeze",
    "freeze_challenge",
    "is_discovery",
    "judge",
    "judge_challenge",
    "looks_taken",
    "next_heat",
    "next_level",
    "pair",
    "paired_differences",
    "pairs_needed",
    "rederive",
    "rule_in_words",
    "saved",
    "screened",
    "with_challenge",
]
