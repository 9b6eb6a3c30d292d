from __future__ import annotations

import json

import pytest

from sandboxes import DockerSandbox
from sandboxes.seccomp import NOT_IMPLEMENTED, NOT_PERMITTED
from sandboxes.syscalls import ALLOWED, filter_text
from tests.sandboxes.lab import Lab

RULES = json.loads(filter_text())["syscalls"]


def test_what_is_not_on_the_list_is_denied() -> None:
    assert json.loads(filter_text())["defaultAction"] == "SCMP_ACT_ERRNO"
    assert all(rule["names"] for rule in RULES)


def test_nothing_that_is_denied_elsewhere_is_allowed_here() -> None:
    allowed = set(ALLOWED.split())
    assert not allowed & (set(NOT_PERMITTED) | set(NOT_IMPLEMENTED))
    assert not allowed & {"clone", "personality", "socket", "socketpair", "mbind", "set_mempolicy"}
    assert ALLOWED.split() == sorted(allowed)


def test_the_calls_that_are_judged_by_an_argument_are_nowhere_allowed_without_it() -> None:
    for name in ("clone", "personality", "socket", "socketpair"):
        mine = [rule for rule in RULES if name in rule["names"]]
        assert mine
        assert all(rule.get("args") for rule in mine)


def test_calls_of_another_architecture_have_no_rule() -> None:
    assert all(not machine["subArchitectures"] for machine in json.loads(filter_text())["archMap"])


@pytest.mark.docker
def test_libraries_that_probe_for_more_work_with_what_is_left(
    lab_image: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    program = """
        import asyncio, multiprocessing, sqlite3, subprocess, sys, tempfile, threading
        import numpy
        thread = threading.Thread(target=print, args=("thread",), kwargs={"flush": True})
        thread.start()
        thread.join()
        print(subprocess.run([sys.executable, "-c", "print('child')"], capture_output=True, text=True).stdout.strip())
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(pool.map(abs, [-1]))
        print(asyncio.run(asyncio.sleep(0, "loop")), sqlite3.connect(":memory:").execute("select 1").fetchone())
        print((numpy.eye(300) @ numpy.eye(300)).trace(), len(tempfile.mkdtemp()) > 0)
    """
    sandbox = DockerSandbox("test-syscalls")
    result = Lab(sandbox, lab_image, tmp_path_factory.mktemp("lab")).run(f"if __name__ == '__main__':\n{program}")
    sandbox.close()
    assert result.log_head.splitlines() == ["thread", "child", "[1]", "loop (1,)", "300.0 True"]
