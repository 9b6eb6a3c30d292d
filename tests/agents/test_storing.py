"""Where calls are kept."""

from __future__ import annotations

import json
import os
import random
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agents.asking import CallStore
from agents.errors import StoredCallDamaged
from agents.storing import CallFolder, Kept, digest
from tests.agents.calls import call, shaped, stored


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CallStore:
    return Kept() if request.param == "memory" else CallFolder(tmp_path / "calls")


KEY = call().key("scripted")


def test_what_is_kept_comes_back(store: CallStore) -> None:
    assert store.get(KEY) is None
    one = stored("größer ✓ \u2028 {")
    store.put(KEY, one)
    assert store.get(KEY) == one


def test_what_is_kept_stays(store: CallStore) -> None:
    store.put(KEY, stored("first"))
    store.put(KEY, stored("second"))
    found = store.get(KEY)
    assert found is not None
    assert found.reply.text == "first"


def test_all_of_them_are_listed(store: Kept | CallFolder) -> None:
    assert list(store) == []
    for n in range(5):
        store.put(
            call(text=str(n)).key("scripted"), stored(text="x", about="").model_copy(update={"call": call(str(n))})
        )
    assert sorted(one.call.messages[-1].content for one in store) == ["0", "1", "2", "3", "4"]


def test_another_process_finds_what_was_kept(tmp_path: Path) -> None:
    one = stored(price=None).model_copy(update={"call": shaped(temperature=0.1)})
    key = one.call.key("scripted")
    CallFolder(tmp_path).put(key, one)
    found = CallFolder(tmp_path).get(key)
    assert found == one
    assert digest(one) == digest(found)  # type: ignore[arg-type]


def test_a_write_that_was_cut_off_leaves_nothing_behind_that_counts(tmp_path: Path) -> None:
    (tmp_path / f"{KEY}.partial").write_text('{"digest": "')
    folder = CallFolder(tmp_path)
    assert folder.get(KEY) is None
    assert list(folder) == []
    folder.put(KEY, stored())
    assert folder.get(KEY) == stored()
    assert [path.name for path in tmp_path.iterdir()] == [f"{KEY}.json"]


def test_it_is_on_the_disk_before_it_has_its_name_and_the_name_before_put_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def named(self: Path, target: Path) -> Path:
        steps.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", named)
    CallFolder(tmp_path).put(KEY, stored())
    assert steps == ["file", "name", "folder"]


def test_threads_keep_the_same_call_at_once(tmp_path: Path) -> None:
    folder = CallFolder(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: folder.put(KEY, stored(str(n))), range(40)))
    assert folder.get(KEY) is not None


def test_any_single_change_to_a_file_is_found(tmp_path: Path) -> None:
    folder, rng = CallFolder(tmp_path), random.Random(5)
    folder.put(KEY, stored())
    path = tmp_path / f"{KEY}.json"
    whole = path.read_bytes()
    meaning = json.loads(whole)
    found = 0
    for _ in range(300):
        at, byte = rng.randrange(len(whole)), rng.randrange(256)
        path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
        try:
            same = json.loads(path.read_bytes()) == meaning
        except ValueError:
            same = False
        if same:
            continue
        with pytest.raises(StoredCallDamaged, match=KEY):
            folder.get(KEY)
        found += 1
    assert found > 200


@pytest.mark.parametrize("length", [0, 1, 50, 400])
def test_a_torn_file_is_named(tmp_path: Path, length: int) -> None:
    folder = CallFolder(tmp_path)
    folder.put(KEY, stored())
    path = tmp_path / f"{KEY}.json"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(StoredCallDamaged, match=f"{KEY}.json is damaged: it is not whole"):
        folder.get(KEY)


def test_a_file_under_another_calls_name_is_found(tmp_path: Path) -> None:
    folder = CallFolder(tmp_path)
    folder.put(KEY, stored())
    other = "0" * 64
    (tmp_path / f"{KEY}.json").rename(tmp_path / f"{other}.json")
    with pytest.raises(StoredCallDamaged, match="its name is that of another call"):
        folder.get(other)


@pytest.mark.parametrize("text", ["[]", "null", "{}", '{"digest": 1}', "[" * 100_000, "\udcff"])
def test_rubbish_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / f"{KEY}.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(StoredCallDamaged):
        CallFolder(tmp_path).get(KEY)
