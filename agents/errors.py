"""Errors of the agents' floor.

AgentError                   the team could not do what it was asked
├── PatchFailed              an idea cannot be put into this source
├── TeamUnknown              no team of this name ships with hypoloop
├── ModelBudgetSpent         a cap on money or tokens does not allow the call
├── ModelSettingsWrong       the settings of a model cannot be used as they are
├── PriceUnknown             money is capped, and nobody knows what this model costs
├── StoredCallDamaged        a kept call is not what was kept
└── ModelError               a model gave no usable answer
    ├── ModelUnavailable     the endpoint cannot be reached, or fails for good
    ├── ModelRefused         it would not answer
    └── AnswerInvalid        it answered, and not what was asked for
        ├── AnswerEmpty      with nothing
        ├── AnswerTruncated  with a beginning
        └── AnswerLooping    with the same again and again
"""

from collections.abc import Sequence


class AgentError(Exception):
    """The team could not do what it was asked."""


class PatchFailed(AgentError):
    """An idea, a factor or an edit cannot be put into this source; the sentence says why."""


class TeamUnknown(AgentError):
    """No team of this name ships with hypoloop."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        """Name what was asked for and what there is."""
        self.name = name
        super().__init__(
            f"There is no team {name!r}. This version has: {', '.join(known)}. Set `team` to one of these."
        )


class ModelBudgetSpent(AgentError):
    """A cap on money or tokens does not allow the call."""

    def __init__(self, what: str, cap: float, left: float, wanted: float) -> None:
        """Name what is spent, its cap, what is left of it and what the call could take."""
        self.what, self.cap, self.left, self.wanted = what, cap, left, wanted
        super().__init__(
            f"The budget of {cap:g} {what} has {max(left, 0.0):g} left, and the next call could take {wanted:g}."
        )


class ModelSettingsWrong(AgentError):
    """The settings of a model cannot be used as they are."""


class PriceUnknown(AgentError):
    """Money is capped, and nobody knows what this model costs."""

    def __init__(self, model: str) -> None:
        """Name the model."""
        self.model = model
        super().__init__(
            f"The price of {model} is unknown, so a budget in dollars cannot be kept. Set its `price`, in dollars per "
            "million tokens (price = { input = 0.15, output = 0.6 }), or cap tokens instead of money."
        )


class StoredCallDamaged(AgentError):
    """A kept call is not what was kept: its file is torn or was edited."""

    def __init__(self, where: str, why: str) -> None:
        """Name the file and what is wrong with it."""
        self.where, self.why = where, why
        super().__init__(
            f"The stored call {where} is damaged: {why}. Put the file back from a copy, or delete it to buy the "
            "call again."
        )


class ModelError(AgentError):
    """A model gave no usable answer. `requests` were made in vain, and nothing came that is paid for by tokens."""

    requests: int = 0


class ModelUnavailable(ModelError):
    """The endpoint cannot be reached, answers with errors, or cuts off for too long; asking later may help."""

    def __init__(self, why: str, requests: int = 0) -> None:
        """Say why, and how many requests were made in vain."""
        self.requests = requests
        super().__init__(why)


class ModelRefused(ModelError):
    """The model would not answer."""

    def __init__(self, role: str, said: str) -> None:
        """Name the role that asked, and what the model said."""
        self.role, self.said = role, said
        super().__init__(f"The model of the {role} refused to answer: {said[:300]}")


class AnswerInvalid(ModelError):
    """The model answered, and not what was asked for."""

    def __init__(self, role: str, why: str) -> None:
        """Name the role that asked, and what is wrong."""
        self.role, self.why = role, why
        super().__init__(f"The model of the {role} answered with what cannot be used: {why}.")


class AnswerEmpty(AnswerInvalid):
    """The model answered with nothing."""


class AnswerTruncated(AnswerInvalid):
    """The model answered with a beginning."""


class AnswerLooping(AnswerInvalid):
    """The model answered with the same again and again."""
