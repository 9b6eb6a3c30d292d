"""Replaying: a campaign run again on the answers that another one stored, without a network, a key or a cost."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from agents.model import Call, Model, Reply
from agents.scripted import Recorded
from agents.storing import CallFolder
from flows.errors import SettingsInvalid, TemplateChanged
from flows.ledger.reading import read_campaign, read_events
from flows.refusals import Refusal, refusals
from flows.settings import CampaignSpec, campaign_folder, spec_of, template_folders
from templates.template import load_template

FREE = ("slots", "thoughts", "template_folder", "allow_weak_sandbox")
"""What a replay may set otherwise: it changes how fast and where things run, and not what is asked."""
GIVEN = ("name", "sandbox", "replay_of")
"""What a replay sets itself."""
CHECKS = "checks"


@dataclass(frozen=True)
class Recording:
    """What the campaign in `folder` was asked and answered, and what its budget refused it."""

    folder: Path
    salt: str
    refused: Mapping[str, Refusal]

    @classmethod
    def of(cls, home: Path, name: str) -> Recording:
        """Return the recording that the campaign `name` is.

        Raises:
            CampaignUnknown: there is no such campaign.
            JournalTampered: its journal does not hold.
        """
        state, events = read_campaign(home, name), read_events(home, name)
        return cls(campaign_folder(home, name), state.salt, refusals(events))

    def models(self, spec: CampaignSpec) -> dict[str, Model]:
        """Return a model for each role that answers as it did, the one of all others under the empty name."""
        calls = CallFolder(self.folder / "calls")
        return {"" if role == "default" else role: Recorded(calls, of.name) for role, of in spec.models.items()}

    def meter(self) -> Paid:
        """Return the meter of a replay."""
        return Paid(CallFolder(self.folder / "calls"))

    def copy_checks(self, folder: Path) -> None:
        """Copy what came of quick checks to the campaign in `folder`, for it shows in what was asked."""
        made, kept = self.folder / CHECKS, folder / CHECKS
        if made.is_dir():
            shutil.copytree(made, kept, dirs_exist_ok=True)


class Paid:
    """A meter for answers that were paid for when they were stored: nothing is refused, and the price is that of then.

    Safe to share by threads.
    """

    def __init__(self, calls: CallFolder) -> None:
        """Read prices out of `calls`."""
        self._calls = calls
        self._keys: list[str] = []
        self._lock = Lock()

    def reserve(self, model: str, call: Call) -> int:
        """Set nothing aside, and return a ticket."""
        with self._lock:
            self._keys.append(call.key(model))
            return len(self._keys) - 1

    def settle(self, ticket: int, reply: Reply) -> float | None:
        """Return the price that was paid for the stored reply, in dollars; None where it was not known."""
        stored = self._calls.get(self._keys[ticket])
        return stored.price if stored else None

    def release(self, ticket: int, requests: int = 0) -> None:
        """Give back nothing."""


def replayed_spec(home: Path, of: str, name: str, given: CampaignSpec | None = None) -> CampaignSpec:
    """Return the settings of a campaign `name` that replays the campaign `of`, in the sandbox that it ran in.

    `given` is what a file says: what it may say otherwise is taken from it.

    Raises:
        CampaignUnknown: there is no campaign `of`.
        SettingsInvalid: the file asks for another campaign, people took part, or the name is none.
        TemplateChanged: the template is no longer the one that `of` ran on.
    """
    state = read_campaign(home, of)
    kept = CampaignSpec.model_validate(state.spec)
    if state.spec.get("mode", "autopilot") != "autopilot":
        raise SettingsInvalid(
            f"People took part in campaign {of!r}, and what they decided is not in its stored calls, so it cannot be "
            "replayed."
        )
    free: dict[str, Any] = {}
    if given is not None:
        if differing := _differing(kept, given):
            raise SettingsInvalid(
                f"The file describes another campaign than {of!r}: {', '.join(differing)} differ. A replay asks the "
                f"same again, so leave the file away, or change nothing in it but {', '.join(FREE)}."
            )
        free = {key: getattr(given, key) for key in FREE}
    values = kept.model_dump(mode="json") | free | {"name": name, "sandbox": state.backend, "replay_of": of}
    spec = spec_of(values, where="--replay")
    if load_template(spec.template, template_folders(spec)).digest != state.digest:
        raise TemplateChanged(spec.template, of)
    return spec


def _differing(kept: CampaignSpec, given: CampaignSpec) -> list[str]:
    """Return the settings in which two campaigns differ and that matter to what is asked; models matter by name."""
    fields = [key for key in CampaignSpec.model_fields if key not in (*FREE, *GIVEN, "models")]
    differing = [key for key in fields if getattr(kept, key) != getattr(given, key)]
    asked = [{role: of.name for role, of in spec.models.items()} for spec in (kept, given)]
    return [*differing, "models"] if asked[0] != asked[1] else differing
