"""Progress on the terminal: follows the journal, so it shows any campaign, also one that another process runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from agents.records import Claim, Idea, Plan, Stage, Verdict
from flows.ledger.folds import apply, reduce_events
from flows.ledger.journal import Event
from flows.ledger.state import CampaignState
from flows.settings import CampaignSpec
from templates.template import Template

Data = Mapping[str, Any]
COLOURS = {Verdict.SUPPORTED: "green", Verdict.REFUTED: "red", Verdict.INCONCLUSIVE: "yellow"}


class Follower:
    """Reads what a journal has gained since the last look. A half-written last line waits for its end."""

    def __init__(self, path: Path) -> None:
        """Start at the beginning of `path`, which need not exist yet."""
        self.path = path
        self.offset = 0
        self.state: CampaignState = reduce_events(())

    def news(self) -> Iterator[Event]:
        """Yield new events in order; `state` includes each when it is yielded."""
        if not self.path.exists():
            return
        with self.path.open("rb") as journal:
            journal.seek(self.offset)
            for line in journal:
                if not line.endswith(b"\n"):
                    return
                self.offset += len(line)
                event = Event.model_validate_json(line)
                self.state = apply(self.state, event)
                yield event


class Progress:
    """A live line of slots, budget, best, claims and time left, with what happened above it."""

    def __init__(self, journal: Path, spec: CampaignSpec, template: Template, console: Console) -> None:
        """Follow `journal` and write to `console`; on a pipe only the events are printed."""
        self.follower = Follower(journal)
        self.spec, self.template, self.console = spec, template, console
        self.started = time.monotonic()
        self.earlier = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="progress", daemon=True)

    def __enter__(self) -> Progress:
        """Skip what is in the journal already and start to follow."""
        for _ in self.follower.news():
            self.earlier = len(self.follower.state.executions)
        if self.earlier:
            self.console.print(f"The journal holds {self.earlier} finished executions; none of them runs again.")
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Show the last events and stop."""
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        titles = {condition.name: condition.title for condition in self.template.manifest.conditions}
        with Live(self._line(), console=self.console, refresh_per_second=4, transient=True) as live:
            while True:
                last = self._stop.is_set()
                for event in self.follower.news():
                    for line in told(event, self.follower.state, titles):
                        live.console.print(line, highlight=False, soft_wrap=True)
                live.update(self._line())
                if last:
                    return
                self._stop.wait(0.25)

    def _line(self) -> Table:
        state, budget = self.follower.state, self.spec.budget
        done, spent = len(state.executions), time.monotonic() - self.started
        left = self._expected() - done
        rate = (done - self.earlier) / spent if done > self.earlier else 0.0
        eta = f"about {left / rate:.0f} s left" if rate and left > 0 else "..."
        verdicts = [claim.verdict for claim in state.claims.values()]
        grid = Table.grid(padding=(0, 2))
        grid.add_row(
            f"[bold]{self.spec.name}[/]",
            f"round {max(state.rounds, default=0)}/{budget.rounds}",
            f"{self.spec.slot_count()} slots",
            f"executions {done} (cap {budget.executions})",
            self._best(),
            " ".join(f"[{COLOURS[v]}]{verdicts.count(v)} {v}[/]" for v in Verdict),
            f"{spent:.0f} s",
            eta,
        )
        return grid

    def _best(self) -> str:
        metric = self.template.manifest.metric
        effects = [row.effect for row in self.follower.state.screened.values() if row.effect is not None]
        return f"best gain at the screen {max(effects):.3g} {metric.unit}".strip() if effects else "no screen yet"

    def _expected(self) -> float:
        """Estimate the executions of the whole campaign from its budget and what plans took so far."""
        budget, seeds, state = self.spec.budget, self.template.manifest.seeds, self.follower.state
        claims = list(state.claims.values())
        pairs = sum(c.n for c in claims) / len(claims) if claims else 0.7 * seeds.confirm
        screens = seeds.screen * (1 + budget.rounds * budget.ideas_per_round)
        # About every second plan is supported, and what is supported is attacked once and under every condition.
        attacks = 0.5 * (1 + len(self.template.manifest.conditions))
        return screens + 2 * pairs * budget.rounds * budget.plans_per_round * (1 + attacks)


def told(event: Event, state: CampaignState, conditions: Mapping[str, str] | None = None) -> Iterator[str]:
    """Tell an event in a line or a few; most events need none. `conditions` are titles by name."""
    tell = TELLERS.get(event.kind)
    if event.kind == "plan":
        yield from _plan(event.data, state, conditions or {})
    elif tell is not None:
        yield from tell(event.data, state)


def _campaign(data: Data, _state: CampaignState) -> Iterator[str]:
    yield f"campaign [bold]{data['spec']['name']}[/] on {data['template']} in the {data['backend']} sandbox"


def _ideas(data: Data, _state: CampaignState) -> Iterator[str]:
    yield f"[bold]round {data['round']}[/]"
    for idea in map(Idea.model_validate, data["ideas"]):
        yield _line("idea", idea.id, escape(idea.title))


def _screened(data: Data, _state: CampaignState) -> Iterator[str]:
    promising = ", promising" if data["passed"] else ""
    ran = data["effect"] is not None
    said = f"{data['effect']:+.4f} over {data['n']} seeds{promising}" if ran else "gave no number"
    yield _line("screen", data["idea"], said)


def _plan(data: Data, state: CampaignState, conditions: Mapping[str, str]) -> Iterator[str]:
    plan = Plan.model_validate(data)
    title = escape(state.ideas[plan.idea].title)
    if plan.stage is Stage.CHALLENGE:
        yield _line(
            "refute?", plan.id, f"{title}: {_otherwise(plan, state, conditions)}, up to {len(plan.seeds)} fresh seeds"
        )
    else:
        yield _line(
            "plan", plan.id, f"{title}: up to {len(plan.seeds)} fresh seeds, e-value {1 / plan.level:.0f} needed"
        )


def _claim(data: Data, _state: CampaignState) -> Iterator[str]:
    claim = Claim.model_validate(data)
    if claim.challenges:
        yield _line("claim", claim.id, f"{_verdict(claim)} {claim.challenges[-1].says}")
        return
    interval = escape(f" [{claim.interval[0]:.3g}, {claim.interval[1]:.3g}]") if claim.interval else ""
    numbers = f"effect {claim.estimate:+.3g}{interval}, {claim.n} seeds, e-value {claim.e_value:.3g}"
    yield _line("claim", claim.id, f"{_verdict(claim)} {escape(claim.statement)} {numbers if claim.n else ''}")


def _otherwise(plan: Plan, state: CampaignState, conditions: Mapping[str, str]) -> str:
    """Say what is otherwise in a challenge, from its plan alone: what it attacks is journalled a little later."""
    if plan.condition is not None:
        return f"with {escape(conditions.get(plan.condition, plan.condition))}"
    attacked = next((c for c in state.claims.values() if c.candidate == plan.candidate), None)
    again = attacked is None or plan.comparator == attacked.comparator
    return "again" if again else f"without {escape(', '.join(plan.varies))}"


def _attacks(data: Data, _state: CampaignState) -> Iterator[str]:
    for title in data.get("left_out", ()):
        yield _line("left out", data["claim"], f"{escape(title)}: the budget does not allow it")


def _deviation(data: Data, _state: CampaignState) -> Iterator[str]:
    yield _line("deviate", data["plan"], f"{escape(data['what'])}, because {escape(data['why'])}; now exploratory")


def _question(data: Data, state: CampaignState) -> Iterator[str]:
    about = "the paper" if data["at"] == "paper" else f"the {data['at']}"
    yield _line("asks", data["id"], f"about {about}; answer in the Prefect UI, or: hypoloop answer {state.name}")


def _answer(data: Data, _state: CampaignState) -> Iterator[str]:
    gone = f" {', '.join(data['rejected'])}" if data["rejected"] else ""
    yield _line("answer", data["question"], escape(f"{data['decision']}{gone}, by {data['by']}"))


def beside(claim: Claim) -> str:
    """Return what must be said beside a verdict: a changed plan, a narrower scope."""
    return f" ({', '.join(claim.labels)})" if claim.labels else ""


def _verdict(claim: Claim) -> str:
    return f"[{COLOURS[claim.verdict]}]{claim.verdict}[/]{beside(claim)}"


def _line(what: str, id_: str, text: str) -> str:
    return f"{what:<9}{id_:<5}{text}"


TELLERS: Mapping[str, Callable[[Data, CampaignState], Iterator[str]]] = {
    "campaign": _campaign,
    "ideas": _ideas,
    "screened": _screened,
    "attacks": _attacks,
    "claim": _claim,
    "deviation": _deviation,
    "question": _question,
    "answer": _answer,
    "notice": lambda data, _: iter([f"[yellow]note[/]     {escape(data['text'])}"]),
    "discard": lambda data, _: iter([_line("drop", data["idea"], escape(data["why"]))]),
    "review": lambda data, _: iter([f"review   {data['decision']}, {len(data['findings'])} findings"]),
    "paper": lambda _data, _: iter(["paper    written"]),
}
