"""A model behind any endpoint that speaks OpenAI's chat completions: OpenAI, Azure, vLLM, Ollama, OpenRouter, ..."""

from __future__ import annotations

from collections.abc import Mapping

from agents import completions
from agents.completions import Completion, Failed, without_key
from agents.dialects import Dialect, body
from agents.errors import ModelError, ModelRefused, ModelUnavailable
from agents.model import Call, Reply
from agents.model_settings import ModelSettings, key_of
from agents.retrying import Pace, again

__all__ = ["ModelSettings", "OpenAIModel", "open_model"]

_TOO_LONG = ("context length", "context_length", "context window", "too long", "request too large", "entity too large")
_NOT_ALLOWED = ("content_filter", "content filter", "content management policy", "content_policy", "moderation")
_NO_QUOTA = ("insufficient_quota", "exceeded your current quota", "billing_hard_limit")
_ADVICE = {
    401: " Check the key that `key_env` or `key_file` of this model names.",
    402: " Top up the account of its key.",
    403: " Check whether the key that `key_env` or `key_file` names may use this model.",
    404: " Check `base_url`, which often ends in /v1, and `model`.",
}


class OpenAIModel:
    """A model at an endpoint. Safe to share by threads.

    It learns once what dialect the endpoint speaks. Its key leaves it in the one header that needs it, and nowhere
    else: where an endpoint says the key, it is blotted out.
    """

    def __init__(self, settings: ModelSettings, key: str | None = None, pace: Pace | None = None) -> None:
        """Ask the model of `settings` with `key`, or without one where the endpoint wants none."""
        # The client takes long to load, which commands that only print must not pay for.
        from agents.wire import Wire

        self.name = settings.name
        self._settings, self._key, self._pace = settings, key, pace or Pace()
        self._wire = Wire(settings, key, self._pace)
        self._dialect = Dialect()

    def complete(self, call: Call) -> Reply:
        """Return what came back, be it of use or not; it was paid for.

        Requests that fail in passing are made again, up to `retries` times, as the endpoint asks or ever later.

        Raises:
            ModelUnavailable: nothing came back.
            ModelRefused: the endpoint does not take the call.
        """
        began, requests, failures = self._pace.clock(), 0, 0
        dialect = learned = self._dialect
        while True:
            requests += 1
            came = self._wire.send(self._body(call, dialect))
            if isinstance(came, Completion):
                self._dialect = learned
                return self._reply(call, came, requests, self._pace.clock() - began)
            poorer = dialect.without(call, came.said) if came.status in (400, 404, 422) else None
            if poorer is not None and not _declined(came):
                dialect = poorer
                # One schema that an endpoint does not take says nothing about the next.
                if "invalid schema" not in came.said.lower():
                    learned = learned.without(call, came.said) or learned
                continue
            failures += 1
            error = self._error(call, came, failures)
            if error is not None:
                error.requests = requests
                raise error
            self._pace.sleep(self._pace.backoff(failures) if came.wait_s is None else came.wait_s)

    def _body(self, call: Call, dialect: Dialect) -> dict[str, object]:
        settings = self._settings
        most = min(call.max_tokens, settings.max_tokens or call.max_tokens) + settings.thinking
        temperature = settings.temperature if call.temperature is None else call.temperature
        return body(call, dialect, most, temperature)

    def _reply(self, call: Call, came: Completion, requests: int, seconds: float) -> Reply:
        reply = completions.reply(call, came, self.name)
        text, served = (without_key(part, self._key) for part in (reply.text, reply.served))
        kept = {"text": text, "served": served, "requests": requests, "seconds": max(0.0, seconds)}
        return reply.model_copy(update=kept)

    def _error(self, call: Call, failed: Failed, failures: int) -> ModelError | None:
        """Return the error that ends a call after so many failures, None if the request can be made again."""
        said = failed.said.lower()
        if _declined(failed):
            return ModelRefused(call.role, failed.said)
        status = f"status {failed.status}, " if failed.status else ""
        why = f"{self.name} gives no answer: {status}{failed.said}"
        if failed.final or (failed.status and not again(failed.status)) or any(word in said for word in _NO_QUOTA):
            return ModelUnavailable(f"{why}.{_ADVICE.get(failed.status, '')}")
        if failures > self._settings.retries:
            return ModelUnavailable(f"{why}. That was request {failures}, and `retries` allows no more.")
        if failed.wait_s is not None and failed.wait_s > self._settings.timeout_s:
            return ModelUnavailable(f"{why}. It asks to wait {failed.wait_s:.0f} s, longer than `timeout_s` allows.")
        return None


def _declined(failed: Failed) -> bool:
    """Say whether the endpoint takes no such call, for its length or its content, while it may take others."""
    said = failed.said.lower()
    return failed.status in (400, 413, 422) and any(word in said for word in _TOO_LONG + _NOT_ALLOWED)


def open_model(settings: ModelSettings, environ: Mapping[str, str], pace: Pace | None = None) -> OpenAIModel:
    """Return the model of `settings`, its key taken from `environ` or a file.

    Raises:
        ModelSettingsWrong: its key is not where the settings say.
    """
    return OpenAIModel(settings, key_of(settings, environ), pace)
