"""Errors of the flow floor.

FlowError                      a campaign cannot go on as asked
├── SettingsInvalid            the campaign file says something it must not
├── CampaignExists             a campaign, or a file, of this name is there already
├── CampaignClosed             the campaign has ended
├── CampaignInterrupted        it was told to stop
│   └── NobodyAnswered         it asked, and the time is up
├── TemplateChanged            the template is not the one the campaign began with
├── BackendChanged             the sandbox is not the one the campaign began in
├── BudgetSpent                the next step would cross a cap
├── NothingWritten             the campaign has no draft yet
├── ClaimUnknown               the campaign makes no claim of this name
├── DeviationRefused           a plan may not be changed so
├── AnswerRefused              an answer is none that its question allows
├── BundleError                a bundle cannot be made or used
│   ├── BundleMissing          there is no such file
│   ├── BundleBroken           it is not what an export wrote
│   ├── BundleTooLarge         it would hold more than a bundle can
│   ├── BundleDiscloses        it would give away what belongs to this machine alone
│   └── RecordsChanged         something of the campaign is not what its journal says
└── ServiceError               a service under the campaign failed
    ├── ModelSilent            a model gives no answer
    ├── PortInUse              something else listens on the port
    ├── ServerFailed           a server did not start, answer or stop
    ├── ServerInUse            a campaign still writes its history there
    └── UnsafeDatabase         Prefect would freeze on this database
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class FlowError(Exception):
    """A campaign cannot go on as asked."""


class SettingsInvalid(FlowError):
    """The campaign file is missing or says something it must not."""


class CampaignExists(FlowError):
    """A campaign, or a file, of this name is there already."""


class CampaignClosed(FlowError):
    """The campaign has ended."""

    def __init__(self, name: str) -> None:
        """Name the campaign."""
        self.name = name
        super().__init__(f"Campaign {name!r} has ended. See what it found with `hypoloop status {name}`.")


class CampaignInterrupted(FlowError):
    """The campaign was told to stop."""

    def __init__(self, name: str) -> None:
        """Name the campaign."""
        self.name = name
        super().__init__(f"Campaign {name!r} was interrupted. Go on with it: hypoloop resume {name}")


class NobodyAnswered(CampaignInterrupted):
    """The campaign asked people, and nobody answered in time."""

    def __init__(self, name: str, question: str) -> None:
        """Name the campaign and the question that stays open."""
        super().__init__(name)
        self.question = question
        self.args = (
            f"Nobody answered question {question} of campaign {name!r} in time. Answer it: hypoloop answer {name}. "
            f"Then go on: hypoloop resume {name}",
        )


class TemplateChanged(FlowError):
    """The template is not the one the campaign began with."""

    def __init__(self, template: str, campaign: str) -> None:
        """Name both."""
        self.template, self.campaign = template, campaign
        super().__init__(
            f"Template {template!r} is not what it was when campaign {campaign!r} began, so new results could not be "
            "compared with the old. Bring the old template back, or begin another campaign."
        )


class BackendChanged(FlowError):
    """The sandbox is not the one the campaign began in."""

    def __init__(self, campaign: str, before: str, now: str) -> None:
        """Name the campaign, the sandbox it began in and the one that is asked for."""
        self.campaign, self.before, self.now = campaign, before, now
        super().__init__(
            f"Campaign {campaign!r} began in the {before} sandbox and cannot go on in {now}. "
            f"Set `sandbox = {before!r}`, or begin another campaign."
        )


class BudgetSpent(FlowError):
    """The next step would cross a cap of the campaign."""

    def __init__(self, what: str, cap: float) -> None:
        """Name what is spent and its cap."""
        self.what, self.cap = what, cap
        super().__init__(f"The budget of {cap:g} {what} does not allow the next step.")


class NothingWritten(FlowError):
    """The campaign has no draft yet."""

    def __init__(self, name: str) -> None:
        """Name the campaign."""
        self.name = name
        super().__init__(f"Campaign {name!r} has written nothing yet. Go on with it: hypoloop resume {name}")


class ClaimUnknown(FlowError):
    """The campaign makes no claim of this name."""

    def __init__(self, claim: str, campaign: str, known: Sequence[str]) -> None:
        """Name what was asked for, the campaign, and the claims it makes."""
        self.claim, self.campaign = claim, campaign
        super().__init__(f"Campaign {campaign!r} makes no claim {claim!r}. It makes: {', '.join(known) or 'none yet'}.")


class DeviationRefused(FlowError):
    """A plan may not be changed so."""

    def __init__(self, plan: str, why: str) -> None:
        """Name the plan and say why not."""
        self.plan, self.why = plan, why
        super().__init__(f"Plan {plan!r} is not changed: {why}.")


class AnswerRefused(FlowError):
    """An answer is none that its question allows, or there is no question."""


class BundleError(FlowError):
    """A bundle cannot be made or used."""


class BundleMissing(BundleError):
    """There is no such file."""

    def __init__(self, path: Path) -> None:
        """Name it."""
        self.path = path
        super().__init__(f"There is no bundle {path}. `hypoloop export NAME` makes one.")


class BundleBroken(BundleError):
    """It is not what an export wrote."""

    def __init__(self, why: str) -> None:
        """Say what is wrong with it first."""
        self.why = why
        super().__init__(f"The bundle does not hold: {why}. Get it again from where it came.")


class BundleTooLarge(BundleError):
    """It would hold more than a bundle can."""

    def __init__(self, what: str) -> None:
        """Say what there is too much of."""
        super().__init__(f"There is more than a bundle can hold: {what}. Leave outputs out: `--outputs 0`.")


class BundleDiscloses(BundleError):
    """It would give away what belongs to this machine alone."""


class RecordsChanged(BundleError):
    """Something of the campaign is not what its journal says."""

    def __init__(self, campaign: str, name: str, how: str) -> None:
        """Name the campaign, the file or record, and how it differs."""
        self.name = name
        super().__init__(f"{name} {how}, so nothing was done. `hypoloop verify {campaign}` says all that differs.")


class ServiceError(FlowError):
    """A service under the campaign failed."""


class ModelSilent(ServiceError):
    """A model gives no answer; the campaign stands still until it does."""

    def __init__(self, campaign: str, why: str) -> None:
        """Name the campaign, and say why in a sentence."""
        super().__init__(
            f"{why} What was bought is kept. Once it answers, go on: hypoloop resume {campaign}. Where the settings "
            f"are wrong, lay others over them, as in HYPOLOOP__MODELS__DEFAULT__BASE_URL=... hypoloop resume {campaign}"
        )


class PortInUse(ServiceError):
    """Something else listens on the port."""

    def __init__(self, port: int, option: str = "--prefect-port") -> None:
        """Name the port and the `option` that chooses another."""
        self.port = port
        super().__init__(
            f"Port {port} is in use by another program. Free it, or choose another: `hypoloop up {option} {port + 1}`."
        )


class ServerFailed(ServiceError):
    """A server did not start, answer or stop."""


class ServerInUse(ServiceError):
    """A campaign still writes its history to the Prefect server."""

    def __init__(self) -> None:
        """Say how to end the campaign first."""
        super().__init__(
            "A campaign is still running on the Prefect server. Wait for it, or stop it with Ctrl-C; "
            "then `hypoloop down` again."
        )


class UnsafeDatabase(ServiceError):
    """Prefect would freeze for a minute at a time on this database."""

    def __init__(self, plugin: str) -> None:
        """Name the `plugin` that the URL lacks."""
        super().__init__(
            "Prefect freezes for up to a minute at a time on SQLite with more than one connection. "
            f"Add `?plugin={plugin}` to the database URL, or use PostgreSQL."
        )
