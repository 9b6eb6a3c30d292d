"""Run campaigns as a user does: by the command line, in a home of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def hypoloop(home: Path, *arguments: str, timeout: float = 400) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        command(home, *arguments), capture_output=True, text=True, timeout=timeout, check=False, env=environment()
    )


def command(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "flows.cli", "--home", str(home), *arguments]


def environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "HYPOLOOP_"))}
    return kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}


def campaign_file(folder: Path, text: str) -> Path:
    path = folder / "campaign.toml"
    path.write_text(text, encoding="utf-8")
    return path


def events(home: Path, name: str) -> list[dict[str, Any]]:
    journal = home / "campaigns" / name / "journal.jsonl"
    return [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]


def of_kind(home: Path, name: str, kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in events(home, name) if event["kind"] == kind]
