"""A pretended machine to run claims again on: its sandbox is scripted, and it remembers what was asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flows.laboratory import Laboratory
from flows.reproducing import How, open_subject, reproduce
from flows.reproduction import Reproduction
from flows.settings import CampaignSpec
from sandboxes import FakeSandbox, RunResult, RunSpec
from sandboxes.devices import Devices
from templates.template import Template
from tests.bundle.recorded import toss

Script = Callable[[RunSpec], RunResult | Mapping[str, bytes]]


class Machine:
    """What runs in its sandbox, whether that isolates, its image, and what each opening asked for."""

    def __init__(self) -> None:
        self.script: Script = toss
        self.isolates = True
        self.image_id: str | None = None
        self.asked: list[tuple[CampaignSpec, str, bool, str | None]] = []
        self.sandboxes: list[FakeSandbox] = []

    @contextmanager
    def open(
        self, spec: CampaignSpec, template: Template, before: str, home: Path, written: bool, image: str | None
    ) -> Iterator[Laboratory]:
        self.asked.append((spec, before, written, image))
        sandbox = FakeSandbox(self.script, isolates=self.isolates)
        self.sandboxes.append(sandbox)
        try:
            yield Laboratory(sandbox, before or spec.sandbox, self.image_id, Devices(()))
        finally:
            sandbox.close()


def again(home: Path, told: str, how: How | None = None) -> Reproduction:
    with open_subject(home, told) as subject:
        return reproduce(subject, subject.claim("k1"), how or How(), home, lambda done, total: None)


def left(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "scratch").iterdir()]
