"""Metrics files of every wrong kind, written by a candidate where its evaluator's would be.

Each also writes an honest `number.txt`: the score must come from that alone, and the file must be refused by the reader
of metrics, as it would be if an evaluator had written it.
"""

from __future__ import annotations

import os

from attack import given, hostile, out, write

CONTAINED = "the file is refused, or not collected, and the score is the evaluator's."
GOOD = '{"height": 99.0, "tosses": 1}'


def claim(content):
    """Write an honest number beside the metrics that are not."""
    write("number.txt", "1.0")
    write("metrics.json", content)


@hostile("scoring", trial=("ok",), loose=True)
def own_metrics():
    """Writes metrics of its own, well formed and far too good."""
    claim(GOOD)


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_not_a_number():
    """Writes metrics with a metric that is not a number."""
    claim('{"height": NaN, "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_infinite():
    """Writes metrics with an infinite metric."""
    claim('{"height": Infinity, "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_minus_infinite():
    """Writes metrics with a metric that is infinite downwards."""
    claim('{"height": -Infinity, "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_overflowing():
    """Writes metrics with a number that overflows into infinity."""
    claim('{"height": 1e999, "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_beyond_sums():
    """Writes metrics with a number so large that sums of it overflow."""
    claim('{"height": 1e300, "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_endless_integer():
    """Writes metrics with an integer of six thousand digits."""
    claim('{"height": ' + "9" * 6000 + ', "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_twice():
    """Writes one metric twice."""
    claim('{"height": 1.0, "height": 99.0, "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_twice_by_escape():
    """Writes one metric twice, once with its name escaped."""
    claim('{"height": 1.0, "\\u0068eight": 99.0, "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_deep():
    """Writes metrics with a hundred thousand lists in each other."""
    claim('{"height": ' + "[" * 100_000 + "]" * 100_000 + ', "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_huge():
    """Writes metrics behind half a megabyte of spaces."""
    claim(" " * 500_000 + GOOD)


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_not_utf8():
    """Writes metrics with bytes that are no text."""
    claim(GOOD.encode().replace(b"height", b"h\xffight"))


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_utf16():
    """Writes metrics in another encoding."""
    claim(GOOD.encode("utf-16"))


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_with_mark():
    """Writes metrics behind a byte order mark."""
    claim(b"\xef\xbb\xbf" + GOOD.encode())


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_list_of_metrics():
    """Writes a list of metrics where an object belongs."""
    claim(f"[{GOOD}]")


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_bare_number():
    """Writes a bare number as its metrics."""
    claim("99.0")


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_truth():
    """Writes metrics with a truth value for a number."""
    claim('{"height": true, "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_nothing():
    """Writes metrics with nothing for a number."""
    claim('{"height": null, "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_list_value():
    """Writes metrics with a list for a number."""
    claim('{"height": [99.0], "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_nested():
    """Writes metrics with an object for a number."""
    claim('{"height": {"value": 99.0}, "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_number_in_words():
    """Writes metrics with a number as a string."""
    claim('{"height": "99.0", "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_missing():
    """Writes fewer metrics than were declared."""
    claim('{"tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_extra():
    """Writes more metrics than were declared."""
    claim(GOOD[:-1] + ', "luck": 7}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_alike():
    """Writes metrics with a name with a letter of another alphabet."""
    claim('{"h\u0435ight": 99.0, "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_empty():
    """Writes an empty metrics file."""
    claim("")


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_truncated():
    """Writes a metrics file that ends in the middle."""
    claim(GOOD[:20])


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_two_documents():
    """Writes two documents into the metrics file."""
    claim(GOOD + "\n" + GOOD)


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_comment():
    """Writes metrics with a comment and a trailing comma."""
    claim('{"height": 99.0, "tosses": 1,} // fine')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_hexadecimal():
    """Writes metrics with a number in another notation."""
    claim('{"height": 0x63, "tosses": 1}')


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_zeros():
    """Writes metrics with zeros after them."""
    claim(GOOD.encode() + bytes(64))


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_python_literal():
    """Writes metrics with code for a value."""
    claim("{'height': __import__('os').getpid(), 'tosses': 1}")


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_link():
    """Leaves a link to a file of the host under the name of the metrics."""
    write("number.txt", "1.0")
    os.symlink(given("decoy"), out("metrics.json"))


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_directory():
    """Makes a directory under the name of the metrics."""
    write("number.txt", "1.0")
    write("metrics.json/metrics.json", GOOD)


@hostile("scoring", trial=("ok",), metrics=True)
def metrics_pipe():
    """Leaves a named pipe under the name of the metrics, which would hold up its reader."""
    write("number.txt", "1.0")
    os.mkfifo(out("metrics.json"))
