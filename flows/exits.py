"""Exit codes: what each of our errors means to whoever called the command."""

from __future__ import annotations

from agents.errors import AgentError, ModelUnavailable, StoredCallDamaged
from flows.errors import (
    BundleBroken,
    CampaignExists,
    CampaignInterrupted,
    FlowError,
    RecordsChanged,
    ServiceError,
)
from flows.evidence.errors import EvidenceError
from flows.ledger.errors import CampaignBusy, CampaignUnknown, JournalTampered, LedgerError
from flows.papers.errors import PaperError
from flows.search.errors import SearchError
from sandboxes.errors import SandboxError
from templates.errors import TemplateBroken, TemplateError

DOES_NOT_HOLD, WRONG_INPUT, PLATFORM, BUSY, INTERRUPTED = 1, 2, 3, 4, 130

CODES: tuple[tuple[type[Exception], int], ...] = (
    (CampaignInterrupted, INTERRUPTED),
    (CampaignExists, BUSY),
    (CampaignBusy, BUSY),
    (CampaignUnknown, WRONG_INPUT),
    (JournalTampered, DOES_NOT_HOLD),
    (TemplateBroken, DOES_NOT_HOLD),
    (BundleBroken, DOES_NOT_HOLD),
    (RecordsChanged, DOES_NOT_HOLD),
    (ServiceError, PLATFORM),
    (SandboxError, PLATFORM),
    (LedgerError, PLATFORM),
    (PaperError, PLATFORM),
    (TemplateError, WRONG_INPUT),
    (ModelUnavailable, PLATFORM),
    (StoredCallDamaged, DOES_NOT_HOLD),
    (AgentError, WRONG_INPUT),
    (EvidenceError, WRONG_INPUT),
    (SearchError, WRONG_INPUT),
    (FlowError, WRONG_INPUT),
    (OSError, PLATFORM),
)
"""First match wins, so children stand before their parents."""


def sentence(error: Exception) -> str:
    """Return what to tell the user. The system's own errors name the file and what was wrong with it."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}. Nothing else was touched; mend that and try again."
    return str(error)


def exit_code(error: Exception) -> int | None:
    """Return the exit code of one of our own errors or the system's, None for any other."""
    return next((code for kind, code in CODES if isinstance(error, kind)), None)
