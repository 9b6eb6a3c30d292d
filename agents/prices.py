"""What tokens cost: a price from the settings, or the price list that ships with `genai-prices`, or unknown.

Unknown is None and never zero. Nothing here reaches the network: the list is the one of the installed version.
"""

from __future__ import annotations

from pydantic import Field

from agents.model import Usage
from agents.records import Record

_MILLION = 1_000_000


class Price(Record):
    """US dollars per million tokens; `cached` is for input read from the provider's cache, as `input` if not given."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)

    def of(self, usage: Usage) -> float:
        """Return the dollars that `usage` costs."""
        cached = min(usage.cached, usage.input)
        rate = self.input if self.cached is None else self.cached
        return ((usage.input - cached) * self.input + cached * rate + usage.output * self.output) / _MILLION


class Rate(Record):
    """How a model is charged: by `own` price where the settings give one, else by the list for `model` at `base_url`.

    `thinking` is how many tokens its answers may take beyond those that the caller allows.
    """

    model: str = ""
    base_url: str = ""
    own: Price | None = None
    thinking: int = Field(default=0, ge=0)

    def of(self, usage: Usage) -> float | None:
        """Return the dollars that `usage` costs, None if nobody knows."""
        if self.own is not None:
            return self.own.of(usage)
        return listed(self.model, self.base_url, usage) if self.model and self.base_url else None


def listed(model: str, base_url: str, usage: Usage) -> float | None:
    """Return the dollars that the provider at `base_url` takes for `usage` of `model`, None if it is not listed.

    A model is looked up at its provider only: the same name at somebody else's endpoint has another price.
    """
    # Its list takes a third of a second to load, which commands that only print must not pay for.
    from genai_prices import Usage as Counted
    from genai_prices import calc_price

    counted = Counted(
        input_tokens=usage.input, output_tokens=usage.output, cache_read_tokens=min(usage.cached, usage.input)
    )
    try:
        return float(calc_price(counted, model_ref=model, provider_api_url=base_url).total_price)
    except LookupError:
        return None
