"""The command line. Commands are imported only when they run, so that `--help` is instant."""

from __future__ import annotations

import importlib
import sys

import click

COMMANDS = {
    "init": ("flows.commands.campaigns:init", "Write a campaign file to start from."),
    "doctor": ("flows.commands.doctor:doctor", "Say what this machine can do and what is missing."),
    "demo": ("flows.commands.campaigns:demo", "Run a real campaign that needs no model, key or network."),
    "run": ("flows.commands.campaigns:run", "Run the campaign that a file describes."),
    "resume": ("flows.commands.campaigns:resume", "Go on with a campaign that was interrupted."),
    "status": ("flows.commands.show:status", "Show where campaigns stand."),
    "report": ("flows.commands.show:report", "Write paper and report again from the journal."),
    "verify": ("flows.commands.show:verify", "Check that a campaign's records hold; name the first that does not."),
    "answer": ("flows.commands.answer:answer", "Answer what a copilot campaign asks."),
    "deviate": ("flows.commands.deviate:deviate", "Change a registered plan in the open; its result is exploratory."),
    "export": ("flows.commands.bundle:export", "Write a campaign to one file that others can check."),
    "reproduce": ("flows.commands.bundle:reproduce", "Run the executions of a claim again and compare."),
    "up": ("flows.commands.services:up", "Start the Prefect server and the MLflow UI on this machine."),
    "down": ("flows.commands.services:down", "Stop them once their history is complete."),
    "template": ("flows.commands.template:template", "List, show and check what can be experimented on."),
    "library": ("flows.commands.library:library", "Keep and search the literature that ideas and papers rest on."),
    "sandbox": ("flows.commands.sandbox:sandbox", "Run one program in a sandbox, or check what it holds."),
    "image": ("flows.commands.image:image", "Build, list and prune the sandbox images."),
    "bench": ("flows.commands.bench:bench", "Measure what is promised here: false claims, power, what is saved."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of a campaign's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hypoloop", prog_name="hypoloop")
@click.option(
    "--home",
    metavar="DIR",
    envvar="HYPOLOOP_HOME",
    help="Where campaigns live. Default: $HYPOLOOP_HOME, else .hypoloop in this folder.",
)
@click.pass_context
def hypoloop(ctx: click.Context, home: str | None) -> None:
    """Run research campaigns whose claims hold."""
    ctx.obj = home


def main() -> None:
    """Run the command line; errors become one plain sentence and an exit code.

    0 it worked; 1 something does not hold; 2 the input is wrong; 3 the platform failed; 4 busy or already there;
    130 interrupted.
    """
    try:
        hypoloop(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the one place where our own errors end; all others go on
        from flows.exits import exit_code, sentence

        code = exit_code(error)
        if code is None:
            raise
        click.echo(f"hypoloop: {sentence(error)}", err=True)
        sys.exit(code)


if __name__ == "__main__":
    main()
