from __future__ import annotations

import pytest
from pydantic import ValidationError

from agents.llm.constraints import violations
from agents.records import Edit, Patch
from templates.constraints import Constraint
from tests.agents import making

OLD = {
    "workload/run.py": "import os\n\nSEED = 1\n\n\ndef learn() -> int:\n    return eval('1')\n",
    "workload/notes.txt": "this is no { Python\n",
}


def constraint(kind: str, value: str | int, applies_to: str = "patch") -> Constraint:
    return Constraint(name="the-rule", kind=kind, applies_to=applies_to, value=value, why="So it is.")


def patch(**texts: str) -> Patch:
    edits = tuple(Edit(path=f"workload/{name.replace('_', '.')}", text=text) for name, text in texts.items())
    return Patch(idea="i1", summary="s", edits=edits, by="llm")


def broken(rule: Constraint, **texts: str) -> tuple[str, ...]:
    return violations([rule], patch(**texts), OLD)


def added(line: str) -> str:
    return f"{OLD['workload/run.py']}{line}\n"


def test_a_violation_names_the_constraint_what_was_found_and_why() -> None:
    said = broken(constraint("forbid_text", r"gymnas\w+"), run_py=added("# gymnasium"))
    assert said == ("violates constraint the-rule: workload/run.py has 'gymnasium' (So it is.)",)


@pytest.mark.parametrize(
    ("kind", "value", "bad", "good"),
    [
        ("forbid_text", "pickle", "# pickle", "# jar"),
        ("forbid_text", "^x =", "x = 1", "y = 1"),
        ("require_text", "gamma", "beta = 1", "gamma = 1"),
        ("max_added_lines", 1, "a = 1\nb = 2", "a = 1"),
        ("forbid_import", "socket", "import socket", "import math"),
        ("forbid_import", "socket", "import socket as harmless", "import sockets"),
        ("forbid_import", "urllib", "from urllib.request import urlopen", "from math import pi"),
        ("forbid_import", "urllib.request", "from urllib import request", "from urllib import parse"),
        ("forbid_import", "socket", "def f():\n    import socket", "socket = 1"),
        ("forbid_import", "socket", "__import__('socket')", "__import__('math')"),
        ("forbid_import", "socket", "import importlib as i\ni.import_module('socket')", "import importlib"),
        ("forbid_import", "socket", "from importlib import import_module as m\nm(''.join(('s', 'ocket')))", "m = 1"),
        ("forbid_symbol", "exec", "exec('1')", "execute = 1"),
        ("forbid_symbol", "exec", "import builtins as b\nb.exec('1')", "import builtins"),
        ("forbid_symbol", "exec", "f = getattr(__builtins__, 'x')\nexec", "f = 2"),
        ("forbid_symbol", "os.system", "os.system('x')", "os.getcwd()"),
        ("forbid_symbol", "os.system", "from os import system as s\ns('x')", "from os import getcwd"),
        ("forbid_symbol", "os.system", "from os import *", "from math import *"),
        ("forbid_symbol", "os.system", "getattr(os, 'system')('x')", "getattr(os, 'name')"),
        ("forbid_symbol", "EPISODES", "EPISODES = 3", "EPISODE = 3"),
        ("forbid_symbol", "score", "def score(): ...", "def scored(): ..."),
    ],
)
def test_each_kind_bites_on_what_it_names_and_on_nothing_else(kind: str, value: str | int, bad: str, good: str) -> None:
    rule = constraint(kind, value)
    assert len(broken(rule, run_py=added(bad))) == 1
    assert broken(rule, run_py=added(good)) == ()


def test_files_are_counted_by_whether_they_change() -> None:
    rule = constraint("max_files", 1)
    assert broken(rule, run_py=added("a = 1"), more_py="") != ()
    assert broken(rule, run_py=added("a = 1"), notes_txt=OLD["workload/notes.txt"]) == ()


@pytest.mark.parametrize(
    ("kind", "value"), [("forbid_import", "os"), ("forbid_symbol", "eval"), ("forbid_text", "SEED")]
)
def test_what_was_there_before_is_not_held_against_a_patch_but_more_of_it_is(kind: str, value: str) -> None:
    rule = constraint(kind, value)
    twice = added("import os as more\nSEED = eval('2')")
    assert broken(rule, run_py=added("a = 1")) == ()
    assert broken(rule, run_py="A = 1\n", moved_py=OLD["workload/run.py"]) == ()
    assert broken(rule, run_py=twice) != ()


def test_python_that_cannot_be_read_is_refused_where_names_are_forbidden_and_other_files_are_not_parsed() -> None:
    rule = constraint("forbid_import", "socket")
    assert "no Python that can be read" in broken(rule, run_py="import (")[0]
    assert "no Python that can be read" in broken(rule, run_py="x = 1\x00")[0]
    assert "no Python that can be read" in broken(rule, run_py="-" * 100_000 + "1")[0]
    assert broken(rule, notes_txt="import socket (") == ()
    assert broken(constraint("max_added_lines", 5), run_py="import (") == ()


def test_an_unreadable_file_that_the_patch_leaves_alone_or_mends_is_not_its_fault() -> None:
    old = {"workload/run.py": "import (", "workload/more.py": "a = 1\n"}
    rule = constraint("forbid_import", "socket")
    assert violations([rule], patch(more_py="a = 2\n"), old) == ()
    assert violations([rule], patch(run_py="import math\n"), old) == ()
    assert violations([rule], patch(run_py="import socket\n"), old) != ()


def test_an_idea_is_held_to_the_constraints_on_ideas_alone() -> None:
    idea = making.idea("i1", "fast").model_copy(update={"mechanism": "It asks the environment."})
    rules = [constraint("forbid_text", "environment", "idea"), constraint("forbid_text", "environment", "patch")]
    assert len(violations(rules, idea)) == 1
    assert violations([constraint("require_text", "environment", "idea")], idea) == ()
    assert violations([constraint("require_text", "temperature", "idea")], idea) != ()


@pytest.mark.parametrize(
    ("kind", "value", "applies_to"),
    [
        ("forbid_text", "(", "patch"),
        ("forbid_text", "", "patch"),
        ("forbid_text", 3, "idea"),
        ("max_files", "three", "patch"),
        ("max_files", -1, "patch"),
        ("max_files", 3, "idea"),
        ("forbid_import", "os", "idea"),
        ("forbid_symbol", 1, "patch"),
    ],
)
def test_a_constraint_that_could_not_be_checked_is_refused(kind: str, value: str | int, applies_to: str) -> None:
    with pytest.raises(ValidationError):
        constraint(kind, value, applies_to)
