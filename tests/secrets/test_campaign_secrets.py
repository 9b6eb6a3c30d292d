"""A whole campaign of a user full of secrets: not one of them is anywhere afterwards, and the search would find it."""

from __future__ import annotations

import io
import json
import secrets
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandboxes.contract import Outcome, RunSpec
from sandboxes.docker import DockerSandbox
from sandboxes.images import ImageSpec, image_tag
from tests.campaign.running import of_kind
from tests.secrets.canaries import ENCODINGS, Canaries
from tests.secrets.decoding import folder_parts, parts
from tests.secrets.search import search
from tests.secrets.staging import Campaign, image_removed, saved_image, staged
from tests.secrets.watching import watched

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = [pytest.mark.docker, pytest.mark.campaign, pytest.mark.prefect, pytest.mark.mlflow]
SINKS = {
    "the home": (
        "journal.jsonl", "run.log", "out/seen.json", "score/seen.json", "repo > commit", "repo > blob", "paper.typ",
        "paper/paper.pdf > text", "paper/report.html", "mlflow.db, log included > table tags", "mlflow/artifacts/",
        "prefect.db, log included > table flow_run", "prefect/server.log", "selfchecks/",
    ),
    "what the engine says of containers": ("event create", "event die", "at create", "at start", "hypoloop-"),
    "what containers printed": ("-run-", "-tools-"),
    "what the command printed": ("stdout of run", "stderr of run", "stdout of export", "stdout of status"),
    "the bundle": ("bundle.zip > journal.jsonl", "> commit", "paper.pdf > text", "out/estimate.json"),
    "the image": ("inspect", "history", "METADATA", "layer"),
    "command lines": ("/proc/",),
    "temporary files": (".lock",),
    "the user's own folder": (),
}  # fmt: skip
"""What could have taken a secret in, and what must have been among its parts, or nobody looked."""


@pytest.fixture(scope="module")
def campaign(engine: DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    with staged(tmp_path_factory.mktemp("secrets"), engine) as campaign:
        yield campaign


def test_every_part_of_the_campaign_was_there_to_look(campaign: Campaign) -> None:
    executions = of_kind(campaign.home, campaign.name, "execution")
    assert {each["outcome"] for each in executions} >= {"ok", "failed"}
    assert of_kind(campaign.home, campaign.name, "claim")
    logs = [(campaign.home / "campaigns" / campaign.name / "executions" / e["key"] / "run.log") for e in executions]
    told = "".join(log.read_text(encoding="utf-8") for log in logs)
    assert "RuntimeError: crashed, with all that is known" in told
    assert "RuntimeError: refused, with all that is known" in told


def test_programs_hunted_and_were_heard(campaign: Campaign) -> None:
    for part in ("run", "tools"):
        heard = [log for name, log in campaign.seen.logs.items() if f"hunter-{part}-" in name and b"HUNTED" in log]
        assert heard, f"no log of a container {part}"
    assert campaign.index.let_in
    assert campaign.index.arguments


@pytest.mark.parametrize("sink", SINKS)
def test_no_secret_is_in(campaign: Campaign, sink: str) -> None:
    taken_apart = list(campaign.sinks()[sink]())
    where = "\n".join(part.where for part in taken_apart)
    assert not [name for name in SINKS[sink] if name not in where]
    assert search(campaign.canaries, taken_apart) == []


def test_no_sink_is_left_out(campaign: Campaign) -> None:
    assert set(campaign.sinks()) == set(SINKS)


def test_the_files_of_the_user_are_as_they_were(campaign: Campaign) -> None:
    assert [path for path, text in campaign.planted.items() if path.read_text(encoding="utf-8") != text] == []


CANARIES = Canaries()
WRITTEN = {name: encode(CANARIES.of("planted")) for name, encode in ENCODINGS.items() if not name.startswith("UTF-16")}
EVERYTHING = "\n".join(f"seen {text.decode()} here" for text in WRITTEN.values())


def encodings(where: str, hits: list[tuple[str, str]]) -> set[str]:
    return {encoding.removesuffix(", squeezed") for place, encoding in hits if where in place}


def everything() -> set[str]:
    return encodings("", [hit[:2] for hit in search(CANARIES, parts("here", EVERYTHING.encode()))])


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def update(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(statement, (EVERYTHING,)).rowcount == 1
        connection.commit()


def leaked(home: Path, name: str) -> list[str]:
    """Plant every encoding in every kind of file of a copy of the home; return what to look for."""
    import typst

    folder = home / "campaigns" / name
    execution = next((folder / "executions").glob("*/out/seen.json")).parent.parent
    artifact = next(path for path in sorted((home / "mlflow" / "artifacts").rglob("*.json")))
    for path in (folder / "paper" / "paper.typ", folder / "paper" / "report.html", execution / "run.log", artifact):
        append(path, EVERYTHING)
    for path in (folder / "journal.jsonl", execution / "out" / "seen.json"):
        append(path, json.dumps({"said": EVERYTHING}))
    words = "\n".join(f"#raw({json.dumps(text.decode())})\n" for text in WRITTEN.values())
    (folder / "paper" / "paper.pdf").write_bytes(typst.compile({"main.typ": words.encode()}, format="pdf"))
    git = ("git", "--git-dir", str(folder / "repo"), "hash-object", "-w", "--stdin")
    blob = subprocess.run(git, input=EVERYTHING.encode(), capture_output=True, check=True).stdout.decode()[:12]
    update(home / "mlflow" / "mlflow.db", "update tags set value = ? where rowid = (select min(rowid) from tags)")
    update(home / "prefect" / "prefect.db", "update log set message = ? where rowid = (select min(rowid) from log)")
    return [
        "paper.typ", "report.html", "run.log", artifact.name, "journal.jsonl", "seen.json", "paper.pdf", f"blob {blob}",
        "mlflow.db, log included > table tags", "prefect.db, log included > table log",
    ]  # fmt: skip


def test_a_secret_in_any_file_of_the_home_would_be_found(campaign: Campaign, tmp_path: Path) -> None:
    copy = tmp_path / "home"
    shutil.copytree(campaign.home, copy)
    places = leaked(copy, campaign.name)
    hits = [hit[:2] for hit in search(CANARIES, folder_parts(copy))]
    for place in places:
        assert encodings(place, hits) >= everything(), place


def layers(files: list[tuple[str, bytes]]) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    stream.seek(0)
    return stream


def test_a_secret_in_an_image_would_be_found_even_if_a_later_layer_hides_it(engine: DockerClient) -> None:
    tag = f"hypoloop-test/planted:{secrets.token_hex(6)}"
    recipe = f"FROM scratch\nENV KEPT={CANARIES.of('variable')}\nCOPY full /secret\nCOPY empty /secret\nENV KEPT=\n"
    context = layers([("Dockerfile", recipe.encode()), ("full", EVERYTHING.encode()), ("empty", b"")])
    with image_removed(engine, tag):
        engine.images.build(fileobj=context, custom_context=True, tag=tag, rm=True, forcerm=True)
        hits = [hit[:2] for hit in search(CANARIES, saved_image(engine, tag))]
    assert "plain" in encodings("history", hits)
    assert encodings("secret", hits) >= everything()


def test_a_secret_that_a_program_is_given_is_found_by_it_and_by_the_search(
    engine: DockerClient, campaign: Campaign, tmp_path: Path
) -> None:
    owner = f"leak{secrets.token_hex(4)}"
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / ".netrc").write_text(f"default login x password {CANARIES.of('file')}\n", encoding="utf-8")
    spec = RunSpec(
        run_id="leak",
        argv=("{python}", "-B", "{code}/run.py", "--seed", "1", "--out", "{out}"),
        code=campaign.area.folder("templates") / "hunter" / "workload",
        data={"more": tmp_path / "more"},
        out=tmp_path / "out",
        image=image_tag(ImageSpec(requirements=(f"{campaign.index.package}==1.0",))),
        env={"ZZ_QUIET_THING": CANARIES.of("variable")},
    )
    with watched(engine, owner) as seen, closing(DockerSandbox(owner)) as sandbox:
        assert sandbox.run(spec).outcome is Outcome.OK
    assert any("at create" in hit.where for hit in search(CANARIES, seen.told))
    assert any("log of" in hit.where for hit in search(CANARIES, seen.log_parts()))
    written = json.loads((tmp_path / "out" / "seen.json").read_text(encoding="utf-8"))
    assert CANARIES.of("variable") in written["environment"]["ZZ_QUIET_THING"]
    assert any(CANARIES.of("variable") in told["environ"] for told in written["processes"].values())
    assert any(CANARIES.token in text for path, text in written["files"].items() if path.endswith(".netrc"))
    assert search(CANARIES, folder_parts(tmp_path / "out"))
