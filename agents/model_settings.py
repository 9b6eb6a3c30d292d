"""The settings of a model: where it is, what it is called, where its key comes from, what it costs."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, JsonValue, field_validator, model_validator

from agents.errors import ModelSettingsWrong
from agents.prices import Price, Rate
from agents.records import Record

_RESERVED = frozenset(
    {"model", "messages", "max_tokens", "max_completion_tokens", "response_format", "temperature", "stream", "n"}
)


class ModelSettings(Record):
    """One model at one endpoint, as `[models.<role>]` says it.

    The key is never in the settings: they name the environment variable (`key_env`) or the file (`key_file`) that holds
    it, or neither where the endpoint wants none. `timeout_s` is for one request, and the longest wait before another;
    `retries` is how many requests may follow one that failed in passing. `max_tokens` caps what any role allows an
    answer; `thinking` tokens are granted on top, for models that reason before they answer and are charged for it.
    `api_version` is Azure's, for its dated interface. `extra_body` goes into every request as it is.
    """

    # A wrong address may hold a password, which no error must repeat.
    model_config = ConfigDict(hide_input_in_errors=True, protected_namespaces=())

    base_url: str
    model: str = Field(min_length=1, max_length=200)
    key_env: str | None = None
    key_file: Path | None = None
    timeout_s: float = Field(default=300.0, gt=0, le=3600)
    retries: int = Field(default=4, ge=0, le=20)
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)
    thinking: int = Field(default=0, ge=0)
    price: Price | None = None
    allow_http: bool = False
    api_version: str | None = Field(default=None, pattern=r"^[0-9a-z-]+$")
    extra_body: Mapping[str, JsonValue] = Field(default_factory=dict)

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise ValueError("this is no address; write it like https://api.openai.com/v1") from None
        if parts.scheme not in ("http", "https") or not host:
            raise ValueError("an address begins with https:// and a host, like https://api.openai.com/v1")
        if "@" in parts.netloc:
            raise ValueError("an address holds no login; put the key into a variable or file and name it in key_env")
        if parts.path.rstrip("/").endswith("/chat/completions"):
            raise ValueError("leave out /chat/completions; the address often ends in /v1")
        if parts.query or parts.fragment:
            raise ValueError("an address ends with its path; leave out what follows ? or #")
        return url.rstrip("/")

    @field_validator("key_env")
    @classmethod
    def _a_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError("name the variable that holds the key, such as OPENAI_API_KEY; the key itself stays out")
        return name

    @field_validator("extra_body")
    @classmethod
    def _adds_only(cls, extra: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        taken = sorted(_RESERVED & extra.keys())
        if taken:
            raise ValueError(f"extra_body cannot set {', '.join(taken)}, which hypoloop sets itself")
        return extra

    @model_validator(mode="after")
    def _keeps_the_key(self) -> Self:
        if self.key_env and self.key_file:
            raise ValueError("set key_env or key_file, not both")
        if urlsplit(self.base_url).scheme == "http" and not self.allow_http and not self.local:
            raise ValueError(
                "over http anybody on the way can read the key and the prompts; use https, or set allow_http = true "
                "for a network that you trust"
            )
        return self

    @property
    def host(self) -> str:
        """Return the host of the endpoint."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def local(self) -> bool:
        """Return whether the endpoint is this machine."""
        return _loopback(self.host)

    @property
    def name(self) -> str:
        """Return what the store and the prices call this model: `model@host`, whatever the port."""
        return f"{self.model}@{self.host}"

    @property
    def rate(self) -> Rate:
        """Return how it is charged."""
        return Rate(model=self.model, base_url=self.base_url, own=self.price, thinking=self.thinking)


def rates(models: Iterable[ModelSettings]) -> dict[str, Rate]:
    """Return how the models are charged, by name. Settings of one name share a rate: the most `thinking` counts.

    Raises:
        ModelSettingsWrong: two settings give one model two prices.
    """
    found: dict[str, Rate] = {}
    for settings in models:
        rate, known = settings.rate, found.get(settings.name)
        if known is not None and known.own != rate.own:
            raise ModelSettingsWrong(
                f"{settings.name} has two prices in the settings. Give it the same one in each table."
            )
        most = max(rate.thinking, known.thinking if known else 0)
        found[settings.name] = rate.model_copy(update={"thinking": most})
    return found


def key_of(settings: ModelSettings, environ: Mapping[str, str]) -> str | None:
    """Return the key, None where the settings name none.

    Raises:
        ModelSettingsWrong: the variable is not set, the file cannot be read, or what is there can be no key.
    """
    if settings.key_env:
        key, where = environ.get(settings.key_env, "").strip(), f"the variable {settings.key_env}"
        if not key:
            raise ModelSettingsWrong(f"The key of {settings.name} comes from {where}, which is not set. Set it.")
    elif settings.key_file:
        path = settings.key_file.expanduser()
        where = f"the file {path}"
        try:
            key = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise ModelSettingsWrong(
                f"The key of {settings.name} comes from {where}, which cannot be read: {why}."
            ) from None
    else:
        return None
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ModelSettingsWrong(f"What {where} holds is no key: it is empty, or has spaces or signs that no key has.")
    return key


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
