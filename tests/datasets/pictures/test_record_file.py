"""Records in a file: what is read is what was written, or nothing."""

import os
import pickle

import numpy as np
import pytest

from neuropil.datasets.pictures.record_file import AT_ONCE, ENTRY, START, RecordFile

LENGTHS = np.array([3, 1000, 7])


@pytest.fixture
def records(tmp_path) -> RecordFile:
    return RecordFile(tmp_path / "records", LENGTHS)


def content(number: int) -> np.ndarray:
    """Return the bytes of a record."""
    return np.random.default_rng(number).integers(0, 256, LENGTHS[number], dtype=np.uint8)


def read(records: RecordFile, number: int) -> bytes | None:
    """Return a record, or None if it is missing."""
    into = np.zeros(LENGTHS[number], np.uint8)
    return None if records.read([number], [into]) else into.tobytes()


def test_what_was_written_is_read(records):
    records.write([2, 0], [content(2), content(0)])
    into = [np.zeros(LENGTHS[number], np.uint8) for number in (0, 1, 2)]
    assert records.read([0, 1, 2], into) == [1]
    assert np.array_equal(into[0], content(0))
    assert np.array_equal(into[2], content(2))
    records.write([1], [content(1)])
    assert [read(records, number) for number in range(3)] == [
        content(number).tobytes() for number in range(3)
    ]


def test_another_opening_finds_the_records(records):
    records.write([1], [content(1)])
    for other in (RecordFile(records.path, LENGTHS), pickle.loads(pickle.dumps(records))):
        assert read(other, 1) == content(1).tobytes()
        assert read(other, 0) is None


def test_many_records_are_written_in_parts(tmp_path):
    lengths = np.full(5, AT_ONCE // 2)
    records = RecordFile(tmp_path / "records", lengths)
    contents = [np.full(length, k, np.uint8) for k, length in enumerate(lengths)]
    records.write(range(5), contents)
    into = [np.zeros_like(each) for each in contents]
    assert records.read(range(5), into) == []
    assert all(map(np.array_equal, into, contents))
    records.write([], [])
    assert records.read([], []) == []


@pytest.mark.parametrize("written", [0, 1, 500, 999])
@pytest.mark.parametrize("entered", [0, 3, 4, 8, 12, 16])
def test_a_writer_that_was_killed_leaves_no_record(records, written, entered):
    """Whatever parts of a record and its entry are on disk, it is not taken for the record."""
    records.write([0, 1], [content(0), content(1)])
    start, entry = records.first + 3, START + ENTRY.size
    whole = records.path.read_bytes()
    with records.path.open("r+b") as file:
        file.seek(start)
        file.write(whole[start : start + written] + bytes(1000 - written))
        file.seek(entry)
        file.write(whole[entry : entry + entered] + bytes(16 - entered))
    assert read(records, 1) is None
    assert read(records, 0) == content(0).tobytes()
    records.write([1], [content(1)])
    assert read(records, 1) == content(1).tobytes()


def test_a_file_that_was_cut_off_lacks_its_last_records(records):
    records.write([0, 1], [content(0), content(1)])
    os.truncate(records.path, records.first + 900)
    assert [read(records, n) is None for n in range(3)] == [False, True, True]


def test_a_changed_byte_is_noticed(records):
    records.write([1], [content(1)])
    place = records.first + 300
    byte = records.path.read_bytes()[place]
    with records.path.open("r+b") as file:
        file.seek(place)
        file.write(bytes([byte ^ 1]))
    assert read(records, 1) is None


def test_a_record_in_the_place_of_another_is_not_read(tmp_path):
    records = RecordFile(tmp_path / "records", np.array([5, 5]))
    records.write([0], [np.arange(5, dtype=np.uint8)])
    entry = records.path.read_bytes()[START : START + ENTRY.size]
    with records.path.open("r+b") as file:
        file.seek(START + ENTRY.size)
        file.write(entry)
    assert records.read([1], [np.zeros(5, np.uint8)]) == [0]


def test_a_record_that_another_process_adds_in_between_changes_nothing(records, monkeypatch):
    other, write = RecordFile(records.path, LENGTHS), os.write

    def write_and_let_the_other(*arguments):
        monkeypatch.undo()
        written = write(*arguments)
        other.write([2], [content(2)])
        return written

    monkeypatch.setattr(os, "write", write_and_let_the_other)
    records.write([1], [content(1)])
    assert [read(records, n) for n in (1, 2)] == [content(1).tobytes(), content(2).tobytes()]


def test_several_processes_write_at_once(tmp_path):
    records = RecordFile(tmp_path / "records", np.full(300, 4096))
    children = []
    for _ in range(4):
        child = os.fork()
        if not child:
            for number in range(0, 300, 3):
                three = range(number, number + 3)
                records.write(three, [np.full(4096, k % 251, np.uint8) for k in three])
            os._exit(0)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    into = np.zeros(4096, np.uint8)
    for number in range(300):
        assert records.read([number], [into]) == []
        assert (into == number % 251).all()


def test_another_file_in_its_place_is_replaced(tmp_path):
    path = tmp_path / "records"
    path.write_bytes(b"something else" * 99)
    records = RecordFile(path, LENGTHS)
    assert path.stat().st_size == records.first
    assert read(records, 0) is None


def test_records_of_other_lengths_are_replaced(records):
    records.write([0], [content(0)])
    other = RecordFile(records.path, LENGTHS + 1)
    assert other.path.stat().st_size == other.first
    assert other.read([0], [np.zeros(4, np.uint8)]) == [0]


def test_only_written_records_take_space(tmp_path):
    records = RecordFile(tmp_path / "records", np.full(10_000, 30_000))
    records.write([9999], [np.ones(30_000, np.uint8)])
    assert records.path.stat().st_size < 1_000_000


def test_a_file_that_is_gone_holds_nothing_and_nothing_fails(records):
    records.path.unlink()
    records.write([0], [content(0)])
    assert read(records, 0) is None


def test_a_full_disk_ends_the_writing(records, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    records.write([0], [content(0)])
    monkeypatch.undo()
    records.write([1], [content(1)])
    assert read(records, 1) is None, "nothing is written after a failure"


def test_a_disk_that_takes_a_part_ends_the_writing(records, monkeypatch):
    monkeypatch.setattr(os, "write", lambda _, content: len(content) - 1)
    records.write([0], [content(0)])
    monkeypatch.undo()
    assert read(records, 0) is None
    assert not records.writes
