"""Canaries: values that must never be seen again, planted wherever a user's secrets lie, and how each might be written.

All canaries of a set share one random token, so that one search finds any of them in any of its encodings, whole or
cut, wherever it stands in a longer text.
"""

from __future__ import annotations

import base64
import json
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

ALPHABET = string.ascii_lowercase + string.digits
VARIABLES = (
    "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "HF_TOKEN",
    "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "PREFECT_API_KEY", "GIT_AUTHOR_NAME", "ZZ_QUIET_THING",
)  # fmt: skip
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY")
NOWHERE = "127.0.0.1:9"


@dataclass(frozen=True)
class Canaries:
    """One set of canaries."""

    token: str = field(default_factory=lambda: "".join(secrets.choice(ALPHABET) for _ in range(20)))

    def of(self, name: str) -> str:
        """The canary that is planted as `name`; it holds characters that URLs, JSON and base64 write in other ways."""
        return f"sk/{self.token}{''.join(c for c in name.lower() if c in ALPHABET)}~?~?+="

    def address(self, name: str, host: str) -> str:
        """An address with the canary as its password."""
        return f"http://user:{quote(self.of(name), safe='')}@{host}"

    def needles(self) -> dict[str, bytes]:
        """Name of an encoding -> what stands there of the token, whatever is written before and after it."""
        plain = self.token.encode()
        wide = self.token.encode("utf-16-le")
        return {
            "plain": plain,
            "upper case": plain.upper(),
            "reversed": plain[::-1],
            "hex": plain.hex().encode(),
            "upper hex": plain.hex().upper().encode(),
            "UTF-16": wide[:-1],  # the last zero would be the next character's in big-endian
            "URL": _every(plain, "%{:02x}"),
            "upper URL": _every(plain, "%{:02X}"),
            "HTML": _every(plain, "&#{};"),
            **{f"base64 at {start}": _within_base64(plain, start) for start in range(3)},
            **{f"base64 of UTF-16 at {start}": _within_base64(wide[:-1], start) for start in range(3)},
        }


ENCODINGS: Mapping[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "upper case": lambda value: value.upper().encode(),
    "reversed": lambda value: value[::-1].encode(),
    "hex": lambda value: value.encode().hex().encode(),
    "upper hex": lambda value: value.encode().hex().upper().encode(),
    "hex in pairs": lambda value: value.encode().hex(" ").encode(),
    "UTF-16": lambda value: value.encode("utf-16-le"),
    "UTF-16, other end first": lambda value: value.encode("utf-16-be"),
    "URL": lambda value: quote(value, safe="").encode(),
    "URL, every byte": lambda value: _every(value.encode(), "%{:02X}"),
    "escapes": lambda value: _every(value.encode(), "\\x{:02x}"),
    "JSON escapes": lambda value: "".join(f"\\u{ord(c):04x}" for c in value).encode(),
    "HTML": lambda value: "".join(f"&#{ord(c)};" for c in value).encode(),
    "base64": lambda value: base64.b64encode(value.encode()),
    "base64 one later": lambda value: base64.b64encode(b"x" + value.encode()),
    "base64 two later": lambda value: base64.b64encode(b"xx" + value.encode()),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()),
    "base64 in lines": lambda value: base64.encodebytes(b"some text before it " * 2 + value.encode()),
    "base64 of UTF-16": lambda value: base64.b64encode(value.encode("utf-16-le")),
}
"""Ways in which a secret may come to be written."""


def environment(canaries: Canaries, home: Path, index: str) -> dict[str, str]:
    """Variables of a user whose every secret is a canary, whose home is `home` and whose package index is `index`."""
    return {
        **{name: canaries.of(name) for name in VARIABLES},
        **{name: canaries.address(name, NOWHERE) for name in PROXIES},
        "NO_PROXY": "127.0.0.1,localhost",
        "PIP_INDEX_URL": canaries.address("PIP_INDEX_URL", index),
        "HOME": str(home),
    }


def plant(canaries: Canaries, home: Path) -> dict[Path, str]:
    """Write the files in which programs keep secrets into `home`; return them with what is in them."""
    files = {home / name: text for name, text in _files(canaries).items()}
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
    return files


def _files(canaries: Canaries) -> dict[str, str]:
    of, address = canaries.of, canaries.address
    login = base64.b64encode(f"user:{of('docker auth')}".encode()).decode()
    proxies = {"httpProxy": address("docker proxy", NOWHERE), "httpsProxy": address("docker tls", NOWHERE)}
    armour = base64.encodebytes(of("ssh key").encode() * 4).decode()
    begin, end = ("-----" + f"{word} OPENSSH PRIVATE KEY" + "-----" for word in ("BEGIN", "END"))
    return {
        ".netrc": f"default login user password {of('netrc')}\n",
        ".aws/credentials": f"[default]\naws_access_key_id = x\naws_secret_access_key = {of('aws file')}\n",
        ".docker/config.json": json.dumps(
            {"auths": {"registry.invalid": {"auth": login}}, "proxies": {"default": proxies}}
        ),
        ".config/openai/key": of("openai file") + "\n",
        ".config/pip/pip.conf": f"[global]\ntrusted-host = {of('pip file')}\n",
        ".config/gh/hosts.yml": f"github.com:\n  oauth_token: {of('gh')}\n",
        ".ssh/id_ed25519": f"{begin}\n{armour}{end}\n",
        ".python_keyring": f"[login]\nuser = {of('keyring')}\n",
        ".local/share/python_keyring/keyring_pass.cfg": f"[hypoloop]\nkey = {of('keyring file')}\n",
        ".gitconfig": f"[user]\n\tname = {of('git name')}\n\temail = {of('git mail')}\n[http]\n\t"
        f'extraHeader = "Authorization: Bearer {of("git header")}"\n[url "{address("git url", "git.invalid")}/"]\n'
        "\tinsteadOf = https://git.invalid/\n",
        ".git-credentials": address("git credentials", "git.invalid") + "\n",
        ".prefect/profiles.toml": f'active = "x"\n[profiles.x]\nPREFECT_API_KEY = "{of("prefect file")}"\n',
        ".mlflow/credentials": f"[mlflow]\nmlflow_tracking_password = {of('mlflow file')}\n",
        ".bash_history": f"export OPENAI_API_KEY={of('history')}\n",
    }


def _every(data: bytes, form: str) -> bytes:
    return "".join(form.format(byte) for byte in data).encode()


def _within_base64(data: bytes, start: int) -> bytes:
    """The base64 characters that `data` alone decides, when it begins `start` bytes after a multiple of three."""
    encoded = base64.b64encode(bytes(start) + data)
    return encoded[(0, 2, 3)[start] : (start + len(data)) * 8 // 6]
