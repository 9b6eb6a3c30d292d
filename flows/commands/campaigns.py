"""init, demo, run, resume: campaigns from the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import click

from flows.settings import CampaignSpec, campaign_folder, home_folder, overridden, read_spec, spec_of

SAMPLE = """\
# A hypoloop campaign. Run it with `hypoloop run {file}`.
name = "{name}"
template = "{template}"      # `hypoloop template list` shows what there is
{team}
sandbox = "auto"             # docker where an engine answers, else bubblewrap, else process (hypoloop's own code only)
seed = 1
alpha = 0.05                 # false discovery rate over all plans of the campaign

[budget]
rounds = 2
ideas_per_round = 6
plans_per_round = 2
executions = 1200
wall_minutes = 240
{models}"""
TEAMS = {
    "embedded": ('team = "embedded"            # needs no model and no key', ""),
    "llm": (
        'team = "llm"                 # thinks by the models below; its code runs only where a sandbox isolates',
        """money = 5.0                  # US dollars for calls to models; a quarter is kept for the paper

[models.default]             # every role; [models.coder] and so on may have their own: docs/models.md
base_url = "https://api.openai.com/v1"
model = "gpt-4o-mini"
key_env = "OPENAI_API_KEY"   # the variable that holds the key; the key itself never stands here
""",
    ),
}
"""Line of the team, and what else its campaign file says."""


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default=Path("campaign.toml"))
@click.option("--name", default="first-campaign", show_default=True)
@click.option("--template", "template_", default="boltzmann-sampling", show_default=True)
@click.option("--team", type=click.Choice(["embedded", "llm"]), default="embedded", show_default=True)
def init(file: Path, name: str, template_: str, team: str) -> None:
    """Write a campaign file to start from."""
    from flows.errors import CampaignExists
    from templates.template import load_template

    if file.exists():
        raise CampaignExists(f"{file} is there already; nothing was written. Name another file.")
    spec_of({"name": name, "template": load_template(template_).name}, where="init")
    line, models = TEAMS[team]
    text = SAMPLE.format(file=file.name, name=name, template=template_, team=line, models=models)
    file.write_text(text, encoding="utf-8")
    click.echo(f"Wrote {file}. Next: hypoloop run {file}")


@click.command()
@click.option("--template", "template_", default="boltzmann-sampling", show_default=True)
@click.option(
    "--sandbox",
    type=click.Choice(["auto", "docker", "podman", "bubblewrap", "process"]),
    default="auto",
    show_default=True,
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--name", help="Default: demo, or demo-2 and so on where that exists.")
@click.pass_obj
def demo(home: str | None, template_: str, sandbox: str, seed: int, name: str | None) -> None:
    """Run a real campaign that needs no model, key or network, and print what it found."""
    from flows.launch import launch

    folder = home_folder(home)
    spec = spec_of(
        {
            "name": name or _free_name(folder, "demo"),
            "template": template_,
            "sandbox": sandbox,
            "seed": seed,
            "budget": {"rounds": 2, "ideas_per_round": 4, "plans_per_round": 1},
        },
        where="demo",
    )
    _refuse_existing(folder, spec)
    launch(spec, folder)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--replay", metavar="CAMPAIGN", help="Run CAMPAIGN again on its stored answers: no network, key or cost.")
@click.option("--name", metavar="NEW", help="With --replay: the new campaign. Default: CAMPAIGN-replay.")
@click.pass_obj
def run(home: str | None, file: Path | None, replay: str | None, name: str | None) -> None:
    """Run the campaign that FILE describes (default: campaign.toml)."""
    from flows.launch import launch

    folder = home_folder(home)
    if replay is not None:
        spec = _replayed(folder, replay, name, file)
    elif name is not None:
        raise click.UsageError("--name goes with --replay; the name of a campaign is in its file.")
    else:
        spec = read_spec(file or Path("campaign.toml"), os.environ)
    _refuse_existing(folder, spec)
    launch(spec, folder)


@click.command()
@click.argument("name")
@click.pass_obj
def resume(home: str | None, name: str) -> None:
    """Go on with the campaign NAME that was interrupted; nothing that is finished runs again."""
    from flows.errors import CampaignClosed
    from flows.launch import launch
    from flows.ledger.reading import read_campaign, read_events
    from flows.ledger.record import anchor_closing
    from flows.ledger.tracking import rebuild
    from flows.ledger.workspace import Workspace

    folder = home_folder(home)
    state = read_campaign(folder, name)
    if state.closed is not None:
        # It may have died between its last event and MLflow's hearing of it, or before that event was committed.
        events = read_events(folder, name)
        anchor_closing(Workspace.open(campaign_folder(folder, name) / "repo"), events[-1])
        rebuild(folder, name, events)
        raise CampaignClosed(name)
    launch(_anew(state.spec, os.environ), folder)


def _anew(values: Mapping[str, Any], environ: Mapping[str, str]) -> CampaignSpec:
    """Return the campaign as it began; `HYPOLOOP__MODELS__...` may say otherwise where its models are by now."""
    where_models_are = {name: value for name, value in environ.items() if name.startswith("HYPOLOOP__MODELS__")}
    return spec_of(overridden(deepcopy(dict(values)), where_models_are), where="resume")


def _replayed(home: Path, of: str, name: str | None, file: Path | None) -> CampaignSpec:
    from flows.replaying import replayed_spec

    given = read_spec(file, os.environ) if file else None
    return replayed_spec(home, of, name or _free_name(home, f"{of}-replay"), given)


def _free_name(home: Path, stem: str) -> str:
    names = (stem if n == 1 else f"{stem}-{n}" for n in range(1, 10_000))
    return next(name for name in names if not campaign_folder(home, name).exists())


def _refuse_existing(home: Path, spec: CampaignSpec) -> None:
    from flows.errors import CampaignExists
    from flows.ledger.reading import campaign_names

    if spec.name in campaign_names(home):
        raise CampaignExists(
            f"A campaign {spec.name!r} is there already. Go on with it: hypoloop resume {spec.name}. "
            "Or give the new one another name."
        )
