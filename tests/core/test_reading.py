"""Whatever reading a file raises is one line with the file's name."""

import json
import os

import pytest

from neuropil.core import reading as module
from neuropil.core.reading import read_json, reading, require_file


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no."), KeyError("nodes"), IndexError("x"), RuntimeError(),
        OSError(5, "I/O"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), RecursionError("deep"), MemoryError(),
        AttributeError("a\nb"), ZeroDivisionError("division by zero"), AssertionError(),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_any_error_becomes_a_line_that_names_the_file(error):
    line = r"^a\.bin (is damaged|is too large|cannot be read): .*[^.]\.$"
    with pytest.raises(ValueError, match=line) as caught, reading("a.bin"):
        raise error
    assert "\n" not in str(caught.value)


def test_what_names_the_file_already_passes_and_so_does_an_interruption():
    for error in (ValueError("a.bin: no rows."), FileNotFoundError("x"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught, reading("a.bin"):
            raise error
        assert caught.value is error


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "is damaged: Expecting value"),
        (b"[1, 2]", "is damaged: it has no format number"),
        (b'{"format": true}', "is damaged: it has no format number"),
        (b"[" * 10**5, "is damaged: maximum recursion"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is damaged: Exceeds the limit"),
        (b"\xff\xfe\x00", "is damaged: "),
        (b"{" + b" " * 2000 + b"}", "has 2,002 bytes; at most 1,000 are read"),
    ],
)
def test_json_that_cannot_be_read(tmp_path, monkeypatch, content, line):
    path = tmp_path / "run.json"
    path.write_bytes(content)
    if len(content) < 10_000 and b" " in content[1:3]:
        monkeypatch.setattr(module, "LARGEST_JSON", 1000)
    with pytest.raises(ValueError, match=line) as caught:
        read_json(path, 1)
    assert str(caught.value).startswith(str(path))


def test_json_is_read(tmp_path):
    path = tmp_path / "run.json"
    plain = {"format": 1, "a": [1, None, "ä"]}
    path.write_text(json.dumps(plain))
    assert read_json(path, 1) == plain
    path.write_text(json.dumps(plain | {"format": 2}))
    with pytest.raises(
        ValueError, match="has format 2, and this version reads up to 1: update"
    ):
        read_json(path, 1)


def test_only_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path / "pipe", "a pipe"), (tmp_path, "a folder")):
        with pytest.raises(ValueError, match=f"is {kind}, not a file"):
            require_file(path)
