from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.asking import Asker
from agents.errors import PatchFailed
from agents.llm.actions import Checked
from agents.llm.coder import Workshop, code
from agents.metering import Purse
from agents.scripted import ScriptedModel
from agents.storing import Kept
from flows.checking import LOG_CHARACTERS, QuickCheck
from flows.errors import CampaignInterrupted
from flows.laboratory import Laboratory
from flows.ledger.workspace import Workspace
from sandboxes import FakeSandbox, Outcome, RunResult, RunSpec, SandboxError, SandboxRefused
from sandboxes.contract import Sandbox
from sandboxes.devices import Devices
from sandboxes.process import ProcessSandbox
from templates.seeds import drawn_seed
from templates.template import Template, load_template
from tests.agents.making import idea
from tests.templates.making import PREPARE, RUN, make

FILES = {"workload/run.py": RUN}


@pytest.fixture
def coin(tmp_path: Path) -> Template:
    return Template(make(tmp_path / "coin"))


def checking(template: Template, sandbox: Sandbox, folder: Path, **changes: object) -> QuickCheck:
    fields: dict[str, object] = {
        "campaign": "x",
        "template": template,
        "laboratory": Laboratory(sandbox, "fake", None, Devices(("0",))),
        "folder": folder,
        "salt": "s",
        "wall_s": 5.0,
        "weak_allowed": False,
        "cancel": threading.Event(),
        "told": lambda key, checked: None,
    }
    return QuickCheck(**(fields | changes))


def ended(spec: RunSpec, outcome: Outcome, log: str = "", **more: object) -> RunResult:
    size = len(log.encode())
    return RunResult(
        run_id=spec.run_id, outcome=outcome, backend="fake", limits=spec.limits, log_head=log, log_bytes=size, **more
    )


def wrote(spec: RunSpec) -> Mapping[str, bytes]:
    return {"number.txt": b"1.0"}


def test_the_workload_alone_is_run_on_a_search_seed_with_the_texts_in_it(coin: Template, tmp_path: Path) -> None:
    seen: dict[str, str] = {}

    def script(spec: RunSpec) -> Mapping[str, bytes]:
        seen.update({p.relative_to(spec.code).as_posix(): p.read_text() for p in spec.code.rglob("*") if p.is_file()})
        return wrote(spec)

    sandbox = FakeSandbox(script)
    files = {"workload/run.py": "WEIGHT = 3.0\n", "workload/more.py": "x = 1\n"}
    assert checking(coin, sandbox, tmp_path)(files) == Checked(ran=True, outcome="ok")
    assert seen == {"run.py": "WEIGHT = 3.0\n", "more.py": "x = 1\n"}
    (run,) = sandbox.runs
    assert run.argv[:4] == ("{python}", "-B", "{code}/run.py", "--seed")
    assert "evaluat" not in " ".join(run.argv)
    assert run.limits.wall_s == 5.0
    assert not run.code.exists()


def test_what_was_checked_is_kept_and_not_run_again(coin: Template, tmp_path: Path) -> None:
    sandbox = FakeSandbox(wrote)
    heard: list[tuple[str, Checked]] = []
    first = checking(coin, sandbox, tmp_path, told=lambda *what: heard.append(what))(FILES)
    other = checking(coin, sandbox, tmp_path, told=lambda *what: heard.append(what))
    assert other(FILES) == first
    assert len(sandbox.runs) == 1
    assert heard[0] == heard[1]
    other({"workload/run.py": RUN + "# more\n"})
    assert len(sandbox.runs) == 2
    (tmp_path / "checks" / f"{heard[0][0]}.json").write_text("{torn")
    assert other(FILES) == first
    assert len(sandbox.runs) == 3


def test_where_nothing_isolates_nothing_is_run(coin: Template, tmp_path: Path) -> None:
    sandbox = FakeSandbox(wrote, isolates=False)
    with pytest.raises(SandboxRefused, match="allow_weak_sandbox"):
        checking(coin, sandbox, tmp_path)(FILES)
    assert not sandbox.runs
    assert checking(coin, sandbox, tmp_path, weak_allowed=True)(FILES).ran


@pytest.mark.parametrize(
    "path", ["evaluator/evaluate.py", "../x.py", "workload/../../x.py", "/tmp/x.py", "template.toml"]
)
def test_no_file_outside_the_editable_paths_is_laid_out(coin: Template, tmp_path: Path, path: str) -> None:
    sandbox = FakeSandbox(wrote)
    with pytest.raises(PatchFailed, match="not editable"):
        checking(coin, sandbox, tmp_path)({**FILES, path: "x = 1\n"})
    assert not sandbox.runs


@pytest.mark.parametrize(
    ("outcome", "wall_s", "ran", "reason"),
    [
        (Outcome.FAILED, 5.0, False, "It ended with exit code 1."),
        (Outcome.TIMEOUT, 5.0, True, "It ran past 5 s."),
        (Outcome.TIMEOUT, 10.0, False, "It ran past 10 s."),
        (Outcome.OOM, 5.0, False, "It needed more than 256 MiB of memory."),
        (Outcome.OUTPUT_LIMIT, 5.0, False, "It wrote more than 32 MiB in 500 files."),
    ],
)
def test_what_came_of_it_is_said_in_words(
    coin: Template, tmp_path: Path, outcome: Outcome, wall_s: float, ran: bool, reason: str
) -> None:
    """A program that only was not given its whole time has no fault."""
    sandbox = FakeSandbox(lambda spec: ended(spec, outcome, "the log", exit_code=1))
    found = checking(coin, sandbox, tmp_path, wall_s=wall_s)(FILES)
    assert (found.ran, found.outcome, found.reason, found.log) == (ran, str(outcome), reason, "the log")


def test_output_that_is_declared_and_missing_is_a_fault(coin: Template, tmp_path: Path) -> None:
    found = checking(coin, FakeSandbox(lambda spec: {"other.txt": b"1"}), tmp_path)(FILES)
    assert (found.ran, found.outcome, found.reason) == (False, "invalid", "It ended, and did not write number.txt.")


def test_a_long_log_is_cut_in_its_middle(coin: Template, tmp_path: Path) -> None:
    sandbox = FakeSandbox(lambda spec: ended(spec, Outcome.FAILED, "a" * 50_000 + "end"))
    log = checking(coin, sandbox, tmp_path)(FILES).log
    assert len(log) < LOG_CHARACTERS + 20
    assert log.endswith("end")


def test_a_platform_that_fails_is_no_fault_of_the_code_and_nothing_is_kept(coin: Template, tmp_path: Path) -> None:
    def broken(spec: RunSpec) -> RunResult:
        raise SandboxError("The engine is gone.")

    with pytest.raises(SandboxError, match="gone"):
        checking(coin, FakeSandbox(broken), tmp_path)(FILES)
    cancelled = FakeSandbox(lambda spec: ended(spec, Outcome.CANCELLED))
    with pytest.raises(CampaignInterrupted):
        checking(coin, cancelled, tmp_path)(FILES)
    assert not (tmp_path / "checks").exists()


def test_a_device_is_held_while_it_runs_and_given_back(coin: Template, tmp_path: Path) -> None:
    coin.manifest = coin.manifest.model_copy(
        update={"resources": coin.manifest.resources.model_copy(update={"gpus": 1})}
    )
    sandbox = FakeSandbox(wrote, gpus=("0",))
    check = checking(coin, sandbox, tmp_path)
    assert check(FILES).ran
    assert sandbox.runs[0].gpus == ("0",)
    with check.laboratory.devices.lease(1) as free:
        assert free == ("0",)


def test_a_run_holds_a_slot(coin: Template, tmp_path: Path) -> None:
    slots = threading.Semaphore(1)
    free: list[bool] = []

    def script(spec: RunSpec) -> Mapping[str, bytes]:
        free.append(slots.acquire(blocking=False))
        return wrote(spec)

    assert checking(coin, FakeSandbox(script), tmp_path, slots=slots)(FILES).ran
    assert [*free, slots.acquire(blocking=False)] == [False, True]


def test_the_program_gets_the_data_of_the_search_split_and_no_other_is_made(tmp_path: Path) -> None:
    shows = RUN.replace("WEIGHT = 1.0", "WEIGHT = 1.0\nimport sys") + "print(sys.argv[1:3])\n"
    shows += "print((pathlib.Path(a.data) / 'data.txt').read_text())\n"
    template = Template(make(tmp_path / "coin", prepare=PREPARE))
    sandbox = ProcessSandbox()
    try:
        checked = checking(template, sandbox, tmp_path, weak_allowed=True)({"workload/run.py": shows})
    finally:
        sandbox.close()
    assert f"search{drawn_seed('s', 'protected', 'search', 1)}" in checked.log
    assert f"'--seed', '{drawn_seed('s', 'workload', 'search', 1)}'" in checked.log
    assert not [path for path in (tmp_path / "data").iterdir() if "confirm" in path.name]


def test_a_model_writes_a_patch_that_runs(tmp_path: Path) -> None:
    """Real template, real sandbox: the first try crashes in the check, the second runs."""
    template = load_template("boltzmann-sampling")
    wrong = {
        "action": "edit",
        "path": "workload/run.py",
        "old": "    return []\n\n\ndef within",
        "new": "    return [state ^ ((1 << SPIN) - 1)]\n\n\ndef within",
    }
    lines = [wrong, {"action": "check"}, {**wrong, "old": "1 << SPIN)", "new": "1 << SPINS)"}]
    model = ScriptedModel([*lines, {"action": "done", "text": "All spins turn over after each block."}])
    heard: list[Checked] = []
    with_sandbox = ProcessSandbox()
    try:
        check = checking(
            template, with_sandbox, tmp_path, weak_allowed=True, wall_s=20.0, told=lambda key, told: heard.append(told)
        )
        asker = Asker({"": model}, Kept(), Purse(), lambda key, stored: None)
        found = code(Workshop(asker, check), template, idea("i1", "global-flip"), template.sources())
    finally:
        with_sandbox.close()
    assert [(told.ran, told.outcome) for told in heard] == [(False, "failed"), (True, "ok")]
    assert found.trace.ran
    assert found.trace.checks == 2
    workspace = Workspace.create(tmp_path / "repo", template)
    trailers = {"Idea": "i1", "Candidate": "c1"}
    at = datetime(2020, 1, 1, tzinfo=UTC)
    commit = workspace.commit_candidate(found.patch, workspace.baseline(), "idea/i1", trailers, at)
    assert "1 << SPINS" in workspace.sources(commit)["workload/run.py"]
    said = model.calls[2].messages[-1].content
    assert "NameError: name 'SPIN' is not defined" in said
    assert 'File "workload/run.py", line' in said
    assert str(tmp_path) not in said
    assert "hypoloop-check" not in said
