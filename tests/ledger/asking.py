"""The sample campaign with a team that asks models."""

from __future__ import annotations

from agents.asking import Stored
from agents.model import Call, Message, Reply, Usage
from agents.records import Candidate
from agents.storing import CallFolder, called
from flows.ledger.traces import MOST_SHOWN
from tests.ledger.sample import SampleCampaign, patch

LONG = "long " * MOST_SHOWN


class Asking(SampleCampaign):
    """A campaign whose team asks models: for ideas, for the code of i1, for its repair as c2, and for a paper."""

    def candidate(self, candidate: Candidate) -> None:
        if candidate.id == "c1":
            self.ask("ideator", "ideas", price=None, model="gpt-4o")
            self.ask("coder", "code", "i1", text=LONG)
        super().candidate(candidate)
        if candidate.id == "c1":
            self.ask("repairer", "code", "i1", price=0.5)
            sha = self.workspace.commit_candidate(
                patch(text="SIZE = 3\n"), candidate.commit, "idea/i1", {"Idea": "i1", "Candidate": "c2"}, self.clock()
            )
            super().candidate(candidate.model_copy(update={"id": "c2", "commit": sha, "repaired": True}))

    def publish(self, pdf: bytes) -> None:
        self.ask("falsifier", "challenge", "k1")
        self.ask("writer", "paper", price=None)
        super().publish(pdf)

    def ask(
        self, role: str, stage: str, about: str = "", price: float | None = 0.25, text: str = "Yes.", model: str = "m"
    ) -> None:
        asked = (Message(role="system", content="You think."), Message(role="user", content=f"Well, {role}?"))
        call = Call(role=role, stage=stage, about=about, messages=asked)
        usage = Usage(input=100, output=20, cached=30, estimated=price is None)
        stored = Stored(call=call, reply=Reply(text=text, usage=usage, model=model, seconds=2.5), price=price)
        key = call.key(model)
        CallFolder(self.folder / "calls").put(key, stored)
        self.journal.append("call", called(key, stored))
