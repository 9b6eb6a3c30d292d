from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxes import Limits, Promise
from sandboxes.quota import DEEPEST, broken_quota
from sandboxes.trees import remove_tree

LIMITS = Limits(out_mb=1, out_files=20)


def test_what_is_within_its_limits_is_not_over(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/x").write_bytes(bytes(1000))
    assert broken_quota(tmp_path, LIMITS) is None


def test_bytes_on_disk_count_and_holes_do_not(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    assert broken_quota(tmp_path, LIMITS) is None
    (tmp_path / "full").write_bytes(b"x" * (2 << 20))
    assert broken_quota(tmp_path, LIMITS) is Promise.OUT_BYTES


def test_entries_of_every_kind_count(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"d{number}").mkdir()
        (tmp_path / f"d{number}/link").symlink_to("/etc")
    assert broken_quota(tmp_path, LIMITS) is None
    os.mkfifo(tmp_path / "d3/pipe")
    assert broken_quota(tmp_path, LIMITS) is Promise.OUT_FILES


def make_deep(top: Path, levels: int, *, size: int = 0) -> None:
    program = f"""
import os
os.chdir({str(top)!r})
for _ in range({levels}):
    os.mkdir("d" * 100)
    os.chdir("d" * 100)
open("x", "wb").write(bytes({size}))
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_lies_beyond_the_longest_path_of_the_system_is_seen(tmp_path: Path) -> None:
    deep = tmp_path / "deep"
    deep.mkdir()
    make_deep(deep, 60, size=2 << 20)
    assert broken_quota(deep, LIMITS.model_copy(update={"out_files": 1000})) is Promise.OUT_BYTES
    remove_tree(deep)


def test_a_tree_too_deep_to_look_at_is_over(tmp_path: Path) -> None:
    deep = tmp_path / "deep"
    deep.mkdir()
    make_deep(deep, DEEPEST + 5)
    assert broken_quota(deep, Limits(out_mb=100, out_files=10_000)) is Promise.OUT_FILES
    remove_tree(deep)


@pytest.mark.skipif(os.getuid() == 0, reason="root opens every directory")
def test_a_directory_closed_to_its_owner_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed/x").write_bytes(b"x" * (2 << 20))
    (tmp_path / "closed").chmod(0o300)
    assert broken_quota(tmp_path, LIMITS) is Promise.OUT_BYTES


def test_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "x").write_bytes(b"x" * (2 << 20))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/link").symlink_to(elsewhere)
    assert broken_quota(tmp_path / "out", LIMITS) is None
