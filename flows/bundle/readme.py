"""README.md of a bundle: what it is, and how a stranger checks it and runs it again."""

from __future__ import annotations

from flows.bundle.facts import Facts
from flows.ledger.state import CampaignState


def readme(facts: Facts, state: CampaignState, date: str) -> bytes:
    """Return the page; `date` is the day of the journal's last event."""
    claim = next(iter(state.claims), "CLAIM")
    file, tools = f"{facts.campaign}.zip", facts.tools
    stands = f"closed ({facts.why})" if facts.stands == "closed" else "still open, so more may come"
    told = f"{len(state.claims)} claims, {len(state.executions)} executions"
    left = f" {len(facts.left_out)} files are not here: bundle.json names them and says why." if facts.left_out else ""
    return f"""\
# Campaign {facts.campaign}

A hypoloop research campaign on the template {facts.template}, {stands}; last event {date}.
{told} in the {state.backend} sandbox. journal.jsonl is the truth, claims.json what it claims, repository.bundle
all code (`git clone -b main repository.bundle code`), templates/ the protected evaluator.{left}

Install hypoloop {tools.hypoloop} (Python {tools.python}, environment/ lists the rest) and name this file {file}:

    hypoloop verify {file}
    hypoloop reproduce {file} {claim}

`verify` is offline and runs nothing of it; 0: it holds, 1: the first thing that does not is named. `reproduce` runs the
claim again in fresh sandboxes; 0: it came out the same, 1: it did not. Without hypoloop: sha256sum -c MANIFEST.sha256
""".encode()
