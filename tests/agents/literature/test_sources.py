from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest

from agents.literature.atom import FeedRefused, entries_of
from agents.literature.fetching import Manners, Web
from agents.literature.sources import ArXiv, OpenAlex, SemanticScholar, Source, find_in, in_order
from tests.agents.literature.making import FakeClock, Index, Kept, Says

FEED = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">
 <title>ArXiv Query</title>
 <entry><id>http://arxiv.org/abs/2110.06169v1</id><published>2021-10-12T00:00:00Z</published>
  <title>Offline Learning with
   Implicit Q-Learning</title><summary>Never evaluate &lt;unseen&gt; actions.</summary>
  <author><name>Ilya Kostrikov</name></author><author><name>Ashvin Nair</name></author>
  <arxiv:doi>10.1000/IQL</arxiv:doi></entry>
 <entry><id>http://arxiv.org/api/errors#x</id><title>Error</title><summary>no</summary></entry>
</feed>"""
OPENALEX = {
    "meta": {"count": 2},
    "results": [
        {
            "id": "https://openalex.org/W1", "display_name": "Conservative Q-Learning", "publication_year": 2020,
            "doi": "https://doi.org/10.1000/cql", "is_retracted": False,
            "authorships": [{"author": {"display_name": "Aviral Kumar"}}, {"author": None}, 5],
            "abstract_inverted_index": {"values": [2], "Lower": [0], "bound": [1, 3]},
        },
        {"id": "https://openalex.org/W2", "title": "A Withdrawn Study of Many Things", "is_retracted": True},
        {"id": None, "title": None}, "garbage", None,
    ],
}  # fmt: skip
SCHOLAR = {
    "total": 1,
    "data": [
        {
            "paperId": "abc", "title": "Conservative Q-Learning", "abstract": None, "year": 2020, "url": "https://x.org/abc",
            "authors": [{"name": "Aviral Kumar"}], "externalIds": {"DOI": "10.1000/cql", "ArXiv": "2006.04779"},
        },
    ],
}  # fmt: skip
MAKERS: tuple[Callable[[Web, str], Source], ...] = (
    lambda web, url: OpenAlex(web, "k", url),
    lambda web, url: SemanticScholar(web, "k", url),
    lambda web, url: ArXiv(web, url),
)
NAMES = ("openalex", "semantic-scholar", "arxiv")


def asking(cap: int = 100_000) -> Web:
    return Web(Kept(), Manners(interval_s=0, request_s=5, cap_bytes=cap), FakeClock())


def test_openalex_answers_become_works(index: Index) -> None:
    index.answers = [Says(json.dumps(OPENALEX).encode())]
    found = OpenAlex(asking(), "secret", index.url).find("offline AND q-learning?", 5)
    one, two = found.entries
    assert (one.id, one.year, one.doi, one.authors) == ("kumar2020conservative", 2020, "10.1000/cql", ("Aviral Kumar",))
    assert one.abstract == "Lower bound values bound"
    assert (two.alias, two.status, two.note) == ("W2", "retracted", "so marked in OpenAlex")
    assert index.asked[0][0] == "/works?search=offline+q+learning&per_page=5&api_key=secret"


def test_semantic_scholar_answers_become_works(index: Index) -> None:
    index.answers = [Says(json.dumps(SCHOLAR).encode())]
    (one,) = SemanticScholar(asking(), "secret", index.url).find("offline", 5).entries
    assert (one.arxiv, one.doi, one.alias) == ("2006.04779", "10.1000/cql", "abc")
    path, headers = index.asked[0]
    assert path.startswith("/paper/search?query=offline&limit=5&fields=title")
    assert headers["x-api-key"] == "secret"


def test_semantic_scholar_may_have_nothing(index: Index) -> None:
    index.answers = [Says(b'{"total": 0, "offset": 0}')]
    found = SemanticScholar(asking(), base=index.url).find("offline", 5)
    assert (found.entries, found.notice) == ((), "")


def test_arxiv_answers_become_works(index: Index) -> None:
    index.answers = [Says(FEED.encode())]
    (one,) = ArXiv(asking(), index.url).find("offline (OR) ti:learning", 5).entries
    assert (one.id, one.arxiv, one.year) == ("kostrikov2021offline", "2110.06169", 2021)
    assert (one.title, one.abstract) == (
        "Offline Learning with Implicit Q-Learning",
        "Never evaluate <unseen> actions.",
    )
    assert (one.authors, one.doi) == (("Ilya Kostrikov", "Ashvin Nair"), "10.1000/iql")
    assert "search_query=all%3Aoffline+OR+all%3Ati+OR+all%3Alearning" in index.asked[0][0]


def bomb(depth: int) -> bytes:
    layers = "".join(f'<!ENTITY a{n + 1} "&a{n};&a{n};&a{n};&a{n};">' for n in range(depth))
    return f'<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a0 "ha">{layers}]><feed>&a{depth};</feed>'.encode()


HOSTILE = {
    "nothing": b"",
    "html": b"<html><body>Log in</body></html>",
    "bytes": bytes(range(256)) * 10,
    "null": b"null",
    "a list": b"[1, 2, 3]",
    "a number": b"1e999",
    "deep": b'{"results": ' + b"[" * 50_000,
    "wrong shape": b'{"results": {"a": 1}, "data": 5}',
    "cut": json.dumps(OPENALEX).encode()[:100],
    "long": b"x" * 200_000,
    "gzip bomb": gzip.compress(b"\x00" * 20_000_000),
    "billion laughs": bomb(20),
    "outside entity": b'<!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/passwd">]><feed>&x;</feed>',
    "outside type": b'<!DOCTYPE feed SYSTEM "http://127.0.0.1:1/x.dtd"><feed/>',
    "deep elements": b'<feed xmlns="http://www.w3.org/2005/Atom">' + b"<a>" * 20_000,
    "another feed": b"<rss><channel/></rss>",
    "unknown entity": FEED.replace("&lt;", "&nbsp;").encode(),
}


@pytest.mark.parametrize("make", MAKERS, ids=NAMES)
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_whatever_an_index_answers_is_a_notice_and_no_error(
    index: Index, make: Callable[[Web, str], Source], body: bytes
) -> None:
    index.answers = [Says(body, headers={"Content-Encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {})]
    found = make(asking(), index.url).find("offline", 5)
    assert found.entries == ()
    assert found.notice.startswith("127.0.0.1 ")
    assert len(found.notice) < 400


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE feed [<!ENTITY who "A B">]>',
        '<!DOCTYPE feed SYSTEM "http://127.0.0.1:1/feed.dtd">',
        '<!DOCTYPE feed [<!ENTITY % more SYSTEM "file:///etc/hostname"> %more;]>',
        "<!DOCTYPE feed>",
    ],
)
def test_a_feed_that_declares_anything_is_refused_though_it_is_right_otherwise(declared: str) -> None:
    assert len(entries_of(FEED.encode())) == 2
    with pytest.raises(FeedRefused, match="declares a document type or entities"):
        entries_of(FEED.replace("<feed", f"{declared}<feed", 1).encode())


def test_a_feed_that_nests_without_end_is_refused() -> None:
    deep = "<a>" * 20_000 + "</a>" * 20_000
    with pytest.raises(FeedRefused, match="nest without end"):
        entries_of(FEED.replace("</feed>", f"{deep}</feed>").encode())


@pytest.mark.parametrize("make", MAKERS, ids=NAMES)
@pytest.mark.parametrize(
    "says",
    [
        Says(status=429),
        Says(status=500),
        Says(status=404),
        Says(status=302, headers={"Location": "http://127.0.0.2:1/"}),
    ],
    ids=["429", "500", "404", "off the host"],
)
def test_no_status_of_an_index_is_an_error(index: Index, make: Callable[[Web, str], Source], says: Says) -> None:
    index.answers = [says]
    found = make(asking(), index.url).find("offline", 5)
    assert found.entries == ()
    assert found.notice


@pytest.mark.parametrize("make", MAKERS, ids=NAMES)
@pytest.mark.parametrize("query", ["", " ?! ", "\ud800", "the of and"])
def test_a_question_without_words_is_not_asked(index: Index, make: Callable[[Web, str], Source], query: str) -> None:
    assert make(asking(), index.url).find(query, 5).entries == ()
    assert index.asked == []


def test_several_indexes_give_a_work_once_and_one_that_fails_stops_nothing(index: Index) -> None:
    web = asking()
    index.answers = [Says(json.dumps(OPENALEX).encode()), Says(json.dumps(SCHOLAR).encode()), Says(b"garbage")]
    found = find_in([make(web, index.url) for make in MAKERS], "offline", 5)
    assert [entry.title for entry in found.entries] == ["Conservative Q-Learning", "A Withdrawn Study of Many Things"]
    assert "cannot be read" in found.notice


def test_a_broken_store_of_pages_is_a_notice(index: Index, tmp_path) -> None:  # noqa: ANN001
    from agents.literature.library import Library

    (tmp_path / "library.db").write_bytes(b"no database at all" * 100)
    web = Web(Library(tmp_path / "library.db").pages, clock=FakeClock())
    assert "cannot be used" in OpenAlex(web, base=index.url).find("offline", 5).notice


@pytest.mark.parametrize(
    ("inverted", "text"),
    [
        ({"b": [1], "a": [0, 2]}, "a b a"),
        ({"far": [10**12], "near": [3]}, "near far"),
        ({"a": "x", "b": [None, -1, "y", 0]}, "b"),
        (["a"], ""),
        (None, ""),
    ],
)
def test_an_inverted_index_is_put_back_in_order(inverted: object, text: str) -> None:
    assert in_order(inverted) == text


def test_an_inverted_index_of_endless_words_is_cut() -> None:
    assert len(in_order({"a": list(range(1_000_000))}).split()) == 3_000
    assert len(in_order({str(n): [n] for n in range(10_000)}).split()) == 3_000
