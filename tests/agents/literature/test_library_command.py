from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agents.literature.errors import EntryUnknown, SourceUnreadable
from agents.literature.library import Added
from flows.cli import hypoloop
from flows.exits import WRONG_INPUT, exit_code


@pytest.fixture
def home(seeding: tuple[Path, Added], tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "library.db").write_bytes(seeding[0].read_bytes())
    return tmp_path / "home"


def say(home: Path, *words: str) -> Result:
    return CliRunner().invoke(hypoloop, ["--home", str(home), "library", *words])


def said(home: Path, *words: str) -> str:
    result = say(home, *words)
    assert result.exit_code == 0, result.output
    return result.output


def test_an_empty_library_says_how_to_fill_it(tmp_path: Path) -> None:
    assert "hypoloop library add seeds" in said(tmp_path, "list")
    assert "hypoloop library add seeds" in said(tmp_path, "search", "things")
    assert list(tmp_path.iterdir()) == []


def test_adding_the_seeds_again_reports_repeats(home: Path) -> None:
    assert "seeds: 0 works added, 497 were there already." in said(home, "add", "seeds")


def test_adding_tells_what_failed_and_what_supports_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.bib").write_text("@misc{a, title = {A Title}, note = {retracted}}\n@misc{b, year = 1999}")
    output = said(tmp_path, "add", str(tmp_path / "x.bib"))
    assert "x.bib: the entry b has neither a title nor an abstract; left out." in output
    assert "a is retracted and supports nothing: A Title" in output


def test_a_search_lists_keys_and_standing(home: Path) -> None:
    query = "artificial intelligence materials discovery productivity of scientists"
    assert said(home, "search", query, "-n", "1").split()[0] == "ref-1-41"
    assert "[disowned]" in said(home, "search", query, "-n", "1")
    (hit,) = json.loads(said(home, "search", query, "-n", "1", "--json"))
    assert (hit["entry"]["status"], hit["entry"]["alias"]) == ("disowned", "1#41")


def test_list_gives_every_work(home: Path) -> None:
    assert len(said(home, "list").splitlines()) == 488
    assert len(json.loads(said(home, "list", "--json"))) == 488


def test_show_tells_standing_open_problems_and_the_reference(home: Path) -> None:
    assert "SUPPORTS NOTHING: disowned by its institution" in said(home, "show", "1#41")
    output = said(home, "show", "0#1")
    assert "open, from character 0: General reasoning represents a long-standing" in output
    assert "@misc{ref-0-1," in output
    assert json.loads(said(home, "show", "0#1", "--json"))["spans"][0]["start"] == 0


def test_what_is_disowned_by_command_supports_nothing(home: Path) -> None:
    assert "ref-0-2 supports nothing from now on: invented" in said(home, "disown", "0#2", "--why", "invented")
    assert "SUPPORTS NOTHING: disowned: invented" in said(home, "show", "ref-0-2")


def test_words_of_works_cannot_steer_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps({"title": "A \x1b[2J\u202eTitle", "status": "retracted"}))
    for words in (("add", str(tmp_path / "x.jsonl")), ("list",), ("search", "title")):
        assert "\x1b" not in said(tmp_path, *words)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("show", "nobody2020"), EntryUnknown),
        (("disown", "nobody2020", "--why", "x"), EntryUnknown),
        (("add", "nothing.bib"), SourceUnreadable),
    ],
)
def test_wrong_input_has_its_exit_code(home: Path, words: tuple[str, ...], error: type[Exception]) -> None:
    problem = say(home, *words).exception
    assert isinstance(problem, error)
    assert exit_code(problem) == WRONG_INPUT


def test_without_a_network_find_says_so_once_and_ends_well(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def no_names(*given: object, **told: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_names)
    output = said(home, "find", "offline reinforcement learning")
    assert output.count("Nobody is asked again in this run") == 1
    assert "0 works added" in output


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from click.testing import CliRunner; from flows.cli import hypoloop\n"
        "assert CliRunner().invoke(hypoloop, ['library', '--help']).exit_code == 0\n"
        "print([m for m in ('pydantic', 'sqlite3', 'numpy', 'sklearn', 'httpx', 'pypdf') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
