from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxes import SandboxError
from sandboxes.trees import is_readable_by_others, make_fresh, make_readable, remove_tree


def test_a_tree_deeper_than_the_stack_and_the_longest_path_is_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("deep", dir_fd=here)
        inner = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    remove_tree(top)
    assert list(tmp_path.iterdir()) == []


def test_closed_directories_and_odd_names_are_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "a/b").mkdir(parents=True)
    (top / ".removed-0/x").mkdir(parents=True)
    (top / "a" / os.fsdecode(b"\xff\n")).mkdir()
    (top / "a/b").chmod(0)
    (top / "a").chmod(0)
    top.chmod(0)
    remove_tree(top)
    assert list(tmp_path.iterdir()) == []


def test_what_links_point_to_stays(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "x").touch()
    top = tmp_path / "top"
    (top / "d").mkdir(parents=True)
    (top / "link").symlink_to(kept)
    (top / "d/link").symlink_to(kept)
    remove_tree(top)
    assert (kept / "x").exists()
    assert kept.stat().st_mode & 0o777 != 0


def test_a_link_is_no_tree_to_remove(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    with pytest.raises(OSError, match="link"):
        remove_tree(tmp_path / "link")
    assert (tmp_path / "kept").exists()


def test_a_place_for_output_is_made_once(tmp_path: Path) -> None:
    make_fresh(tmp_path / "a/out")
    assert (tmp_path / "a/out").stat().st_mode & 0o777 == 0o755
    with pytest.raises(SandboxError, match="exists already"):
        make_fresh(tmp_path / "a/out")


def test_readability_is_judged_and_given(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "d").mkdir(parents=True)
    (top / "d/x").touch()
    make_readable(top)
    assert is_readable_by_others(top)
    for path, mode in ((top / "d/x", 0o600), (top / "d", 0o700), (top, 0o700)):
        path.chmod(mode)
        assert not is_readable_by_others(top)
        make_readable(top)
        assert is_readable_by_others(top)
