"""The record of one run: all of it as JSON, and the same to be read on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandboxes.contract import Capabilities, Hold, Promise, RunResult
from sandboxes.logs import HEAD_BYTES, TAIL_BYTES

Facts = Mapping[str, Any]
WHY = {
    "type": "not a plain file",
    "name": "a name that could confuse",
    "depth": "too many folders deep",
    "size": "larger than one file may be",
    "total": "more than the output may be in all",
    "count": "more files than there may be",
    "link": "has a second name (hard link)",
    "permission": "closed to us",
    "exists": "a file of that name was taken already",
}
"""The collector's reasons in words."""
COLOURS = {"ok": "bold green"}


def record(result: RunResult, offered: Capabilities, kept_in: Path | None) -> dict[str, Any]:
    """Return the whole record: the result, what the sandbox held the program to, and where its files were kept."""
    facts: dict[str, Any] = result.model_dump(mode="json")
    return facts | {
        "capabilities": offered.model_dump(mode="json"),
        "kept_in": str(kept_in.resolve()) if kept_in is not None and kept_in.exists() else None,
    }


def print_record(facts: Facts, console: Console) -> None:
    """Print a record for people; what the program wrote is shown with its control characters escaped."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(facts):
        table.add_row(name, value if isinstance(value, Text) else Text(visible(value)))
    console.print(table)
    log = visible(facts["log_head"])
    kept = HEAD_BYTES + TAIL_BYTES
    if facts["log_bytes"] > kept:
        log += f"\n[{facts['log_bytes'] - kept} bytes left out]\n"
    console.print(Text("log", style="dim"), Text(f"{facts['log_bytes']} bytes"))
    console.print(Text(log + visible(facts["log_tail"])), soft_wrap=True, end="")


def visible(text: str) -> str:
    """Return `text` with everything a terminal would obey, or not show, as escapes; lines stay lines."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def _rows(facts: Facts) -> Iterator[tuple[str, str | Text]]:
    limit = f" ({facts['limit']})" if facts["limit"] else ""
    yield "outcome", Text(f"{facts['outcome']}{limit}", style=COLOURS.get(facts["outcome"], "bold red"))
    if facts["reason"]:
        yield "reason", facts["reason"]
    yield "exit code", "none: it was ended" if facts["exit_code"] is None else str(facts["exit_code"])
    own = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in facts["phases"].items())
    yield "time", f"{facts['wall_s']:.2f} s" + (f", and of the sandbox: {own}" if own else "")
    source = facts["usage_source"]
    yield "cpu", _measured(facts["cpu_s"], "s", source)
    yield "memory", _measured(facts["peak_memory_mb"], "MiB at its peak", source)
    yield "limits", _limits(facts["limits"])
    yield "sandbox", facts["backend"] + (f", image {facts['image_id']}" if facts["image_id"] else "")
    yield from _holds(facts["capabilities"])
    yield from _files(facts)


def _measured(value: float | None, unit: str, source: str) -> str:
    return "not measured" if value is None else f"{value:.4g} {unit} (by {source})"


def _limits(limits: Facts) -> str:
    return (
        f"wall {limits['wall_s']:g} s, memory {limits['memory_mb']}m, cpus {limits['cpus']:g}, pids {limits['pids']}, "
        f"open files {limits['open_files']}, output {limits['out_mb']}m in {limits['out_files']} entries, "
        f"one file {limits['file_mb']}m, log {limits['log_mb']}m, gpus {limits['gpus']}"
    )


def _holds(offered: Facts) -> Iterator[tuple[str, str]]:
    for hold in Hold:
        names = [p.replace("_", " ") for p in Promise if offered["holds"].get(p, Hold.ABSENT) == hold]
        if names:
            yield {"absent": "not held"}.get(hold, str(hold)), ", ".join(names)


def _files(facts: Facts) -> Iterator[tuple[str, str]]:
    for number, artifact in enumerate(facts["artifacts"]):
        says = f"{artifact['name']}  {artifact['size']} bytes  sha256 {artifact['sha256']}"
        yield "" if number else "files", says
    if facts["artifacts"]:
        yield "", f"in {facts['kept_in']}" if facts["kept_in"] else "not kept; --out DIR would keep them"
    else:
        yield "files", "none"
    for number, refused in enumerate(facts["refused"]):
        yield "" if number else "refused", f"{refused['name']}: {WHY.get(refused['why'], refused['why'])}"
