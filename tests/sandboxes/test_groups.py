"""Control groups in a made-up tree; that they hold is tested in the sandbox, where this host lets us make them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxes import Limits, Promise
from sandboxes.groups import Group, Groups

V1 = {
    "memory": ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control", "tasks"),
    "cpu": ("cpu.cfs_period_us", "cpu.cfs_quota_us", "tasks"),
    "cpuacct": ("tasks",),
}
V2 = ("memory.max", "memory.swap.max", "memory.events", "cpu.max", "cgroup.procs", "cgroup.subtree_control")


def kernel(monkeypatch: pytest.MonkeyPatch, root: Path, *, lacks: str = "") -> None:
    """Let every new directory below `root` have the files that the kernel puts into a control group."""
    made = Path.mkdir

    def mkdir(self: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        made(self, mode, parents, exist_ok)
        top = self.relative_to(root).parts[0]
        for name in V1.get(top, V2):
            if name != lacks:
                (self / name).touch()

    monkeypatch.setattr(Path, "mkdir", mkdir)


def removable(folder: Path) -> None:
    """The kernel's files go with their group; ours must be removed."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    for name in V1:
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    (tmp_path / "cgroup.controllers").write_text("cpu io memory pids", encoding="ascii")
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory pids", encoding="ascii")
    return tmp_path


def group(groups: Groups) -> Group:
    made = groups.group()
    assert made is not None
    return made


def content(path: Path) -> str:
    return path.read_text(encoding="ascii")


def test_version_1_takes_limits_where_each_controller_is(v1: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, v1)
    one = group(Groups(v1))
    one.make(Limits(memory_mb=100, cpus=0.5))
    name = one.parent.lstrip("/")
    assert content(v1 / "memory" / name / "memory.limit_in_bytes") == str(100 << 20)
    assert content(v1 / "memory" / name / "memory.memsw.limit_in_bytes") == str(100 << 20)
    assert content(v1 / "cpu" / name / "cpu.cfs_quota_us") == "50000"
    assert one.entrances() == [v1 / top / name / "tasks" for top in ("cpu", "cpuacct", "memory")]


def test_version_2_hands_its_controllers_down(v2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, v2)
    groups = Groups(v2)
    assert groups.holds == {Promise.MEMORY, Promise.CPUS}
    one = group(groups)
    one.make(Limits(memory_mb=100, cpus=1.5))
    folder = v2 / one.parent.lstrip("/")
    assert content(folder / "memory.max") == str(100 << 20)
    assert content(folder / "memory.swap.max") == "0"
    assert content(folder / "cpu.max") == "150000 100000"
    assert content(folder.parent / "cgroup.subtree_control") == "+cpu +memory"
    assert content(v2 / "hypoloop/cgroup.subtree_control") == "+cpu +memory"
    assert content(v2 / "cgroup.subtree_control") == "cpu memory pids"  # the host's own is not touched


def test_what_the_host_does_not_hand_down_is_not_promised(v2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, v2)
    (v2 / "cgroup.subtree_control").write_text("memory", encoding="ascii")
    assert Groups(v2).holds == {Promise.MEMORY}
    (v2 / "cgroup.subtree_control").write_text("pids", encoding="ascii")
    assert Groups(v2).group() is None


@pytest.mark.parametrize("lacks", ["memory.limit_in_bytes", "cpu.cfs_quota_us"])
def test_a_group_that_does_not_take_its_limits_is_none(v1: Path, monkeypatch: pytest.MonkeyPatch, lacks: str) -> None:
    kernel(monkeypatch, v1, lacks=lacks)
    groups = Groups(v1)
    assert groups.holds == frozenset()
    assert groups.group() is None


def test_a_kernel_without_swap_accounting_still_limits_memory(v1: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, v1, lacks="memory.memsw.limit_in_bytes")
    assert Promise.MEMORY in Groups(v1).holds


def test_a_host_without_control_groups_has_none(tmp_path: Path) -> None:
    assert Groups(tmp_path).group() is None


@pytest.mark.parametrize(("killed", "seen"), [("0", False), ("2", True)])
def test_a_kill_for_memory_is_seen(v1: Path, monkeypatch: pytest.MonkeyPatch, killed: str, seen: bool) -> None:
    kernel(monkeypatch, v1)
    one = group(Groups(v1))
    one.make(Limits())
    path = v1 / "memory" / one.parent.lstrip("/") / "memory.oom_control"
    path.write_text(f"oom_kill_disable 0\nunder_oom 0\noom_kill {killed}\n", encoding="ascii")
    assert one.oom_killed() is seen


def test_it_is_removed_from_every_hierarchy(v1: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, v1)
    one = group(Groups(v1))
    one.make(Limits())
    removable(v1)
    one.close()
    assert not list(v1.glob(f"*{one.parent}"))
