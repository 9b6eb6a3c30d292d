"""Export: the same bytes each time, nothing of this machine in them, and nothing written where it must refuse."""

from __future__ import annotations

import json
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from flows.bundle.exporting import Exported, Wish, export
from flows.errors import BundleDiscloses, CampaignExists, RecordsChanged, TemplateChanged
from flows.ledger.errors import CampaignBusy, CampaignUnknown, JournalTampered
from flows.ledger.lease import Lease
from tests.bundle.forging import members
from tests.bundle.recorded import NAME, Recorded
from tests.ledger.ticking import ticking

KEY, OTHER = "canary-5d1e77c0ffee", "plain-value-of-no-secret"


def exported(campaign: Recorded, target: Path, wish: Wish | None = None, **environ: str) -> Exported:
    return export(campaign.home, NAME, target, environ, wish)


def tree(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def test_exporting_twice_gives_the_same_bytes_and_touches_nothing(
    campaign: Recorded, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(campaign.root)
    before = tree(campaign.home)
    again = exported(campaign, tmp_path / "again.zip")
    assert again.path.read_bytes() == bundle.read_bytes()
    assert again.sha256 == sha256(bundle.read_bytes()).hexdigest()
    assert tree(campaign.home) == before
    assert [path.name for path in tmp_path.iterdir()] == ["again.zip"]


def test_everything_a_claim_rests_on_is_in_it(campaign: Recorded, bundle: Path) -> None:
    held, state = members(bundle), campaign.state
    assert held["journal.jsonl"] == (campaign.folder / "journal.jsonl").read_bytes()
    assert json.loads(held["claims.json"])["claims"] == [campaign.claim.model_dump(mode="json")]
    assert {f"plans/{plan}.json" for plan in state.plans} <= held.keys()
    assert state.paper is not None
    assert {f"paper/{name}" for name in state.paper["files"]} <= held.keys()
    for execution in state.executions.values():
        assert {f"executions/{execution.key}/{name}" for name in execution.artifacts} <= held.keys()
    assert (
        held["templates/coin/evaluator/evaluate.py"]
        == (campaign.template.root / "evaluator" / "evaluate.py").read_bytes()
    )
    assert b"numpy==" in held["environment/installed.txt"]
    assert b"--hash=sha256:" in held["environment/requirements.lock"]
    image = json.loads(held["environment/image.json"])
    assert (image["backend"], image["image_id"], image["base"]) == ("process", None, None)
    assert "hypoloop verify coins.zip" in held["README.md"].decode()


def test_the_repository_in_it_can_be_cloned_and_the_manifest_checked_without_hypoloop(
    campaign: Recorded, bundle: Path, tmp_path: Path
) -> None:
    for name, content in members(bundle).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    branch = campaign.state.candidates[campaign.claim.candidate].branch
    subprocess.run(["git", "clone", "-q", "-b", branch, "repository.bundle", "code"], cwd=tmp_path, check=True)
    assert "WEIGHT = 2.0" in (tmp_path / "code" / "workload" / "run.py").read_text()
    subprocess.run(["sha256sum", "--quiet", "--strict", "-c", "MANIFEST.sha256"], cwd=tmp_path, check=True)


def test_the_metadata_is_a_crate_that_tells_of_every_file_and_execution(campaign: Recorded, bundle: Path) -> None:
    held = members(bundle)
    graph = {entity["@id"]: entity for entity in json.loads(held["ro-crate-metadata.json"])["@graph"]}
    assert graph["ro-crate-metadata.json"]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = graph[graph["ro-crate-metadata.json"]["about"]["@id"]]
    assert root["license"] == {"@id": "#no-licence-stated"}
    parts = {part["@id"] for part in root["hasPart"]} | {part["@id"] for part in graph["templates/coin/"]["hasPart"]}
    assert parts - {"templates/coin/"} == held.keys() - {"ro-crate-metadata.json"}
    for name in held.keys() - {"ro-crate-metadata.json", "MANIFEST.sha256"}:
        assert graph[name]["sha256"] == sha256(held[name]).hexdigest()
        assert graph[name]["contentSize"] == str(len(held[name]))
    actions = [entity for entity in graph.values() if entity["@type"] == "CreateAction"]
    assert len(actions) == len(campaign.state.executions) + 1
    told = [value for entity in graph.values() for value in _references(entity)]
    assert {value for value in told if not value.startswith("http")} <= graph.keys()


def _references(entity: object) -> list[str]:
    if isinstance(entity, dict):
        own = [entity["@id"]] if entity.keys() == {"@id"} else []
        return own + [found for value in entity.values() for found in _references(value)]
    return [found for value in entity for found in _references(value)] if isinstance(entity, list) else []


def test_an_open_campaign_is_exported_and_called_open(open_bundle_file: Path) -> None:
    held = members(open_bundle_file)
    assert json.loads(held["bundle.json"])["stands"] == "open"
    assert json.loads(held["claims.json"])["stands"] == "open"
    assert "still open" in held["README.md"].decode()
    assert not [name for name in held if name.startswith("paper/")]


def test_what_does_not_fit_is_left_out_and_named(
    campaign: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(campaign.root)
    made = exported(campaign, tmp_path / "small.zip", Wish(outputs_mb=20 / 2**20))
    held, outputs = members(made.path), len(campaign.state.executions)
    kept = [name for name in held if "/out/" in name]
    assert 0 < sum(len(held[name]) for name in kept) <= 20
    assert {name.split("/")[1] for name in kept} <= set(campaign.claim.executions)
    assert len(made.facts.left_out) == outputs - len(kept)
    assert {each.why for each in made.facts.left_out} == {"there is no room left for it under --outputs"}
    assert sum(name.endswith("metrics.json") for name in held) == outputs
    assert sum(name.endswith("run.log") for name in held) == outputs
    assert json.loads(held["bundle.json"])["left_out"] == [each.model_dump() for each in made.facts.left_out]


def planted(campaign: Recorded, file: str, content: bytes) -> str:
    """Let one more execution have left `content`, journalled as it is."""
    execution = next(iter(campaign.state.executions.values()))
    folder = campaign.folder / "executions"
    again = execution.model_copy(
        update={"key": execution.key[::-1], "artifacts": {**execution.artifacts, file: sha256(content).hexdigest()}}
    )
    shutil.copytree(folder / execution.key, folder / again.key)
    (folder / again.key / file).write_bytes(content)
    campaign.append("execution", again)
    return f"executions/{again.key}/{file}"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("run.log", f"the key is {KEY}\n".encode()),
        ("out/number.txt", b"\0\1" + KEY.encode() + b"\2"),
        ("run.log", b"-----BEGIN RSA PRIVATE KEY-----\n"),
        ("run.log", b"Authorization: sk-abcdefghij0123456789abcdef\n"),
        ("run.log", b"https://me:hunter2@example.org/x\n"),
    ],
)
def test_a_key_in_what_a_program_left_stays_here_and_is_named(
    fresh: Recorded, tmp_path: Path, file: str, content: bytes
) -> None:
    name = planted(fresh.begun(), file, content)
    made = exported(fresh, tmp_path / "x.zip", MY_API_KEY=KEY, SOME_VARIABLE=OTHER)
    assert [each.name for each in made.facts.left_out] == [name]
    assert "it holds" in made.facts.left_out[0].why
    assert not [n for n, c in members(made.path).items() if KEY.encode() in c or OTHER.encode() in c or content in c]


def test_a_folder_of_this_machine_in_a_log_stays_here(fresh: Recorded, tmp_path: Path) -> None:
    fresh.begun()
    told = [planted(fresh, "run.log", f'File "{tmp_path}/x/run.py", line 3\n'.encode())]
    made = exported(fresh, tmp_path / "x.zip")
    assert [each.name for each in made.facts.left_out] == told
    assert not [name for name, content in members(made.path).items() if str(tmp_path).encode() in content]


def test_a_longer_name_that_begins_alike_is_no_folder_of_this_machine(fresh: Recorded, tmp_path: Path) -> None:
    name = planted(fresh.begun(), "run.log", f"{tmp_path}-b and a{tmp_path}\n".encode())
    assert name in members(exported(fresh, tmp_path / "x.zip").path)


def failed(campaign: Recorded, reason: str) -> None:
    """Journal an execution that failed with these words."""
    execution = next(iter(campaign.state.executions.values()))
    changes = {"key": execution.key[::-1], "outcome": "failed", "metrics": None, "reason": reason, "artifacts": {}}
    campaign.append("execution", execution.model_copy(update=changes))


def test_a_key_in_the_records_is_refused_whatever_is_asked(fresh: Recorded, tmp_path: Path) -> None:
    failed(fresh.begun(), f"ValueError: {KEY} is no number")
    with pytest.raises(BundleDiscloses, match=r"journal.jsonl holds the value of \$MY_API_KEY") as told:
        exported(fresh, tmp_path / "x.zip", Wish(host_paths=True), MY_API_KEY=KEY)
    assert KEY not in str(told.value)
    assert not (tmp_path / "x.zip").exists()


def test_a_key_in_an_old_commit_is_found(fresh: Recorded, tmp_path: Path) -> None:
    now, workspace = ticking(), fresh.begun().workspace
    workspace.commit_files({"note": KEY.encode()}, "Note", {}, now())
    workspace.commit_files({"note": b"gone"}, "Note", {}, now())
    with pytest.raises(BundleDiscloses, match="note in commit"):
        exported(fresh, tmp_path / "x.zip", MY_API_KEY=KEY)


def test_a_folder_in_the_records_is_refused_unless_it_may_be_known(fresh: Recorded, tmp_path: Path) -> None:
    failed(fresh.begun(), f"FileNotFoundError: {tmp_path}/data")
    with pytest.raises(BundleDiscloses, match="--host-paths"):
        exported(fresh, tmp_path / "x.zip")
    made = exported(fresh, tmp_path / "x.zip", Wish(host_paths=True))
    assert made.facts.names_folders
    assert [n for n, content in members(made.path).items() if str(tmp_path).encode() in content] == [
        "journal.jsonl", "ro-crate-metadata.json",
    ]  # fmt: skip


def test_a_user_s_folder_of_templates_is_a_folder_of_this_machine(fresh: Recorded, tmp_path: Path) -> None:
    fresh.template_folder = str(tmp_path / "mine")
    with pytest.raises(BundleDiscloses, match="journal.jsonl names"):
        exported(fresh.begun(), tmp_path / "x.zip")


@pytest.mark.parametrize("file", ["score/metrics.json", "run.log", "out/number.txt"])
def test_a_file_that_is_not_what_the_journal_says_stops_it(fresh: Recorded, tmp_path: Path, file: str) -> None:
    path = fresh.begun().folder / "executions" / next(iter(fresh.state.executions)) / file
    content = path.read_bytes()
    path.write_bytes(content + b" ")
    with pytest.raises(RecordsChanged, match="is not what the journal says"):
        exported(fresh, tmp_path / "x.zip")
    path.unlink()
    with pytest.raises(RecordsChanged, match="is missing"):
        exported(fresh, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_an_edited_journal_stops_it(fresh: Recorded, tmp_path: Path) -> None:
    path = fresh.begun().folder / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"seed":1', b'"seed":2', 1))
    with pytest.raises(JournalTampered):
        exported(fresh, tmp_path / "x.zip")


def test_a_changed_template_stops_it(fresh: Recorded, tmp_path: Path) -> None:
    (fresh.begun().template.root / "evaluator" / "evaluate.py").write_text("pass\n")
    with pytest.raises(TemplateChanged):
        exported(fresh, tmp_path / "x.zip")


def test_a_campaign_at_work_is_not_exported(fresh: Recorded, tmp_path: Path) -> None:
    with Lease.acquire(fresh.begun().folder, ticking()), pytest.raises(CampaignBusy):
        exported(fresh, tmp_path / "x.zip")


def test_what_is_there_is_not_written_over(campaign: Recorded, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"mine")
    with pytest.raises(CampaignExists, match="--out"):
        exported(campaign, tmp_path / "x.zip")
    assert (tmp_path / "x.zip").read_bytes() == b"mine"
    with pytest.raises(CampaignUnknown):
        export(campaign.home, "nobody", tmp_path / "y.zip", {})


def test_an_export_that_is_ended_half_way_leaves_nothing(
    campaign: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(campaign.root)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("flows.bundle.exporting.write_archive", ended)
    with pytest.raises(KeyboardInterrupt):
        exported(campaign, tmp_path / "out" / "x.zip")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert list((tmp_path / "scratch").iterdir()) == []
