from __future__ import annotations

import os
from pathlib import Path

import pytest

from templates.errors import MetricsInvalid
from templates.metrics import read_metrics


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metrics.json"


def test_declared_finite_numbers_are_read(file: Path) -> None:
    file.write_text('{"b": -2, "a": 1.5e-3}')
    assert read_metrics(file, ("a", "b")) == {"a": 0.0015, "b": -2.0}
    assert isinstance(read_metrics(file, ("a", "b"))["b"], float)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"a": NaN}', "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "not finite"),
        (b'{"a": 1e200}', "overflow"),
        (b'{"a": true}', "must be a number"),
        (b'{"a": null}', "must be a number"),
        (b'{"a": "1"}', "must be a number"),
        (b'{"a": {"b": 1}}', "must be a number"),
        (b'{"a": [1]}', "must be a number"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b"{}", "lacks a"),
        (b'{"a": 1, "b": 2}', "does not declare"),
        (b"[1]", "one JSON object"),
        (b"1", "one JSON object"),
        (b"", "not JSON"),
        (b'{"a": 1} {"a": 2}', "not JSON"),
        (b'{"a": 1', "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": ' + b"9" * 6000 + b"}", "not JSON"),
        (b'{"a": ' + b"9" * 400 + b"}", "too large"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 40_000, "nested too deeply"),
        (b'{"a": 1}' + b" " * 300_000, "larger than 256 kB"),
    ],
    ids=lambda value: ascii(value)[:24] if isinstance(value, bytes) else value,
)
def test_everything_else_is_refused_with_a_reason(file: Path, content: bytes, says: str) -> None:
    file.write_bytes(content)
    with pytest.raises(MetricsInvalid, match=says):
        read_metrics(file, ("a",))


def test_a_missing_file_a_folder_a_link_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text('{"a": 1}')
    (tmp_path / "link.json").symlink_to("real.json")
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    for name in ("missing.json", "link.json", "folder.json", "pipe.json"):
        with pytest.raises(MetricsInvalid, match=name):
            read_metrics(tmp_path / name, ("a",))


def test_a_long_undeclared_name_is_not_repeated_in_full(file: Path) -> None:
    file.write_text('{"a": 1, "%s": 1}' % ("x\\u001b" * 5000))
    with pytest.raises(MetricsInvalid) as caught:
        read_metrics(file, ("a",))
    assert len(str(caught.value)) < 300
    assert "\x1b" not in str(caught.value)
