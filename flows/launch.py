"""Launch: a campaign from the command line, with a Prefect server under it and progress above it."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from agents.errors import ModelUnavailable
from agents.teams import model_writes
from flows.ending import print_ending
from flows.errors import CampaignInterrupted, ModelSilent, SettingsInvalid
from flows.ledger.database import open_client
from flows.ledger.errors import CampaignBusy, TrackingError
from flows.ledger.lease import holder_of
from flows.ledger.reading import campaign_names, read_campaign
from flows.opened import require_open
from flows.progress import Progress
from flows.search.strategy import load_strategy
from flows.server import begin_server
from flows.settings import CampaignSpec, campaign_folder, template_folders
from flows.thinking import models_of, purse_of
from sandboxes.connection import connect
from templates.template import Template, load_template


def launch(spec: CampaignSpec, home: Path) -> None:
    """Run or resume `spec` under `home` to its end, show progress, print what came out.

    Uses the Prefect server that answers, else starts one for as long as the campaign lasts and leaves its history
    complete.

    Raises:
        CampaignInterrupted: Ctrl-C or SIGTERM; the journal is whole and `hypoloop resume` goes on.
    """
    console = Console()
    template = load_template(spec.template, template_folders(spec))
    home.mkdir(parents=True, exist_ok=True)
    # A shell starts what it puts in the background with Ctrl-C ignored; who sends the signal all the same means it.
    for wish in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wish, signal.default_int_handler)
    journal = campaign_folder(home, spec.name) / "journal.jsonl"
    _preflight(spec, home, template)
    with begin_server(home) as server:
        console.print("[dim]Prefect server: waiting for it to answer ...[/]")
        threading.Thread(target=_make_database, args=(home,), name="mlflow-database", daemon=True).start()
        # What goes wrong ends as one sentence on the terminal and in full in the Prefect UI.
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        os.environ.update(server.client_environment())
        from flows.campaign import campaign

        server.ready()
        try:
            with Progress(journal, spec, template, console):
                campaign(spec, str(home))
        except KeyboardInterrupt as stopped:
            raise CampaignInterrupted(spec.name) from stopped
        except ModelUnavailable as silent:
            if spec.replay_of is not None:
                raise  # No answer will come later either.
            raise ModelSilent(spec.name, str(silent)) from silent
        finally:
            console.print("[dim]Prefect server: waiting until its history is complete ...[/]")
    print_ending(spec, home, console)


def _preflight(spec: CampaignSpec, home: Path, template: Template) -> None:
    """Refuse what cannot go well before a server is started or anything is written."""
    if model_writes(spec.team):
        _refuse_weak(spec)
    if model_writes(spec.team) and spec.replay_of is None:
        models_of(spec, os.environ)
        purse_of(spec)
    load_strategy(spec.strategy)
    holder = holder_of(campaign_folder(home, spec.name))
    if holder is not None:
        raise CampaignBusy(spec.name, holder.pid, f"{holder.at:%Y-%m-%d %H:%M:%S} UTC")
    state = read_campaign(home, spec.name) if spec.name in campaign_names(home) else None
    if state is not None:
        require_open(state, spec, template)
    if "docker" in (spec.sandbox, state.backend if state else ""):
        connect().close()


def _refuse_weak(spec: CampaignSpec) -> None:
    """Refuse plain processes for code that a model writes; what else a sandbox lacks here shows when it is opened.

    Raises:
        SettingsInvalid: the user did not allow it.
    """
    if spec.sandbox == "process" and not spec.allow_weak_sandbox:
        raise SettingsInvalid(
            f"A model writes the code of campaign {spec.name!r}, and plain processes confine nothing. Set `sandbox` to "
            "docker, podman, bubblewrap or auto, or set `allow_weak_sandbox = true` if this machine may be lost."
        )


def _make_database(home: Path) -> None:
    """Make MLflow's tables while the Prefect server comes up. What is wrong with them, the tracker will say."""
    with suppress(TrackingError):
        open_client(home)
