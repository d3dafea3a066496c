"""Files are replaced whole or not at all, and nothing of a killed writer stays."""

import errno
import os
import re
import signal
import subprocess
import sys

import pytest

from neuropil.core.atomic import clear_remains, make_folder, replacing, replacing_all

KILLED = """
import os, signal, sys
from pathlib import Path
from neuropil.core.atomic import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    if sys.argv[2] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    print("writing", flush=True)
    input()
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write(path, content=b"new"):
    with replacing(path) as file:
        file.write(content)


def test_a_file_is_replaced_and_nothing_else_stays(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")
    write(file)
    assert file.read_bytes() == b"new"
    assert names(tmp_path) == ["a.txt"]


def test_an_error_in_between_leaves_the_old_content(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")

    def broken():
        with replacing(file) as new:
            new.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert file.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_several_files_are_replaced_together_or_not_at_all(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("old")

    def broken():
        with replacing_all(one, two) as (first, _):
            first.write(b"new")
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert names(tmp_path) == ["one"]
    assert one.read_text() == "old"
    with replacing_all(one, two) as (first, second):
        first.write(b"1")
        second.write(b"2")
    assert (one.read_text(), two.read_text()) == ("1", "2")


def test_what_a_killed_writer_left_goes_with_the_next_writing(tmp_path):
    file = tmp_path / "a.txt"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(file), "kill"], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = names(tmp_path)
    assert left.startswith(".a.txt.")
    others = [".a.txt.tmp", ".b.txt.12.tmp", "a.txt.12.tmp"]
    for name in others:
        (tmp_path / name).write_text("not ours")
    write(file)
    assert names(tmp_path) == sorted(["a.txt", *others])


def test_a_living_writer_keeps_its_file(tmp_path):
    file = tmp_path / "a.txt"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(file), "wait"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        other.stdout.readline()
        write(file)
        clear_remains(tmp_path, re.compile(r"a\.txt"))
        assert len(names(tmp_path)) == 2
        other.stdin.write("\n")
        other.stdin.close()
        assert other.wait() == 0
    assert file.read_bytes() == b"half"
    assert names(tmp_path) == ["a.txt"]


def test_files_and_folders_are_on_disk_before_their_names_are(tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr("os.fsync", lambda handle: order.append("content"))
    monkeypatch.setattr(
        "neuropil.core.atomic.sync_folder", lambda folder: order.append(folder.name)
    )
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: order.append("name"))
    make_folder(tmp_path / "x" / "y")
    with replacing_all(tmp_path / "x" / "one", tmp_path / "x" / "two"):
        pass
    assert order == ["x", tmp_path.name, "content", "content", "name", "name", "x"]


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(OSError, match="No space left") as caught,
        replacing(tmp_path / "a") as file,
    ):
        file.write(b"new")
    assert caught.value.filename == str(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_error_that_names_it(tmp_path):
    with (
        pytest.raises(FileNotFoundError) as caught,
        replacing(tmp_path / "lost" / "a"),
    ):
        pass
    assert caught.value.filename == str(tmp_path / "lost")


def test_a_file_that_cannot_be_made_is_an_error_that_names_it(tmp_path, monkeypatch):
    def denied(path, mode):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.open", denied)
    with pytest.raises(PermissionError) as caught, replacing(tmp_path / "a"):
        pass
    assert caught.value.filename == str(tmp_path / "a")
