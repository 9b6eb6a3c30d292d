"""Errors of the evidence package.

EvidenceError
├── DifferencesInvalid     paired differences that are no finite numbers, or more of them than were registered
├── PlanRefused            a pre-registration that may not be frozen, or a registered plan that is no rule
├── ExecutionsInvalid      the executions are not the ones the plan registered
└── ClaimRefused           the evidence allows no claim, or the claim no challenge
"""


class EvidenceError(Exception):
    """Evidence that cannot be judged; no verdict follows from it."""


class DifferencesInvalid(EvidenceError):
    """Paired differences that are no finite numbers, or more of them than were registered."""


class PlanRefused(EvidenceError):
    """A pre-registration that may not be frozen, or a registered plan that is no rule."""


class ExecutionsInvalid(EvidenceError):
    """The executions are not the ones the plan registered."""


class ClaimRefused(EvidenceError):
    """The evidence allows no claim, or the claim no challenge."""
