from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxes.accounting import NO_USE, Account, Accounts

V1 = {"CgroupVersion": "1", "CgroupDriver": "cgroupfs"}
V2 = {"CgroupVersion": "2", "CgroupDriver": "cgroupfs"}


def group(root: Path, account: Account, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name.format(group=account.parent.lstrip("/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="ascii")


def new(accounts: Accounts) -> Account:
    account = accounts.new()
    assert account is not None
    return account


def test_version_1_is_read_where_each_controller_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    account = new(Accounts(V1, local=True, root=tmp_path))
    cpu = "cpuacct/{group}/cpuacct.usage"
    group(tmp_path, account, {cpu: "250000000\n", "memory/{group}/memory.max_usage_in_bytes": f"{80 * 2**20}\n"})
    account.open()
    group(tmp_path, account, {cpu: "1750000000\n"})
    assert account.read() == (1.5, 80.0, "cgroup v1")


def test_version_2_is_read_in_one_place(tmp_path: Path) -> None:
    account = new(Accounts(V2, local=True, root=tmp_path))
    group(tmp_path, account, {"{group}/cpu.stat": "usage_usec 500000\nuser_usec 1\n", "{group}/memory.peak": "1048576"})
    account.open()
    group(tmp_path, account, {"{group}/cpu.stat": "usage_usec 1500000\nuser_usec 1\n"})
    assert account.read() == (1.0, 1.0, "cgroup v2")


def test_a_group_that_cannot_be_seen_gives_no_figure_rather_than_zero(tmp_path: Path) -> None:
    account = new(Accounts(V2, local=True, root=tmp_path))
    account.open()
    assert account.read() == NO_USE


def test_a_kernel_without_a_peak_says_so_and_keeps_the_rest(tmp_path: Path) -> None:
    account = new(Accounts(V2, local=True, root=tmp_path))
    group(tmp_path, account, {"{group}/cpu.stat": "usage_usec 0\n"})
    account.open()
    assert account.read() == (0.0, None, "cgroup v2")


@pytest.mark.parametrize(("about", "local"), [(V1 | {"CgroupDriver": "systemd"}, True), (V1, False)])
def test_elsewhere_usage_is_left_to_samples(tmp_path: Path, about: dict[str, str], local: bool) -> None:
    assert Accounts(about, local, tmp_path).new() is None


def test_groups_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    accounts = Accounts(V2, local=True, root=tmp_path)
    dead, living = tmp_path / "hypoloop/999999999-5/run", tmp_path / f"hypoloop/1-{_start_of_init()}/run"
    mine = tmp_path / new(accounts).parent.lstrip("/")
    for folder in (dead, living, mine):
        folder.mkdir(parents=True)
    accounts.close()
    assert not dead.parent.exists()
    assert not mine.parent.exists()
    assert living.exists()


def _start_of_init() -> str:
    from sandboxes.owners import start_time

    return start_time(1)


def test_names_of_two_accounts_differ(tmp_path: Path) -> None:
    accounts = Accounts(V2, local=True, root=tmp_path)
    assert new(accounts).parent != new(accounts).parent
    assert str(os.getpid()) in new(accounts).parent
