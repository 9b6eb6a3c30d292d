"""The judge of the battery: contained or not, by what is seen from outside and, for what is denied, by the report."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sandboxes.collect import MIB
from sandboxes.contract import Capabilities, Hold, Outcome, Promise, RunResult
from tests.battery.entries import Entry

SEED = 3
HONEST = {"height": 1.0 + SEED, "tosses": 1.0}
BESIDE = {"report.json", "number.txt"}


class Score(NamedTuple):
    """What came of a candidate: the trial's outcome, its metrics, what the evaluator told, why its claim is refused."""

    outcome: str
    reason: str
    metrics: Mapping[str, float] | None
    told: Mapping[str, Any]
    printed: str
    files: tuple[str, ...]
    refusal: str


class Facts(NamedTuple):
    """What was seen of one program. All but `report` is seen from outside."""

    result: RunResult
    out: Path
    report: Mapping[str, Any]
    disturbed: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    leaked: tuple[str, ...] = ()
    survivors: int = 0
    score: Score | None = None


class Verdict(NamedTuple):
    """Whether a program was contained, by what, and if not, how it was seen."""

    entry: Entry
    breaches: tuple[str, ...]
    happened: str
    answered: str
    skipped: str = ""

    @property
    def contained(self) -> bool:
        """Whether it was run and nothing speaks against it."""
        return not self.breaches and not self.skipped


def lacking(entry: Entry, said: Capabilities) -> str:
    """Say which promises this backend does not hold that would contain the program; empty if it holds them."""
    absent = [promise.value for promise in entry.promises if said.hold(promise) is Hold.ABSENT]
    if absent:
        return f"the {said.backend} sandbox does not hold: {', '.join(absent)}"
    watched = [promise.value for promise in entry.promises if said.hold(promise) is Hold.WATCHED and entry.enforced]
    return f"the {said.backend} sandbox only watches: {', '.join(watched)}" if watched else ""


def judge(entry: Entry, facts: Facts, said: Capabilities) -> Verdict:
    """Weigh what was seen of `entry` in a backend that `said` what it holds."""
    checks: tuple[Callable[[], Iterator[str]], ...] = (
        lambda: _started(facts),
        lambda: _ending(entry, facts.result),
        lambda: _usage(facts.result, said),
        lambda: _host(facts),
        lambda: _words(entry, facts),
        lambda: _collected(facts),
        lambda: _wanted(entry, facts.result),
        lambda: _scored(entry, facts.score),
    )
    breaches = tuple(breach for check in checks for breach in check())
    return Verdict(entry, breaches, _happened(entry, facts), _answered(entry, facts))


def _started(facts: Facts) -> Iterator[str]:
    if "attack:" not in facts.result.log_head:
        yield "the program did not start"
    if facts.result.outcome is Outcome.OK and not facts.report.get("done") and "report.json" in _names(facts.result):
        yield "the program did not come to its end"


def _ending(entry: Entry, result: RunResult) -> Iterator[str]:
    if result.outcome not in entry.ends:
        yield f"it ended as {result.outcome}, not {' or '.join(entry.ends)}: {_last(result)}"
    elif entry.limit is not None and result.outcome is not Outcome.OK and result.limit is not entry.limit:
        yield f"the limit {result.limit} answered, not {entry.limit}"
    if entry.says and entry.says not in result.log_head:
        yield f"{entry.says!r} is not in the log"
    if len(result.log_head.encode()) + len(result.log_tail.encode()) > 5 * 320 * 1024:  # an escape takes four bytes
        yield "more of the log was kept than head and tail"


def _usage(result: RunResult, said: Capabilities) -> Iterator[str]:
    if said.hold(Promise.MEMORY) is Hold.ENFORCED and (result.peak_memory_mb or 0) > result.limits.memory_mb + 1:
        yield f"it used {result.peak_memory_mb} MiB of memory"
    allowed = result.limits.cpus * result.total_s * 1.25 + 0.2
    if said.hold(Promise.CPUS) is Hold.ENFORCED and (result.cpu_s or 0) > allowed:
        yield f"it used {result.cpu_s} s of processor time, where {allowed:.1f} were allowed"


def _host(facts: Facts) -> Iterator[str]:
    yield from (f"disturbed on the host: {name}" for name in facts.disturbed)
    yield from (f"the host heard from it by {way}" for way in facts.heard)
    yield from (f"a secret of the host is in {place}" for place in facts.leaked)
    if facts.survivors:
        yield f"{facts.survivors} of its processes outlived the run"


def _words(entry: Entry, facts: Facts) -> Iterator[str]:
    """What the program says it reached. A program that said nothing, where it should have, was not tried."""
    reached, counts = facts.report.get("reached", {}), facts.report.get("counts", {})
    yield from (f"it reached {name}: {what}" for name, what in reached.items() if name not in entry.allows)
    for name, most in entry.at_most.items():
        if facts.result.outcome is not Outcome.OK:
            continue
        if name not in counts:
            yield f"it did not count its {name}"
        elif counts[name] > most:
            yield f"it had {counts[name]} {name}, where {most} are allowed"


def _collected(facts: Facts) -> Iterator[str]:
    """What lies in the collected directory: plain files for reading, as recorded, within the limits."""
    found = sorted(facts.out.rglob("*")) if facts.out.is_dir() else []
    sizes: dict[str, int] = {}
    for path in found:
        status, name = path.lstat(), str(path.relative_to(facts.out))
        wanted = 0o755 if stat.S_ISDIR(status.st_mode) else 0o644
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            yield f"{name!a} was collected and is no plain file"
        elif stat.S_IMODE(status.st_mode) != wanted:
            yield f"{name!a} was collected with mode {status.st_mode:o}"
        if stat.S_ISREG(status.st_mode):
            sizes[name] = status.st_size
    if sizes != {artifact.name: artifact.size for artifact in facts.result.artifacts}:
        yield "what was collected is not what the record says"
    limits = facts.result.limits
    if sum(sizes.values()) > limits.out_mb * MIB or max(sizes.values(), default=0) > limits.file_mb * MIB:
        yield f"{sum(sizes.values())} bytes were collected"
    if len(sizes) > limits.out_files + len(BESIDE):
        yield f"{len(sizes)} files were collected"
    if not all(refused.name.isascii() and refused.name.isprintable() for refused in facts.result.refused):
        yield "a refused name is listed in characters that are not plain"


def _wanted(entry: Entry, result: RunResult) -> Iterator[str]:
    names, why = _names(result), {refused.name: refused.why for refused in result.refused}
    others = names - BESIDE
    if entry.kept is not None and others != set(entry.kept) - BESIDE:
        yield f"collected were {sorted(others)!a}, not {sorted(entry.kept)!a}"
    yield from (f"{name!a} was not collected" for name in entry.must if name not in names)
    if entry.most is not None and len(others) > entry.most:
        yield f"{len(others)} files were collected, where {entry.most} may be"
    yield from (
        f"{name} was refused as {why.get(name)}, not {w}" for name, w in entry.refused.items() if why.get(name) != w
    )


def _scored(entry: Entry, score: Score | None) -> Iterator[str]:
    if not entry.trial:
        return
    if score is None:
        yield "it was not scored"
        return
    if score.outcome not in entry.trial:
        yield f"the trial ended as {score.outcome}, not {' or '.join(entry.trial)}: {score.reason}"
    if score.metrics is not None and dict(score.metrics) != HONEST:
        yield f"its score is {dict(score.metrics)}"
    if not score.told.get("isolated") or score.told.get("writable") is not False:
        yield f"the evaluator was not isolated, or could write what it scores: {dict(score.told)}"
    if any(str(score.told.get(name)).startswith("/lab") for name in ("json", "numpy")) or "hijacked" in score.printed:
        yield "the evaluator ran code of the candidate"
    if set(score.files) - {"metrics.json"}:
        yield f"the evaluator left {score.files}"
    if entry.metrics and not score.refusal:
        yield "the metrics that it claims would have been believed"


def _happened(entry: Entry, facts: Facts) -> str:
    result, parts = facts.result, []
    parts.append(
        str(result.outcome) if result.exit_code in (0, None) else f"{result.outcome} (exit {result.exit_code})"
    )
    denied, reached = facts.report.get("denied", {}), facts.report.get("reached", {})
    if denied:
        codes = sorted(set(denied.values()), key=lambda code: -list(denied.values()).count(code))
        told = ", ".join(f"{list(denied.values()).count(code)} {code}" for code in codes[:4])
        parts.append(f"{len(denied)} of {len(denied) + len(reached)} attempts denied ({told})")
    if reached:
        parts.append(f"let through: {', '.join(list(reached)[:4])}")
    if entry.at_most:
        counts = facts.report.get("counts", {})
        parts += [f"{counts[name]} {name}" for name in entry.at_most if name in counts]
    if result.refused:
        parts.append(f"not collected: {', '.join(sorted({f'{refused.why}' for refused in result.refused}))}")
    if facts.score:
        parts.append(f"score {facts.score.outcome}" + (f": {facts.score.reason}" if facts.score.reason else ""))
    if entry.metrics and facts.score and facts.score.refusal and not result.refused:
        parts.append(facts.score.refusal)
    if len(parts) == 1 and result.outcome is Outcome.OK:
        parts.append("nothing of it was seen on the host")
    return "; ".join(parts)


def _answered(entry: Entry, facts: Facts) -> str:
    """Name what answered, with its measure where it has one."""
    words = (facts.result.limit,) if facts.result.limit else entry.contained_by
    limits = facts.result.limits
    measures: dict[str, str] = {
        Promise.WALL: f" ({limits.wall_s:g} s)",
        Promise.MEMORY: f" ({limits.memory_mb} MiB)",
        Promise.CPUS: f" ({limits.cpus:g})",
        Promise.PIDS: f" ({limits.pids})",
        Promise.OPEN_FILES: f" ({limits.open_files})",
        Promise.FILE_SIZE: f" ({limits.file_mb} MiB)",
        Promise.OUT_BYTES: f" ({limits.out_mb} MiB)",
        Promise.OUT_FILES: f" ({limits.out_files})",
        Promise.LOG: f" ({limits.log_mb} MiB)",
    }
    return ", ".join(f"{word}{measures.get(word, '')}" for word in words)


def _names(result: RunResult) -> set[str]:
    return {artifact.name for artifact in result.artifacts}


def _last(result: RunResult) -> str:
    lines = (result.log_head + result.log_tail).strip().splitlines()
    return ascii(lines[-1])[:200] if lines else "nothing printed"
