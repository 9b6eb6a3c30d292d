"""A whole small campaign on disk, as the flows would leave it: journal, repository, executions, paper."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from agents.records import Attempts, Candidate, Claim, Edit, Execution, Idea, Patch, Plan, Split, Stage, Verdict
from flows.ledger.journal import Event, FileJournal
from flows.ledger.keys import execution_key
from flows.ledger.record import plan_file
from flows.ledger.workspace import Workspace
from templates.template import Template
from tests.ledger.ticking import ticking

MANIFEST = """
name = "tiny"
title = "A tiny template"
question = "Does it help?"
domain = "tests"
method = "Add numbers."
editable = ["workload/*.py", "workload/lib/**/*.py"]
outputs = ["sum.json"]
[metric]
name = "error"
title = "Error"
direction = "minimize"
least_effect = 0.01
"""


def tiny_template(folder: Path) -> Template:
    for name, text in {
        "template.toml": MANIFEST,
        "README.md": "# Tiny\n",
        "workload/run.py": "SIZE = 1\n",
        "workload/lib/deep/more.py": "MORE = 2\n",
        "workload/data.csv": "a,b\n",
        "evaluator/evaluate.py": "SECRET = 42\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Template(folder)


def idea(id_: str = "i1") -> Idea:
    return Idea(
        id=id_, round=1, title="Wolff cluster updates", statement="Clusters help.", mechanism="They flip together.",
        metric="error", least_effect=0.01, factors=("wolff",), by="embedded",
    )  # fmt: skip


def patch(path: str = "workload/run.py", text: str = "SIZE = 2\n", of: str = "i1") -> Patch:
    return Patch(idea=of, summary="Grow clusters", edits=(Edit(path=path, text=text),), by="embedded")


def plan(**changes: object) -> Plan:
    values: dict[str, object] = {
        "id": "p1", "idea": "i1", "candidate": "c1", "comparator": "c0", "metric": "error", "maximize": False,
        "least_effect": 0.01, "seeds": (1001, 1002), "looks": (2,), "alpha": 0.05, "level": 0.02, "scale": 0.1,
        "rule": "reject when the e-value passes 1 / level",
    }  # fmt: skip
    return Plan.model_validate(values | changes)


def claim(executions: tuple[str, ...], **changes: object) -> Claim:
    values: dict[str, object] = {
        "id": "k1", "plan": "p1", "idea": "i1", "candidate": "c1", "comparator": "c0", "statement": "Clusters help.",
        "metric": "error", "verdict": Verdict.SUPPORTED, "estimate": 0.1, "interval": (0.05, 0.15), "relative": 0.5,
        "candidate_mean": 0.1, "comparator_mean": 0.2, "n": 2, "looks": 1, "e_value": 80.0, "level": 0.02,
        "alpha": 0.05, "executions": executions,
        "attempts": Attempts(ideas=1, candidates=1, executions=4, plans=1, looks=1),
    }  # fmt: skip
    return Claim.model_validate(values | changes)


@dataclass
class SampleCampaign:
    """Writes a campaign step by step; tests plant their faults between the steps or afterwards."""

    home: Path
    name: str = "ising"

    def __post_init__(self) -> None:
        self.folder = self.home / "campaigns" / self.name
        self.template = tiny_template(self.home / "template")
        self.clock = ticking()
        self.journal = FileJournal(self.folder / "journal.jsonl", self.clock, fence=1)
        self.workspace = Workspace.create(self.folder / "repo", self.template)
        self.commits: dict[str, str] = {}

    def whole(self) -> SampleCampaign:
        """Write a campaign of one idea, one plan and one claim, and close it."""
        self.begin()
        self.execute("c0", Stage.BASELINE, 1, 0.2)
        self.execute("c1", Stage.SCREEN, 1, 0.1)
        self.journal.append("screened", {"idea": "i1", "candidate": "c1", "effect": 0.1, "spread": 0.01, "n": 1,
                                         "passed": True})  # fmt: skip
        self.register(plan())
        keys = [self.execute(c, Stage.CONFIRM, seed, value, "p1").key
                for seed in (1001, 1002) for c, value in (("c0", 0.2), ("c1", 0.1))]  # fmt: skip
        self.journal.append("claim", claim(tuple(keys)))
        self.publish(b"%PDF paper")
        self.journal.append("closed", {"why": "every round is done"})
        return self

    def begin(self) -> None:
        self.journal.append(
            "campaign",
            {"spec": {"name": self.name, "alpha": 0.05, "seed": 1, "question": "Does it help?"}, "template": "tiny",
             "digest": self.template.digest, "image_id": None, "backend": "process"},
        )  # fmt: skip
        self.candidate(Candidate(id="c0", idea=None, commit=self.workspace.baseline(), parent=None, branch="main"))
        self.journal.append("round", {"round": 1})
        self.journal.append("ideas", {"round": 1, "ideas": [idea().model_dump(mode="json")]})
        base = self.workspace.baseline()
        trailers = {"Idea": "i1", "Candidate": "c1", "Journal": str(self.journal.head())}
        sha = self.workspace.commit_candidate(patch(), base, "idea/i1", trailers, self.clock())
        self.candidate(Candidate(id="c1", idea="i1", commit=sha, parent=base, branch="idea/i1", factors=("wolff",)))

    def candidate(self, candidate: Candidate) -> None:
        self.commits[candidate.id] = candidate.commit
        self.journal.append("candidate", candidate)

    def register(self, registered: Plan) -> None:
        event = self.journal.append("plan", registered)
        self.workspace.commit_files(
            plan_file(registered),
            f"Plan {registered.id}: Wolff cluster updates",
            {"Plan": registered.id, "Journal": f"{event.seq} {event.hash}"},
            event.at,
        )

    def execute(
        self, candidate: str, stage: Stage, seed: int, error: float, plan_id: str | None = None,
        split: Split | None = None, condition: str | None = None,
    ) -> Execution:  # fmt: skip
        split = split or (Split.CONFIRM if plan_id else Split.SEARCH)
        key = execution_key(self.commits[candidate], self.template.digest, None, stage, seed, split, plan_id, condition)
        artifacts = {}
        for name, content in {
            "score/metrics.json": json.dumps({"error": error}).encode(), "run.log": b"fine\n",
            "out/sum.json": b"[1, 2]", "out/big.bin": bytes(2 << 20),
        }.items():  # fmt: skip
            path = self.folder / "executions" / key / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            artifacts[name] = sha256(content).hexdigest()
        execution = Execution(
            key=key, candidate=candidate, stage=stage, split=split, seed=seed, plan=plan_id, condition=condition,
            outcome="ok", metrics={"error": error}, wall_s=1.5, cpu_s=1.0, overhead_s=0.25, backend="process",
            artifacts=artifacts,
        )  # fmt: skip
        self.journal.append("execution", execution)
        return execution

    def publish(self, pdf: bytes) -> None:
        (self.folder / "paper").mkdir(parents=True, exist_ok=True)
        (self.folder / "paper" / "paper.pdf").write_bytes(pdf)
        self.journal.append("paper", {"files": {"paper.pdf": sha256(pdf).hexdigest()}})

    def events(self) -> tuple[Event, ...]:
        return self.journal.events()
