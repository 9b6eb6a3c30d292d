"""Candidates, plans and papers become commits, the same whoever makes them and however often."""

from __future__ import annotations

import os
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.ledger.errors import EditRefused, WorkspaceError
from flows.ledger.workspace import Workspace, matches, parse_trailers
from templates.template import Template
from tests.ledger.sample import patch, tiny_template

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TRAILERS = {"Idea": "i1", "Candidate": "c1", "Title": "Wolff cluster updates", "Journal": "4 " + "a" * 64}


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return tiny_template(tmp_path / "template")


@pytest.fixture
def workspace(tmp_path: Path, template: Template) -> Workspace:
    return Workspace.create(tmp_path / "repo", template)


def git(workspace: Workspace, *arguments: str) -> str:
    environment = {**os.environ, "GIT_DIR": str(workspace.path)}
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True, env=environment).stdout


def commit(workspace: Workspace, at: datetime = AT, **changes: str) -> str:
    return workspace.commit_candidate(patch(**changes), workspace.baseline(), "idea/i1", TRAILERS, at)


def test_the_baseline_holds_the_workload_and_not_the_evaluator(workspace: Workspace) -> None:
    assert git(workspace, "ls-tree", "-r", "--name-only", "main").split() == [
        "README.md", "template.toml", "workload/data.csv", "workload/lib/deep/more.py", "workload/run.py"
    ]  # fmt: skip
    assert workspace.trailers(workspace.baseline())["Candidate"] == "c0"


def test_the_same_template_gives_the_same_baseline(workspace: Workspace, tmp_path: Path, template: Template) -> None:
    assert Workspace.create(tmp_path / "again", template).baseline() == workspace.baseline()
    assert Workspace.create(workspace.path, template).baseline() == workspace.baseline()


def test_another_template_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    other = tiny_template(tmp_path / "other")
    (other.root / "workload" / "run.py").write_text("SIZE = 9\n")
    with pytest.raises(WorkspaceError, match="another baseline"):
        Workspace.create(workspace.path, Template(other.root))


def test_only_a_repository_can_be_opened(workspace: Workspace, tmp_path: Path) -> None:
    assert Workspace.open(workspace.path).baseline() == workspace.baseline()
    with pytest.raises(WorkspaceError, match="no git repository"):
        Workspace.open(tmp_path / "nowhere")


def test_a_candidate_is_a_readable_commit(workspace: Workspace) -> None:
    sha = commit(workspace)
    assert git(workspace, "log", "-1", "--format=%s|%an|%ae|%ct", sha).strip() == (
        "Idea i1: Wolff cluster updates|hypoloop|hypoloop@localhost|1767323045"
    )
    assert workspace.trailers(sha) == {
        "Idea": "i1", "Candidate": "c1", "Journal": "4 " + "a" * 64, "Parent": workspace.baseline()
    }  # fmt: skip
    assert workspace.parents(sha) == (workspace.baseline(),)
    assert workspace.branches() == {"idea/i1": sha, "main": workspace.baseline()}
    assert "-SIZE = 1\n+SIZE = 2\n" in workspace.diff(sha)
    assert workspace.sources(sha) == {"workload/lib/deep/more.py": "MORE = 2\n", "workload/run.py": "SIZE = 2\n"}
    assert workspace.outside(sha) == ()


def test_the_same_call_gives_the_same_commit(workspace: Workspace, tmp_path: Path, template: Template) -> None:
    sha = commit(workspace)
    assert commit(workspace) == sha
    assert commit(Workspace.create(tmp_path / "twin", template)) == sha


def test_neither_settings_nor_hooks_nor_variables_of_the_user_matter(
    workspace: Workspace, tmp_path: Path, template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = commit(workspace)
    config = tmp_path / "gitconfig"
    config.write_text("[user]\nname = Eve\n[commit]\ngpgsign = true\n[core]\nautocrlf = true\nhooksPath = /nowhere\n")
    for name, value in {
        "HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": str(config), "GIT_AUTHOR_NAME": "Eve", "GIT_DIR": "/nowhere",
        "GIT_INDEX_FILE": "/nowhere/index", "GIT_WORK_TREE": "/nowhere", "GIT_OBJECT_DIRECTORY": "/nowhere",
        "GIT_AUTHOR_DATE": "2001-01-01", "GIT_CONFIG_PARAMETERS": "'user.name=Eve'",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    twin = Workspace.create(tmp_path / "twin", template)
    hook = twin.path / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert commit(twin) == sha
    assert workspace.trailers(sha)["Idea"] == "i1"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("evaluator/evaluate.py", "only"),
        ("template.toml", "only"),
        ("workload/data.csv", "only"),
        ("workload/sub/run.py", "only"),
        ("workload/../evaluator/evaluate.py", "stay inside"),
        ("/etc/passwd", "stay inside"),
        ("workload/.git/hooks.py", "stay inside"),
        ("workload//run.py", "stay inside"),
        ("workload/run.py\n", "characters"),
        ("workload\\run.py", "characters"),
        ("workload/lib/deep/more.py/x.py", "same name"),
        ("", "stay inside"),
    ],
)
def test_an_edit_elsewhere_is_refused(workspace: Workspace, path: str, why: str) -> None:
    with pytest.raises(EditRefused, match=why):
        commit(workspace, path=path)
    assert list(workspace.branches()) == ["main"]


def test_an_edit_through_a_link_is_refused(workspace: Workspace) -> None:
    target = subprocess.run(
        ["git", "--git-dir", workspace.path, "hash-object", "-w", "--stdin"], input="/etc/passwd", text=True,
        capture_output=True, check=True,
    ).stdout.strip()  # fmt: skip
    tree = workspace._repository.run("rev-parse", "main^{tree}")
    env = {"GIT_INDEX_FILE": str(workspace.path / "planted")}
    workspace._repository.run("read-tree", tree, env=env)
    workspace._repository.run("update-index", "--cacheinfo", f"120000,{target},workload/run.py", env=env)
    planted = workspace._repository.run("write-tree", env=env)
    sha = workspace._repository.commit(planted, (workspace.baseline(),), "Planted\n", AT)
    with pytest.raises(EditRefused, match="link"):
        workspace.commit_candidate(patch(), sha, "idea/i1", TRAILERS, AT)
    assert workspace.outside(sha) == ("workload/run.py",)


def test_a_template_with_links_is_refused(tmp_path: Path, template: Template) -> None:
    (template.root / "workload" / "data.csv").unlink()
    (template.root / "workload" / "data.csv").symlink_to("/etc/passwd")
    with pytest.raises(WorkspaceError, match="is a link"):
        Workspace.create(tmp_path / "repo", template)


def test_a_new_file_may_come_where_files_may_change(workspace: Workspace) -> None:
    sha = commit(workspace, path="workload/lib/new.py")
    assert "workload/lib/new.py" in workspace.sources(sha)


def test_what_was_committed_but_never_journalled_is_made_again(workspace: Workspace) -> None:
    lost = commit(workspace)
    again = commit(workspace, at=AT + timedelta(hours=1))
    assert again != lost
    assert workspace.branches()["idea/i1"] == again


def test_a_branch_never_loses_another_candidate(workspace: Workspace) -> None:
    sha = commit(workspace)
    other = {**TRAILERS, "Candidate": "c2"}
    with pytest.raises(WorkspaceError, match="not built on"):
        workspace.commit_candidate(patch(text="SIZE = 3\n"), workspace.baseline(), "idea/i1", other, AT)
    repaired = workspace.commit_candidate(patch(text="SIZE = 3\n"), sha, "idea/i1", other, AT)
    assert workspace.history("idea/i1") == (repaired, sha, workspace.baseline())
    assert commit(workspace) == sha
    assert workspace.branches()["idea/i1"] == repaired


@pytest.mark.parametrize("branch", ["main", "record", "-x", "a..b", "idea/i1.lock", "idea/", ""])
def test_no_candidate_goes_on_a_branch_of_odd_name(workspace: Workspace, branch: str) -> None:
    with pytest.raises(WorkspaceError, match="no name"):
        workspace.commit_candidate(patch(), workspace.baseline(), branch, TRAILERS, AT)


@pytest.mark.parametrize("parent", ["0" * 40, "main", "--help", ""])
def test_a_parent_must_be_a_commit(workspace: Workspace, parent: str) -> None:
    with pytest.raises(WorkspaceError, match="no commit"):
        workspace.commit_candidate(patch(), parent, "idea/i1", TRAILERS, AT)


def test_a_lock_left_by_a_killed_process_does_not_stop_the_next(workspace: Workspace) -> None:
    sha = commit(workspace)
    (workspace.path / "refs" / "heads" / "idea" / "i1.lock").write_text("")
    child = workspace.commit_candidate(patch(text="SIZE = 3\n"), sha, "idea/i1", TRAILERS, AT)
    assert workspace.branches()["idea/i1"] == child


def test_a_checkout_is_the_workload_readable_by_anyone(workspace: Workspace, tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        dest = workspace.checkout(commit(workspace), tmp_path / "sources" / "c1")
    finally:
        os.umask(old)
    assert (dest / "run.py").read_text() == "SIZE = 2\n"
    assert sorted(p.relative_to(dest).as_posix() for p in dest.rglob("*") if p.is_file()) == [
        "data.csv", "lib/deep/more.py", "run.py"
    ]  # fmt: skip
    assert {stat.S_IMODE(p.stat().st_mode) for p in dest.rglob("*") if p.is_file()} == {0o644}
    assert {stat.S_IMODE(p.stat().st_mode) for p in (dest, *dest.rglob("*")) if p.is_dir()} == {0o755}
    assert [p.name for p in dest.parent.iterdir()] == ["c1"]


def test_a_checkout_that_is_there_is_kept_and_one_that_was_changed_is_not(workspace: Workspace, tmp_path: Path) -> None:
    sha, dest = commit(workspace), tmp_path / "c1"
    workspace.checkout(sha, dest)
    before = dest.stat().st_ino
    assert workspace.checkout(sha, dest).stat().st_ino == before
    (dest / "run.py").write_text("SIZE = 666\n")
    (tmp_path / ".c1-leftover").mkdir()
    workspace.checkout(sha, dest)
    assert (dest / "run.py").read_text() == "SIZE = 2\n"
    assert not (tmp_path / ".c1-leftover").exists()


def test_records_gather_on_their_own_branch(workspace: Workspace) -> None:
    first = workspace.commit_files({"plans/p1.json": b"{}"}, "Plan p1: Wolff", {"Plan": "p1"}, AT)
    second = workspace.commit_files({"paper/paper.pdf": b"%PDF\x00"}, "Paper", {}, AT)
    assert workspace.history("record") == (second, first)
    assert workspace.read(second, "plans/p1.json") == b"{}"
    assert workspace.read(second, "paper/paper.pdf") == b"%PDF\x00"
    assert workspace.commit_files({"plans/p1.json": b"{}"}, "Plan p1: Wolff", {"Plan": "p1"}, AT) == first
    assert workspace.commit_files({"plans/p1.json": b"[]"}, "Plan p1: Wolff", {"Plan": "p1"}, AT) not in (first, second)
    with pytest.raises(EditRefused):
        workspace.commit_files({"../x": b""}, "Paper", {}, AT)


def test_a_message_cannot_smuggle_trailers_in(workspace: Workspace) -> None:
    trailers = {"Candidate": "c1", "Title": "Fine\n\nCandidate: c9"}
    sha = workspace.commit_candidate(patch(), workspace.baseline(), "idea/i1", trailers, AT)
    assert workspace.trailers(sha)["Candidate"] == "c1"
    with pytest.raises(WorkspaceError, match="no name for a trailer"):
        workspace.commit_files({"a": b""}, "Plan", {"bad key": "x"}, AT)


def test_patterns_match_segment_by_segment() -> None:
    assert matches("workload/a/b.py", "workload/**/*.py")
    assert matches("workload/b.py", "workload/**/*.py")
    assert not matches("workload/a/b.py", "workload/*.py")
    assert not matches("workload/b.pyc", "workload/*.py")


def test_trailers_are_the_last_paragraph() -> None:
    assert parse_trailers("Subject\n\nIdea: no\n\nIdea: i1\nno trailer\nJournal: 3 abc\n") == {
        "Idea": "i1", "Journal": "3 abc"
    }  # fmt: skip
