"""Views: what MLflow has to show of a campaign, as plain records. Pure; projecting and checking both start here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agents.records import Candidate, Claim, Execution
from flows.addresses import without_login
from flows.ledger.chain import Event
from flows.ledger.state import CampaignState

KEY = "hypoloop.key"
CAMPAIGN = "campaign"


@dataclass(frozen=True)
class RunView:
    """One MLflow run. `key` is its name for life (tag `hypoloop.key`); times in milliseconds since 1970.

    `end` and `status` stay None while it goes on; `parent` is the key of the run above it.
    """

    key: str
    name: str
    start: int
    end: int | None = None
    status: str | None = None
    parent: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


class Times(dict[int, int]):
    """Event number -> its time in milliseconds."""

    @classmethod
    def of(cls, events: Iterable[Event]) -> Times:
        """Take the times of `events`."""
        return cls((event.seq, milliseconds(event)) for event in events)


def milliseconds(event: Event) -> int:
    """Return an event's time in milliseconds since 1970."""
    return int(event.at.timestamp() * 1000)


def candidate_key(candidate: str) -> str:
    """Return the key of a candidate's run."""
    return f"candidate/{candidate}"


def experiment_tags(state: CampaignState, prefect_url: str | None) -> dict[str, str]:
    """Return the tags of the campaign's experiment; the note is what the page opens with."""
    shown = without_login(prefect_url) if prefect_url else None
    link = f"\n\nPrefect: {shown}" if shown else ""
    note = (
        f"Campaign **{state.name}** on template **{state.template}**. {state.question}\n\n"
        "One parent run per candidate, one child run per execution; run `campaign` holds plans, claims and the paper. "
        "Each call to a model is a trace, listed under the candidate that it was asked for. "
        f"The journal is the truth: `hypoloop verify {state.name}` holds this page against it.{link}"
    )
    known = {
        "mlflow.note.content": note,
        "campaign": state.name,
        "template": state.template,
        "template_digest": state.digest,
        "image_id": state.image_id,
        "backend": state.backend,
        "prefect_url": shown,
    } | {key: state.spec.get(key) for key in ("team", "strategy", "seed", "alpha")}
    return tagged(known)


def campaign_view(state: CampaignState, times: Times) -> RunView:
    """Return the run that stands for the campaign as a whole."""
    ended = state.closed is not None
    return RunView(
        key=CAMPAIGN,
        name=CAMPAIGN,
        start=times[1],
        end=times[state.last] if ended else None,
        status="FINISHED" if ended else None,
        metrics={"candidates": len(state.candidates), "executions": len(state.executions), "claims": len(state.claims)}
        if ended
        else {},
        tags=tagged({"kind": CAMPAIGN, "closed": state.closed, "template": state.template}),
    )


def candidate_view(state: CampaignState, id_: str, times: Times) -> RunView:
    """Return the parent run of a candidate's executions, with the claim on it where there is one."""
    candidate = state.candidates[id_]
    idea = state.ideas.get(candidate.idea or "")
    claim = next((c for c in state.claims.values() if c.candidate == id_), None)
    seen = state.screened.get(candidate.idea or "")
    discarded = state.discarded.get(candidate.idea or "")
    ended = state.closed is not None or discarded is not None
    metrics: dict[str, float | None] = {}
    if seen is not None and seen.candidate == id_:
        metrics |= {"screen_effect": seen.effect, "screen_spread": seen.spread, "screen_pairs": seen.n}
    if claim is not None:
        metrics |= _claimed(claim)
    return RunView(
        key=candidate_key(id_),
        name=f"{id_} {_title(state, candidate)}",
        start=times[state.seqs[id_]],
        end=times[state.last] if ended else None,
        status="FINISHED" if ended else None,
        params={"candidate": id_, "factors": _factors(candidate)},
        metrics={key: float(value) for key, value in metrics.items() if value is not None},
        tags=tagged(
            {
                "kind": "candidate", "candidate": id_, "idea": candidate.idea, "commit": candidate.commit,
                "parent_commit": candidate.parent, "branch": candidate.branch, "journal_seq": state.seqs[id_],
                "mlflow.note.content": f"{idea.statement} {idea.mechanism}" if idea else None,
                "discarded": discarded, "claim": claim.id if claim else None,
                "verdict": _verdict(claim) if claim else None, "statement": claim.statement if claim else None,
            }
        ),
    )  # fmt: skip


def execution_view(state: CampaignState, key: str, times: Times) -> RunView:
    """Return the child run of one execution."""
    execution = state.executions[key]
    candidate = state.candidates[execution.candidate]
    end = times[state.seqs[key]]
    cost = {
        "wall_s": execution.wall_s, "cpu_s": execution.cpu_s, "overhead_s": execution.overhead_s,
        "peak_memory_mb": execution.peak_memory_mb,
    }  # fmt: skip
    return RunView(
        key=key,
        name=f"{execution.stage} {execution.candidate} seed {execution.seed}",
        start=end - int(1000 * (execution.wall_s + execution.overhead_s)),
        end=end,
        status=_status(execution),
        parent=candidate_key(execution.candidate),
        params={
            "candidate": execution.candidate, "seed": str(execution.seed), "stage": str(execution.stage),
            "split": str(execution.split), "factors": _factors(candidate),
        },
        # A metric that the template declares outranks a cost of the same name.
        metrics={name: value for name, value in cost.items() if value is not None} | dict(execution.metrics or {}),
        tags=tagged(
            {
                "kind": "execution", "execution_key": key, "journal_seq": state.seqs[key], "commit": candidate.commit,
                "image_id": execution.image_id, "backend": execution.backend, "outcome": execution.outcome,
                "reason": execution.reason, "idea": candidate.idea, "plan": execution.plan,
            }
        ),
    )  # fmt: skip


def views(state: CampaignState, times: Times) -> dict[str, RunView]:
    """Return every run that has to be there: key -> view."""
    every = [campaign_view(state, times)] if state.spec else []
    every += [candidate_view(state, id_, times) for id_ in state.candidates]
    every += [execution_view(state, key, times) for key in state.executions]
    return {view.key: view for view in every}


def claims_table(state: CampaignState) -> dict[str, list[object]]:
    """Return the claims as a table in the form that MLflow's page shows; `tests` are the attempts to refute."""
    columns = [
        "claim",
        "verdict",
        "statement",
        "estimate",
        "low",
        "high",
        "e_value",
        "level",
        "n",
        "looks",
        "challenges",
    ]
    rows: list[object] = [
        [
            c.id, _verdict(c), c.statement, c.estimate, *(c.interval or (None, None)), c.e_value, c.level, c.n, c.looks,
            "; ".join(f"{made.kind}: {made.outcome}" for made in c.challenges),
        ]
        for c in state.claims.values()
    ]  # fmt: skip
    return {"columns": list(columns), "data": rows}


def _verdict(claim: Claim) -> str:
    return ", ".join([str(claim.verdict), *claim.labels])


def _claimed(claim: Claim) -> dict[str, float | None]:
    low, high = claim.interval or (None, None)
    return {
        "claim_estimate": claim.estimate, "claim_low": low, "claim_high": high, "claim_e_value": claim.e_value,
        "claim_level": claim.level, "claim_pairs": claim.n,
    }  # fmt: skip


def _title(state: CampaignState, candidate: Candidate) -> str:
    if candidate.idea is None:
        return "baseline"
    idea = state.ideas.get(candidate.idea)
    title = idea.title if idea else candidate.idea
    if candidate.branch.startswith("challenge/"):
        return f"{title}, cause removed"
    return f"{title}, repaired" if candidate.repaired else title


def _factors(candidate: Candidate) -> str:
    return ", ".join(candidate.factors) or "none"


def _status(execution: Execution) -> str:
    return {"ok": "FINISHED", "cancelled": "KILLED", "killed": "KILLED"}.get(execution.outcome, "FAILED")


def tagged(values: Mapping[str, object]) -> dict[str, str]:
    """Return what is known as tags, cut to the length that MLflow takes."""
    return {key: str(value)[:5000] for key, value in values.items() if value is not None and value != ""}
