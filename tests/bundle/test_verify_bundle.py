"""A bundle is checked with nothing but itself; every changed byte is found, with the manifest as it was or forged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from flows.bundle import verify_bundle
from flows.bundle.names import CRATE, misplaced
from flows.bundle.opening import manifest_faults
from flows.commands.words import visible
from flows.errors import BundleMissing
from flows.ledger.chain import canonical, scan
from flows.ledger.findings import Finding
from tests.bundle.forging import forged, members, tampered, written
from tests.bundle.recorded import Recorded
from tests.campaign.running import ROOT, environment


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another place than where the campaign was, in which nothing may be left."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    return scratch


def bad(path: Path) -> dict[str, str]:
    return {finding.what: finding.detail for finding in verify_bundle(path) if not finding.ok}


def test_a_bundle_holds_where_neither_its_campaign_nor_its_template_is(bundle: Path, scratch: Path) -> None:
    findings = verify_bundle(bundle)
    assert [finding for finding in findings if not finding.ok] == []
    looked_at = [finding.what for finding in findings]
    assert looked_at[:5] == ["bundle", "facts", "repository", "template", "journal"]
    assert {"anchors", "commits", "plans", "seeds and splits", "executions", "claims", "paper"} <= set(looked_at)
    assert looked_at[-5:] == ["readable copies", "crate", "nothing else", "left out", "MLflow"]
    assert findings[-1] == Finding("MLflow", True, "no part of a bundle, so nothing of it was looked at")
    assert list(scratch.iterdir()) == []


def test_an_open_campaign_s_bundle_holds_and_is_called_open(open_bundle_file: Path) -> None:
    findings = {finding.what: finding for finding in verify_bundle(open_bundle_file)}
    assert all(finding.ok for finding in findings.values())
    assert "open: it had not ended" in findings["facts"].detail


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1]) if content else b"x"


def wrapped(files: dict[str, bytes]) -> bool:
    """Whether these files are what their manifest says; the first of all checks."""
    held = {name: sha256(content).hexdigest() for name, content in files.items()}
    return not misplaced(tuple(files)) and not manifest_faults(files.get("MANIFEST.sha256", b""), held)


def test_one_changed_byte_in_any_file_is_found(open_bundle_file: Path, bundle: Path) -> None:
    for whole in (open_bundle_file, bundle):
        files = members(whole)
        assert wrapped(files)
        for name, content in files.items():
            assert not wrapped(files | {name: flipped(content)}), f"{name} was changed and nothing said so"


def test_a_file_removed_renamed_or_added_is_found(bundle: Path) -> None:
    files = members(bundle)
    for name, content in files.items():
        less = {other: text for other, text in files.items() if other != name}
        assert not wrapped(less)
        assert not wrapped(less | {f"{name}.x": content})
    for name in ("x", "paper/x", "executions/x/y", "templates/coin/x", "repo/HEAD"):
        assert not wrapped(files | {name: b"x"})


@pytest.mark.parametrize(
    "name", ["journal.jsonl", "repository.bundle", "README.md", "MANIFEST.sha256", "plans/p1.json"]
)
def test_and_the_whole_check_says_which(open_bundle_file: Path, tmp_path: Path, name: str) -> None:
    content = members(open_bundle_file)[name]
    assert "manifest" in bad(tampered(open_bundle_file, tmp_path / "x.zip", {name: flipped(content)}))["bundle"].lower()
    gone = bad(tampered(open_bundle_file, tmp_path / "y.zip", {name: None}))["bundle"]
    assert name in gone


Forgery = Callable[[dict[str, bytes]], dict[str, bytes | None]]


def first(files: dict[str, bytes], end: str) -> str:
    return next(name for name in files if name.endswith(end))


def journal_with(change: Callable[[list[dict]], None]) -> Forgery:
    """A journal that was changed and chained anew, so that nothing but its meaning tells."""

    def forge(files: dict[str, bytes]) -> dict[str, bytes | None]:
        events, before = [json.loads(line) for line in files["journal.jsonl"].splitlines()], "0" * 64
        change(events)
        for seq, event in enumerate(events, start=1):
            event |= {"seq": seq, "prev": before}
            del event["hash"]
            before = event["hash"] = sha256(canonical(event)).hexdigest()
        facts = json.loads(files["bundle.json"]) | {"head": f"{len(events)} {before}"}
        text = b"".join(canonical(event) + b"\n" for event in events)
        return {"journal.jsonl": text, "bundle.json": (json.dumps(facts, indent=1) + "\n").encode()}

    return forge


def of_kind(events: list[dict], kind: str) -> list[dict]:
    return [event["data"] for event in events if event["kind"] == kind]


def _better(events: list[dict]) -> None:
    for data in of_kind(events, "execution"):
        if data["candidate"] != "c0" and data["plan"] == "p1":
            data["metrics"]["height"] += 1


def _verdict(events: list[dict]) -> None:
    of_kind(events, "claim")[-1]["estimate"] = 9.0


def _later(events: list[dict]) -> None:
    of_kind(events, "plan")[0]["least_effect"] = 0.1


def _seed(events: list[dict]) -> None:
    of_kind(events, "execution")[-1]["seed"] = 1


FORGERIES: dict[str, tuple[Forgery, str]] = {
    "a byte of the journal": (
        lambda files: {"journal.jsonl": files["journal.jsonl"].replace(b'"tosses":1', b'"tosses":2', 1)},
        "journal",
    ),
    "better metrics, chained anew": (journal_with(_better), "executions"),
    "another claim, chained anew": (journal_with(_verdict), "claims"),
    "another plan, chained anew": (journal_with(_later), "anchors"),
    "a search seed, chained anew": (journal_with(_seed), "executions"),
    "the journal's end cut off": (
        lambda files: {"journal.jsonl": files["journal.jsonl"].rpartition(b'{"at"')[0]},
        "facts",
    ),
    "metrics": (lambda files: {first(files, "metrics.json"): b'{"height": 9.0, "tosses": 1.0}'}, "executions"),
    "a log": (lambda files: {first(files, "run.log"): b"fine\n"}, "executions"),
    "an output": (lambda files: {first(files, "number.txt"): b"7.0"}, "executions"),
    "no output": (lambda files: {first(files, "number.txt"): None}, "executions"),
    "the evaluator": (lambda files: {"templates/coin/evaluator/evaluate.py": b"pass\n"}, "template"),
    "compiled code beside it": (lambda files: {"templates/coin/evaluator/evaluate.pyc": b"x"}, "nothing else"),
    "a plan's copy": (
        lambda files: {"plans/p1.json": files["plans/p1.json"].replace(b"0.5", b"0.1")},
        "readable copies",
    ),
    "the claims' copy": (
        lambda files: {"claims.json": files["claims.json"].replace(b'"supported"', b'"refuted"')},
        "readable copies",
    ),
    "the metadata": (
        lambda files: {CRATE: files[CRATE].replace(b'"sha256": "', b'"sha256": "f')},
        "crate",
    ),
    "a file of its own": (lambda files: {"executions/0123456789abcdef/run.log": b"x"}, "nothing else"),
    "the paper's text": (lambda files: {"paper/paper.typ": files["paper/paper.typ"] + b"\n"}, "paper"),
    "the report": (lambda files: {"paper/report.html": files["paper/report.html"] + b" "}, "paper"),
    "an end": (
        lambda files: {"bundle.json": files["bundle.json"].replace(b'"open"', b'"closed"')},
        "facts",
    ),
    "a metrics file said to be left out": (
        lambda files: {
            "bundle.json": files["bundle.json"].replace(
                b'"left_out": []', b'"left_out": [{"name": "executions/1/score/metrics.json", "size": 1, "why": "x"}]'
            )
        },
        "left out",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forger_who_writes_the_manifest_anew_is_found(
    bundle: Path, open_bundle_file: Path, tmp_path: Path, what: str
) -> None:
    forge, where = FORGERIES[what]
    whole = bundle if where == "paper" else open_bundle_file  # Composing a paper takes seconds.
    path = forged(whole, tmp_path / "x.zip", forge(members(whole)))
    found = bad(path)
    assert "bundle" not in found, "the manifest itself must hold, or nothing is shown"
    assert where in found, found


def test_another_campaign_s_repository_is_found(bundle: Path, open_bundle_file: Path, tmp_path: Path) -> None:
    changes = {"repository.bundle": members(bundle)["repository.bundle"]}
    assert "anchors" in bad(forged(open_bundle_file, tmp_path / "x.zip", changes))


@pytest.mark.parametrize("content", [b"", b"# v2 git bundle\n\nPACK", b"no bundle"])
def test_a_repository_that_is_none_is_said_to_be_none(open_bundle_file: Path, tmp_path: Path, content: bytes) -> None:
    found = bad(forged(open_bundle_file, tmp_path / "x.zip", {"repository.bundle": content}))
    assert "no campaign's repository" in found["repository"]
    assert str(tmp_path) not in found["repository"]


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", "a\\b"])
def test_a_journal_that_points_outside_the_bundle_is_not_followed(
    open_bundle_file: Path, tmp_path: Path, name: str
) -> None:
    def point(events: list[dict]) -> None:
        of_kind(events, "execution")[0]["artifacts"][name] = "0" * 64

    path = forged(open_bundle_file, tmp_path / "x.zip", journal_with(point)(members(open_bundle_file)))
    (finding,) = verify_bundle(path)
    assert "speaks of a file that no bundle holds" in finding.detail


def test_nor_is_a_key_that_would_lead_outside_it(open_bundle_file: Path, tmp_path: Path) -> None:
    def point(events: list[dict]) -> None:
        of_kind(events, "execution")[0] |= {"key": "../../../x", "artifacts": {}}

    path = forged(open_bundle_file, tmp_path / "x.zip", journal_with(point)(members(open_bundle_file)))
    (finding,) = verify_bundle(path)
    assert "../../../x" in finding.detail


def test_what_would_steer_a_terminal_is_shown_as_what_it_is() -> None:
    assert visible("a\x1b[31mb\u202ec\nä") == "a\\x1b[31mb\\u202ec\nä"


def test_an_event_of_no_sense_is_a_finding_and_no_crash(open_bundle_file: Path, tmp_path: Path) -> None:
    def garble(events: list[dict]) -> None:
        next(event for event in events if event["kind"] == "round")["data"]["round"] = {"a": []}

    found = bad(forged(open_bundle_file, tmp_path / "x.zip", journal_with(garble)(members(open_bundle_file))))
    assert "not what such an event holds" in found["journal"]


def test_what_is_no_archive_is_one_finding(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    (finding,) = verify_bundle(tmp_path / "x.zip")
    assert (finding.what, finding.ok) == ("bundle", False)
    with pytest.raises(BundleMissing):
        verify_bundle(tmp_path / "nothing.zip")


def test_an_archive_of_other_things_is_not_unpacked(tmp_path: Path, scratch: Path) -> None:
    (finding,) = verify_bundle(written(tmp_path / "x.zip", {"setup.py": b"x"}))
    assert "setup.py is not a part of a bundle" in finding.detail
    assert "journal.jsonl is missing" in finding.detail
    assert list(scratch.iterdir()) == []


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments], cwd=folder, env=environment() | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command_takes_a_bundle_and_its_exit_code_says_how_it_went(
    campaign: Recorded, bundle: Path, tmp_path: Path
) -> None:
    done = command("verify", str(bundle), "--json", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(finding["ok"] for finding in json.loads(done.stdout))
    name = first(members(bundle), "metrics.json")
    broken = tampered(bundle, tmp_path / "x.zip", {name: b"{}"})
    done = command("verify", str(broken), folder=tmp_path)
    assert done.returncode == 1
    assert f"does not hold: bundle: {name} is not what the manifest says" in done.stdout
    done = command("verify", "nothing.zip", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no bundle nothing.zip" in done.stderr
    assert not (tmp_path / ".hypoloop").exists()
    assert len(scan(members(bundle)["journal.jsonl"]).events) == campaign.state.last
