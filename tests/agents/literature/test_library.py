from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.literature.embedding import HashedNgrams
from agents.literature.entry import Work
from agents.literature.errors import EntryUnknown, LibraryBroken
from agents.literature.library import Added, Library
from agents.literature.reading import seeds
from tests.agents.literature.making import work

HOSTILE = (
    "", " ", '"', '""', "'", "*", "a*", "NEAR(a b, 2)", "title:a", "a AND", "OR", "NOT", "AND AND", "(", ")(", "-a",
    '^a "unclosed', "a + b", "{a b}: c", "a\x00b", "\ud800", "_", "__ _", "\\", "%", "; DROP TABLE entry", "🦆",
    "a" * 100_000, " ".join(str(i) for i in range(10_000)), "İ ß ﬁ", "\u202e", "columns : x", "a:b:c", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
)  # fmt: skip


def test_the_seeds_are_488_works_and_9_repeats(seeding: tuple[Path, Added], seeded: Library) -> None:
    added = seeding[1]
    assert (len(added.entries), len(added.repeats)) == (488, 9)
    assert {r.called: r.kept for r in added.repeats}["3#4"] == seeded.get("1#68").id
    assert sum(entry.supplied for entry in seeded.all()) == 16


def test_the_same_works_again_are_all_repeats(seeded: Library) -> None:
    again = seeded.add(seeds().works)
    assert (len(again.entries), len(again.repeats), len(seeded.all())) == (0, 497, 488)


def test_the_disowned_seed_supports_nothing(seeded: Library) -> None:
    entry = seeded.get("1#41")
    assert (entry.status, seeded.supports("1#41"), seeded.supports(entry.id)) == ("disowned", False, False)
    assert [e.id for e in seeded.all() if e.disowned] == [entry.id]
    assert seeded.supports("1#42")


def test_what_is_not_in_the_library_supports_nothing(seeded: Library) -> None:
    assert not seeded.supports("invented2024paper")
    assert not seeded.supports("")


def test_a_search_shows_the_status_and_near_leaves_the_disowned_out(seeded: Library) -> None:
    query = "artificial intelligence materials discovery productivity of scientists"
    first = seeded.search(query)[0]
    assert (first.entry.alias, first.entry.status) == ("1#41", "disowned")
    assert "1#41" not in [entry.alias for entry in seeded.near(query, 50)]
    assert "1#41" in [entry.alias for entry in seeded.near(query, 50, exclude_disowned=False)]


def test_most_works_are_found_first_by_their_own_titles(seeded: Library) -> None:
    titled = [entry for entry in seeded.all() if not entry.supplied][::10]
    first = [seeded.search(entry.title, 1)[0].entry.id == entry.id for entry in titled]
    assert np.mean(first) >= 0.95


def test_untitled_works_are_found_by_what_they_are_about(seeded: Library) -> None:
    found = seeded.near("never evaluate actions outside of the dataset, expectile of the value function", 3)
    assert "0#3" in [entry.alias for entry in found]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_query_is_read_as_an_operator(seeded: Library, text: str) -> None:
    seeded.search(text, 3)
    assert len(seeded.all()) == 488


def test_words_of_no_work_find_nothing(seeded: Library) -> None:
    assert seeded.search("zxqv wkjq plmn") == ()


def test_the_order_of_adding_does_not_change_an_answer(tmp_path: Path) -> None:
    works = seeds().works[:60]
    one, two = Library(tmp_path / "one.db"), Library(tmp_path / "two.db")
    one.add(works)
    two.add(reversed(works))
    for query in ("offline reinforcement learning", "peer review by language models", "exploration"):
        assert one.search(query, 20) == two.search(query, 20)


def test_a_repeat_fills_what_is_missing_and_keeps_the_key(library: Library) -> None:
    first = library.add([work("A Study of Many Interesting Things", doi="10.1000/x")]).entries[0]
    again = library.add([work("Another Title", doi="10.1000/X", authors=["A B"], year=2020, abstract="About things.")])
    kept = library.get(first.id)
    assert (kept.title, kept.authors, kept.year, kept.abstract) == (first.title, ("A B",), 2020, "About things.")
    assert [r.kept for r in again.repeats] == [first.id]
    assert library.search("about things")[0].similarity is not None


def test_the_repeat_of_an_untitled_work_brings_its_title(library: Library) -> None:
    abstract = "A long abstract that tells this work from every other one there is in the world. " * 4
    library.add([work(abstract=abstract, alias="one")])
    library.add([work("Its Real and Proper Title", abstract)])
    kept = library.get("one")
    assert (kept.title, kept.supplied) == ("Its Real and Proper Title", False)


def test_a_repeat_can_disown_and_never_clear(library: Library) -> None:
    library.add([work("A Study of Many Interesting Things")])
    library.add([work("A study of many interesting things", status="retracted", note="by the journal")])
    library.add([work("A study of many interesting things", status="", note="")])
    (kept,) = library.all()
    assert (kept.status, kept.note, library.supports(kept.id)) == ("retracted", "by the journal", False)


def test_different_works_with_one_key_get_different_keys(library: Library) -> None:
    told = {"authors": ["Chris Lu"], "year": 2024}
    titles = ("Offline learning of many tasks", "Offline learning of few tasks", "Offline planning of all tasks")
    assert [e.id for e in library.add(work(t, **told) for t in titles).entries] == [
        "lu2024offline", "lu2024offlineb", "lu2024offlinec",
    ]  # fmt: skip


def test_an_unknown_key_is_an_error_that_says_what_to_do(library: Library) -> None:
    for ask in (library.get, library.text, lambda name: library.bibtex([name]), lambda name: library.disown(name, "x")):
        with pytest.raises(EntryUnknown, match="library search"):
            ask("nobody2020nothing")


def test_disowning_is_kept(library: Library) -> None:
    entry = library.add([work("A Study of Many Interesting Things")]).entries[0]
    library.disown(entry.id, "its data was invented")
    other = Library(library.pages._store.path)
    assert (other.get(entry.id).note, other.supports(entry.id)) == ("its data was invented", False)


def test_the_full_text_is_searched_and_kept_apart(library: Library) -> None:
    library.add(
        [work("A Study of Things", "Short.", text="deep inside it speaks of wombats"), work("Another One", "Long.")]
    )
    hit = library.search("wombats")[0]
    assert hit.entry.title == "A Study of Things"
    assert "wombats" not in hit.entry.model_dump_json()
    assert library.text(hit.entry.id).endswith("wombats")


def test_a_chain_runs_from_the_oldest_to_the_newest_ties_by_key(library: Library) -> None:
    years = {
        "Conservative offline learning": 2020,
        "Offline learning first seen": 2005,
        "Undated offline learning": None,
    }
    library.add(work(f"{title} of policies", year=year) for title, year in years.items())
    library.add([work("Zebra offline learning of policies", year=2005), work("Bread and butter", year=1990)])
    chain = library.chain("offline learning of policies", 4)
    assert [entry.year for entry in chain] == [2005, 2005, 2020, None]
    assert chain[0].id < chain[1].id


def test_a_chain_leaves_the_disowned_out(seeded: Library) -> None:
    assert "1#41" not in [e.alias for e in seeded.chain("artificial intelligence materials discovery productivity", 60)]


def test_readers_and_writers_share_the_file(library: Library) -> None:
    library.add([work("Offline learning of policies, volume 0")])

    def read() -> bool:
        return all(library.search("offline learning") for _ in range(10))

    def write(start: int) -> bool:
        other = Library(library.pages._store.path)
        for number in range(start, start + 10):
            other.add([work(f"Offline learning of policies, volume {number}")])
        return True

    with ThreadPoolExecutor(5) as pool:
        reading = [pool.submit(read) for _ in range(3)]
        writing = [pool.submit(write, start) for start in (100, 105)]
        assert all(each.result() for each in (*reading, *writing))
    assert len(library.all()) == 16


def test_an_error_midway_leaves_the_library_as_it_was(library: Library) -> None:
    library.add([work("Offline learning of policies")])

    def broken_off() -> Iterator[Work]:
        yield work("Another Study of Many Interesting Things")
        raise RuntimeError

    def half() -> None:
        with library.pages._store.writing() as connection:
            connection.execute("DELETE FROM entry")
            raise RuntimeError

    for go_wrong in (half, lambda: library.add(broken_off())):
        with pytest.raises(RuntimeError):
            go_wrong()
    assert len(library.all()) == 1


def test_a_copy_stays_as_it_was(library: Library, tmp_path: Path) -> None:
    entry = library.add([work("Offline learning of policies")]).entries[0]
    copy = library.copy(tmp_path / "copy.db")
    library.disown(entry.id, "its data was invented")
    library.add([work("Offline learning of many more policies")])
    assert copy.supports(entry.id)
    assert [each.id for each in copy.near("offline learning", 5)] == [entry.id]
    with pytest.raises(LibraryBroken, match="exists"):
        library.copy(tmp_path / "copy.db")


@pytest.mark.parametrize("content", [b"this is no database " * 100, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_file_that_is_no_library_is_told_of(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "library.db"
    path.write_bytes(content)
    with pytest.raises(LibraryBroken, match=r"library\.db cannot be used"):
        Library(path).all()
    assert path.read_bytes() == content


def test_a_library_of_a_newer_version_is_left_alone(library: Library) -> None:
    with library.pages._store.writing() as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LibraryBroken, match="another version"):
        library.add([work("A Study of Things")])


class Letters:
    """An embedding of another kind: how often each letter occurs."""

    name = "letters"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.array([[text.casefold().count(c) for c in "abcdefghijklmnopqrstuvwxyz"] for text in texts])
        return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)).astype(np.float32)


def test_another_embedding_has_vectors_of_its_own(library: Library) -> None:
    library.add([work("Banana bandana"), work("Xylophone")])
    other = Library(library.pages._store.path, Letters())
    hits = {hit.entry.title: hit.similarity for hit in other.search("nab a banana")}
    assert hits["Banana bandana"] == pytest.approx(0.988, abs=0.003)
    assert library.search("banana bandana")[0].similarity == pytest.approx(0.94, abs=0.05)


class Overtaken(Letters):
    """An embedding while whose first use something else happens."""

    name = "overtaken"

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.meanwhile = [meanwhile]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        while self.meanwhile:
            self.meanwhile.pop()()
        return super().embed(texts)


def test_a_vector_is_of_what_a_work_says_now(library: Library) -> None:
    library.add([work("Zzz", doi="10.1000/x")])
    again = work("Zzz", "aaaa " * 50, doi="10.1000/x")
    other = Library(library.pages._store.path, Overtaken(lambda: library.add([again])))
    other.search("zzz")
    similarity = other.search("aaaa")[0].similarity
    assert similarity is not None
    assert similarity > 0.9


def test_the_embedding_is_the_same_everywhere_and_of_length_one() -> None:
    texts = ["offline reinforcement learning", "learning offline reinforcement", "bread and butter", "", "the of and"]
    rows = HashedNgrams().embed(texts)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1, 1, 0, 1], abs=1e-5)
    assert rows[0] @ rows[1] > 0.6 > 0.12 > rows[0] @ rows[2]
    assert np.array_equal(rows, HashedNgrams().embed(texts))
    assert HashedNgrams().embed([]).shape == (0, 2048)
