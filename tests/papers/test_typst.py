"""Text from outside prints as it is, whatever it holds."""

from __future__ import annotations

import string as characters
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.papers.binding import Bindings
from flows.papers.typst import Script, clean, escape, first, string

READ = """
#let read(it) = {
  if type(it) == str { return it }
  if it == [ ] { return " " }
  if it.func() == smartquote { return if it.double { "\\"" } else { "'" } }
  if it.has("children") { return it.children.map(read).join("") }
  if it.has("text") and it.func() != raw { return it.text }
  panic("not text: " + repr(it))
}
"""
HOSTILE = (
    "#panic()", "= heading", "- item", "+ item", "/ term: d", "1. one", "12) two", "`raw` ```x```", "$ x^2 $",
    "*b* _i_ @ref <lab> ~ \\ #", "// comment", "/* comment", "[x](y)", "http://x.y/z", "\"q\" 'it\\'s'", "--- -- ...",
    "}{", '#import "x": *', "-1 a-b -- c-", "\\u{41}", "a;b", "x\\", "#", "https://", "-?", "..", "%", "&amp;",
)  # fmt: skip


def printed(markup: str, expected: str) -> None:
    """Let Typst read `markup` and assert that it is the text `expected` and nothing but text."""
    import typst

    source: Any = f"{READ}#assert.eq(read([{markup}]), {string(expected)})"
    typst.compile(source.encode(), format="pdf", ignore_system_fonts=True)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_read_as_text(text: str) -> None:
    printed(f"x {escape(text)} y", f"x {text} y")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_may_begin_a_line(text: str) -> None:
    printed(f"x\n{first(escape(text))}", f"x {text}")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text(alphabet=characters.printable + "é–“”½٣\u202e\u0000", max_size=27))
def test_any_text_is_read_as_text(text: str) -> None:
    printed(f"x{escape(text)}x", clean(f"x{text}x"))


@pytest.mark.parametrize("faulty", ["#x", "*x*", "--", "`x`", "@x", "\\ x"])
def test_the_check_above_would_notice_text_that_is_not_escaped(faulty: str) -> None:
    import typst

    with pytest.raises(typst.TypstError):
        printed(f"x {faulty} y", f"x {faulty} y")


def test_marks_that_hide_or_reorder_text_are_dropped() -> None:
    assert clean("1\u202e2\u00003\ud8004\u200b5\n6") == "12345 6"
    assert "\u202e" not in escape("1\u202e2")


def test_a_number_may_be_followed_by_anything(bindings: Bindings) -> None:
    script = Script(bindings, ())
    read = "#let num(key, body) = body\n"
    import typst

    for after in ("(a)", "[b]", ".c", ";", '"', "'s", " d"):
        markup = script.inline(f"{{claim:k1.n}}{after}")
        source: Any = f"{READ}{read}#assert.eq(read([{markup}]), {string('16' + after)})"
        typst.compile(source.encode(), format="pdf", ignore_system_fonts=True)
