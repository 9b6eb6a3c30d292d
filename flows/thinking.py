"""Thinking: what a team of language models is given to work with, out of a campaign's settings and folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from threading import Condition
from typing import TYPE_CHECKING

from agents.asking import Asker, Meter, Stored
from agents.errors import ModelBudgetSpent
from agents.model import Call, Model, Reply
from agents.records import Draft
from agents.storing import CallFolder, called
from agents.team import Dossier, Team
from agents.teams import load_team, model_writes
from flows.errors import SettingsInvalid
from flows.refusals import Refusal, Remembering, notice, refusals
from flows.replaying import Recording
from flows.settings import CampaignSpec, campaign_folder
from templates.template import Template

if TYPE_CHECKING:
    from pathlib import Path

    from agents.literature.entry import Entry
    from agents.llm.actions import Checked
    from agents.metering import Purse
    from flows.opened import OpenCampaign

OTHERS = "default"
"""Names the model of every role that has none of its own."""
WRITING = ("challenge", "paper", "review", "revision")
"""Stages for which a part of the budget is kept."""


def team_of(campaign: OpenCampaign, home: Path, environ: Mapping[str, str]) -> Team:
    """Return the campaign's team, with everything that it needs.

    Raises:
        TeamUnknown: this version has no such team.
        SettingsInvalid: it thinks by models, and the campaign names none.
        ModelSettingsWrong: a model's key is not where the settings say.
        PriceUnknown: money is capped, and the price of one of the models is not known.
        StoredCallDamaged: a call that was kept was edited.
    """
    spec = campaign.spec
    if not model_writes(spec.team):
        return load_team(spec.team)
    from agents.literature.library import Library
    from agents.llm.team import Workbench
    from flows.checking import check_of

    calls = CallFolder(campaign.folder / "calls")
    models, meter = _asked_at(campaign, home, environ, calls)
    library = Library(_kept(campaign.folder, home if spec.replay_of is None else campaign_folder(home, spec.replay_of)))
    known = bool(library.all())

    def near(text: str, n: int) -> tuple[Entry, ...]:
        return library.near(text, n) if known and n else ()

    def told(_key: str, _checked: Checked) -> None:
        """Checks are kept in files of their own; they measure nothing."""

    return load_team(
        spec.team,
        Workbench(
            asker=Asker(models, calls, meter, lambda key, stored: _tell(campaign, key, stored)),
            check=check_of(campaign, spec.llm.check_s, told),
            faults=_faults,
            near=near,
            remarks=lambda role: campaign.state.remarks(role),
            rejected=lambda: campaign.state.rejected,
            settings=spec.llm,
        ),
    )


def _asked_at(
    campaign: OpenCampaign, home: Path, environ: Mapping[str, str], calls: CallFolder
) -> tuple[Mapping[str, Model], Meter]:
    """Return who answers and what pays: the models and the purse, or for a replay the answers of then."""
    spec, known = campaign.spec, refusals(campaign.journal.events())
    telling = partial(_tell_refusal, campaign)
    if spec.replay_of is not None:
        recording = Recording.of(home, spec.replay_of)
        recording.copy_checks(campaign.folder)
        return recording.models(spec), Remembering(recording.meter(), {**recording.refused, **known}, telling)
    purse = Careful(purse_of(spec), purse_of(spec, 1 - spec.llm.kept_for_paper))
    purse.restore(calls)
    return models_of(spec, environ), Remembering(purse, known, telling)


def _kept(folder: Path, source: Path) -> Path:
    """Return the campaign's own library: one that grows meanwhile would change what is asked."""
    from agents.literature.library import FILE, Library

    kept, making = folder / FILE, folder / f".{FILE}"
    if not kept.exists():
        making.unlink(missing_ok=True)  # What a killed process left.
        Library(source / FILE).copy(making)
        making.replace(kept)
    return kept


def purse_of(spec: CampaignSpec, share: float = 1.0) -> Purse:
    """Return a full purse with a share of the caps of the campaign.

    Raises:
        PriceUnknown: money is capped, and the price of one of the models is not known.
    """
    from agents.metering import Purse
    from agents.model_settings import rates

    money, tokens = spec.budget.money, spec.budget.tokens
    return Purse(
        None if money is None else share * money,
        None if tokens is None else int(share * tokens),
        rates(spec.models.values()),
    )


def models_of(spec: CampaignSpec, environ: Mapping[str, str]) -> dict[str, Model]:
    """Return the model of each role, the one of all others under the empty name.

    Raises:
        SettingsInvalid: there is none for the others.
        ModelSettingsWrong: a model's key is not where the settings say.
    """
    from agents.openai_model import open_model

    if OTHERS not in spec.models:
        raise SettingsInvalid(
            f"Team {spec.team!r} thinks by language models, and the campaign names none for all roles. Add a "
            f"table [models.{OTHERS}] with base_url, model and key_env; docs/models.md has examples."
        )
    opened: dict[str, Model] = {}
    for role, settings in spec.models.items():
        opened["" if role == OTHERS else role] = open_model(settings, environ)
    return opened


class Careful:
    """A purse of which a part is kept until the paper is written: a campaign that ran out of money says what it found.

    What is asked before that is paid out of `early`, a smaller purse, as well. A call that does not fit beside what is
    set aside for others waits for them, because they mostly use less. Safe to share by threads.
    """

    def __init__(self, purse: Purse, early: Purse) -> None:
        """Hold the caps of both."""
        self._purse, self._early = purse, early
        self._under_way: dict[int, int | None] = {}
        self._turn = Condition()

    def restore(self, calls: Iterable[Stored]) -> None:
        """Count `calls`, each once, that were bought before this process began."""
        bought = list(calls)
        self._purse.restore(bought)
        self._early.restore(stored for stored in bought if stored.call.stage not in WRITING)

    def reserve(self, model: str, call: Call) -> int:
        """Set aside the most that the call can cost, and return a ticket; wait while calls under way stand against it.

        Raises:
            ModelBudgetSpent: a cap does not allow it, or what is left is kept for the paper.
        """
        with self._turn:
            while True:
                try:
                    return self._reserved(model, call)
                except ModelBudgetSpent:
                    if not self._under_way:
                        raise
                self._turn.wait()

    def settle(self, ticket: int, reply: Reply) -> float | None:
        """Put what was used in place of what was set aside; return the price in dollars, None if unknown."""
        with self._turn:
            if (early := self._under_way.pop(ticket)) is not None:
                self._early.settle(early, reply)
            self._turn.notify_all()
            return self._purse.settle(ticket, reply)

    def release(self, ticket: int, requests: int = 0) -> None:
        """Give back what was set aside."""
        with self._turn:
            if (early := self._under_way.pop(ticket)) is not None:
                self._early.release(early, requests)
            self._turn.notify_all()
            self._purse.release(ticket, requests)

    def _reserved(self, model: str, call: Call) -> int:
        early = None
        if call.stage not in WRITING:
            try:
                early = self._early.reserve(model, call)
            except ModelBudgetSpent as spent:
                raise ModelBudgetSpent(f"{spent.what} before the paper", spent.cap, spent.left, spent.wanted) from None
        try:
            ticket = self._purse.reserve(model, call)
        except ModelBudgetSpent:
            if early is not None:
                self._early.release(early)
            raise
        self._under_way[ticket] = early
        return ticket


def _tell(campaign: OpenCampaign, key: str, stored: Stored) -> None:
    campaign.append_call(called(key, stored))


def _tell_refusal(campaign: OpenCampaign, call: Call, refusal: Refusal) -> None:
    campaign.append_once(notice(call, refusal))


def _faults(template: Template, dossier: Dossier, draft: Draft) -> tuple[str, ...]:
    from flows.papers.faults import draft_faults

    return draft_faults(draft, dossier, template)
