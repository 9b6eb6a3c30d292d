"""Play payload by payload, and print what came of it and the tables: `python -m tests.injection [EVERY]`.

EVERY plays only each so-manieth payload; 1, the default, plays all, a campaign of a few seconds for each.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from tests.injection.marks import strays
from tests.injection.payloads import payloads
from tests.injection.places import PLACES, Planted
from tests.injection.playing import play
from tests.injection.table import kind_rows, place_rows, role_rows


def main() -> int:
    """Return 1 where anything changed that must not."""
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    changed, ended = 0, []
    with tempfile.TemporaryDirectory() as folder:
        honest = play(Path(folder) / "honest", Planted({}))
        numbers = range(0, len(payloads()), every)
        for number in numbers:
            texts = {place: (payloads()[number].marked(f"canary-{place}-zz-end"),) for place in PLACES}
            one = play(Path(folder) / str(number), Planted(texts))
            sound = one.facts == honest.facts and one.outside[0] == one.outside[1]
            loose = {place for call in one.model.calls for place in strays(call)}
            changed += not sound or bool(loose)
            said = "changed" if not sound else f"loose in {', '.join(loose)}" if loose else "unchanged"
            click.echo(f"{number:3} {payloads()[number].kind:32} {len(one.model.calls):4} calls  {said}")
            ended.append(one)
        click.echo("\n".join(["", *role_rows(honest), "", *place_rows(ended), "", *kind_rows(), ""]))
        click.echo(f"{len(numbers)} payloads in {len(PLACES)} places: {changed} changed anything")
    return int(changed > 0)


if __name__ == "__main__":
    sys.exit(main())
