from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.commands import sandbox as command
from sandboxes import Hold, Limits, Promise
from sandboxes.backends import BACKENDS, CONTAINERS
from sandboxes.selfcheck import Check

Cli = Callable[..., tuple[int, str, str]]
FAILED = (Check(Promise.MEMORY, Hold.ENFORCED, False, "planted"), Check(Promise.CPUS, Hold.ABSENT, True, "not held"))


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run the command line in an empty folder; return exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYPOLOOP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hypoloop", *arguments])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def program(text: str) -> str:
    Path("program.py").write_text(text, encoding="utf-8")
    return "program.py"


def in_process(cli: Cli, *arguments: str) -> tuple[int, dict[str, Any]]:
    code, out, _ = cli("sandbox", "run", "--backend", "process", "--json", *arguments)
    facts: dict[str, Any] = json.loads(out)
    return code, facts


def test_the_record_is_whole(cli: Cli) -> None:
    name = program("import os; open('a.txt', 'w').write('x'); os.symlink('/etc/passwd', 'link'); print('done')")
    code, facts = in_process(cli, "--memory", "1g", "--wall", "7", "--out-bytes", "3m", "--pids", "20", "--", name)
    assert code == 0
    assert facts["outcome"] == "ok"
    assert facts["exit_code"] == 0
    assert facts["log_head"] == "done\n"
    assert [artifact["name"] for artifact in facts["artifacts"]] == ["a.txt"]
    assert facts["artifacts"][0]["sha256"].startswith("2d711642b726b044")
    assert facts["refused"] == [{"name": "link", "why": "type"}]
    assert facts["limits"] == Limits(memory_mb=1024, wall_s=7, out_mb=3, pids=20).model_dump()
    assert facts["capabilities"]["holds"]["memory"] == "watched"
    assert {"cpu_s", "peak_memory_mb", "usage_source", "image_id", "phases", "wall_s", "kept_in"} <= facts.keys()


def test_arguments_go_to_the_program_and_out_is_where_it_writes(cli: Cli) -> None:
    code, facts = in_process(
        cli, program("import os, sys; print(sys.argv[1:3], sys.argv[3] == os.getcwd())"), "--json", "a b", "{out}"
    )
    assert code == 0
    assert facts["log_head"] == "['--json', 'a b'] True\n"


def test_only_the_file_is_seen_and_not_its_folder(cli: Cli) -> None:
    Path("secret.txt").write_text("canary", encoding="utf-8")
    _, facts = in_process(cli, program("import os; print(os.listdir(os.path.dirname(__file__)))"))
    assert facts["log_head"] == "['program.py']\n"


def test_variables_and_nothing_of_the_hosts_environment(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPOLOOP_CANARY", "1")
    _, facts = in_process(
        cli, "--env", "GIVEN=a=b", program("import os; print(os.environ['GIVEN'], 'HYPOLOOP_CANARY' in os.environ)")
    )
    assert facts["log_head"] == "a=b False\n"


def test_what_it_wrote_is_kept_where_asked_and_nowhere_else(cli: Cli, tmp_path: Path) -> None:
    name = program("open('a.txt', 'w').write('kept')")
    _, facts = in_process(cli, "--out", "deep/kept", name)
    assert (tmp_path / "deep/kept/a.txt").read_text(encoding="utf-8") == "kept"
    assert facts["kept_in"] == str(tmp_path / "deep/kept")
    assert {path.name for path in tmp_path.iterdir()} == {"program.py", "deep"}
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"kept"}


@pytest.mark.parametrize(
    ("text", "outcome"), [("raise SystemExit(3)", "failed"), ("import time; time.sleep(30)", "timeout")]
)
def test_a_run_that_did_not_end_well_is_exit_code_1(cli: Cli, text: str, outcome: str) -> None:
    code, facts = in_process(cli, "--wall", "1", program(text))
    assert code == 1
    assert facts["outcome"] == outcome


def test_a_device_that_is_not_there_is_unsupported(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPOLOOP_GPUS", "")
    code, facts = in_process(cli, "--gpus", "1", program("pass"))
    assert code == 1
    assert facts["outcome"] == "unsupported"


def test_a_weak_sandbox_is_said_to_be_weak_on_standard_error(cli: Cli) -> None:
    _, out, err = cli("sandbox", "run", "--backend", "process", program("pass"))
    assert "does not isolate" in err
    assert "does not isolate" not in out


def test_nothing_that_a_program_prints_reaches_the_terminal_as_it_is(cli: Cli) -> None:
    evil = "print('\\x1b[2J\\x07[bold red]plain[/] \\r\\u202e\\x9b3m' + 'x' * 300, end='')"
    _, out, _ = cli("sandbox", "run", "--backend", "process", program(evil))
    assert all(letter.isprintable() or letter == "\n" for letter in out)
    assert r"\x1b[2J\x07[bold red]plain[/] \r\u202e\x9b3m" in out
    assert "x" * 300 in out


def test_the_record_for_people_names_what_the_one_for_programs_does(cli: Cli) -> None:
    name = program("import os; open('a.txt', 'w').write('x'); os.symlink('/etc/passwd', 'link'); print('done')")
    _, out, _ = cli("sandbox", "run", "--backend", "process", name)
    for words in (
        "outcome",
        "exit code",
        "memory 512m",
        "not kept; --out DIR",
        "link: not a plain file",
        "sha256 2d71",
        "done",
    ):
        assert words in out


WRONG = {
    "Name a program": (),
    "no file": ("nowhere.py",),
    "is a folder": (".",),
    "is no size": ("--memory", "5", "program.py"),
    "whole number of MiB": ("--memory", "1500k", "program.py"),
    "must be greater than or equal to 32m": ("--memory", "16m", "program.py"),
    "--wall must be greater than 0": ("--wall", "0", "program.py"),
    "--wall must be a number": ("--wall", "inf", "program.py"),
    "4<=x<=4194304": ("--pids", "99999999999999999999", "program.py"),
    "write NAME=VALUE": ("--env", "NAME", "program.py"),
    "is there already": ("--out", ".", "program.py"),
    "is not one of": ("--backend", "chroot", "program.py"),
    "--image is for containers": ("--backend", "process", "--image", "x", "program.py"),
    "--output is for containers": ("--backend", "bubblewrap", "--output", "bind", "program.py"),
    "--runtime is for Docker": ("--backend", "podman", "--runtime", "runsc", "program.py"),
}


@pytest.mark.parametrize("says", WRONG)
def test_wrong_input_is_a_sentence_and_exit_code_2(cli: Cli, says: str) -> None:
    program("pass")
    code, out, err = cli("sandbox", "run", *WRONG[says])
    assert code == 2
    assert says in err
    assert out == ""


def test_no_engine_is_exit_code_3(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    for arguments in (("run", program("pass")), ("check",)):
        code, _, err = cli("sandbox", *arguments)
        assert code == 3
        assert err.startswith("hypoloop: No Docker engine answers")


def test_a_check_that_fails_is_exit_code_1_and_what_is_not_held_is_no_failure(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandboxes.selfcheck.self_check", lambda sandbox, image: FAILED)
    code, out, _ = cli("sandbox", "check", "--backend", "process")
    assert code == 1
    assert [line.split()[0] for line in out.splitlines()] == ["FAIL", "--"]
    monkeypatch.setattr("sandboxes.selfcheck.self_check", lambda sandbox, image: FAILED[1:])
    code, out, _ = cli("sandbox", "check", "--backend", "process", "--json")
    assert code == 0
    assert json.loads(out)["checks"] == [{"promise": "cpus", "hold": "absent", "ok": True, "detail": "not held"}]


def test_names_said_again_for_a_quick_help_are_those_of_the_sandboxes() -> None:
    assert command.BACKENDS == BACKENDS
    assert command.CONTAINERS == CONTAINERS
    assert set(command.LIMITS.values()) == Limits.model_fields.keys()
    defaults = {field: Limits.model_fields[field].default for field in command.LIMITS.values()}
    for option in command.run.params:
        field = command.LIMITS.get(option.name or "")
        if field is not None:
            told = f"{defaults[field]:g}" + ("m" if field.endswith("_mb") else "")
            assert f"Default: {told}." in str(getattr(option, "help", ""))


@pytest.mark.docker
@pytest.mark.usefixtures("engine")
def test_a_runtime_that_fails_its_check_runs_nothing_and_one_that_passes_does(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = program("print('ran')")
    with monkeypatch.context() as patch:
        patch.setattr("flows.soundness.self_check", lambda sandbox, image: FAILED)
        code, out, err = cli("sandbox", "run", "--runtime", "runc", name)
        assert code == 3
        assert "failed its self-check and is refused: memory (planted)" in err
        assert out == ""
    code, out, _ = cli("sandbox", "run", "--runtime", "runc", "--json", name)
    assert code == 0
    assert json.loads(out)["log_head"] == "ran\n"
    code, _, err = cli("sandbox", "run", "--runtime", "no-such-runtime", name)
    assert code == 3
    assert "it knows" in err


@pytest.mark.docker
@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("output", ["volume", "bind"])
def test_a_program_that_takes_too_much_is_ended_in_docker(cli: Cli, output: str) -> None:
    arguments = ("--output", output, "--memory", "64m", "--json", program("print('up'); x = bytearray(500 << 20)"))
    code, out, _ = cli("sandbox", "run", *arguments)
    facts = json.loads(out)
    assert code == 1
    assert (facts["outcome"], facts["limit"]) == ("oom", "memory")
    assert facts["image_id"].startswith("sha256:")
    assert facts["capabilities"]["holds"]["out_bytes"] == {"volume": "enforced", "bind": "watched"}[output]
