"""Records in a file: what is read is what was written, or nothing."""

import os
import pickle

import numpy as np
import pytest

from neuropil.datasets.pictures.record_file import START, TAG, RecordFile

LENGTHS = np.array([3, 1000, 7])


@pytest.fixture
def records(tmp_path) -> RecordFile:
    return RecordFile(tmp_path / "records", LENGTHS)


def content(number: int) -> np.ndarray:
    """Return the bytes of a record."""
    return np.random.default_rng(number).integers(0, 256, LENGTHS[number], dtype=np.uint8)


def test_what_was_written_is_read(records):
    for number in (2, 0, 1):
        into = np.zeros(LENGTHS[number], np.uint8)
        assert not records.read(number, into)
        records.write(number, content(number))
        assert records.read(number, into)
        assert np.array_equal(into, content(number))


def test_another_opening_finds_the_records(records):
    records.write(1, content(1))
    into = np.zeros(1000, np.uint8)
    for other in (RecordFile(records.path, LENGTHS), pickle.loads(pickle.dumps(records))):
        assert other.read(1, into)
        assert np.array_equal(into, content(1))
        assert not other.read(0, into[:3])


@pytest.mark.parametrize("written", [0, 1, 500, 999])
@pytest.mark.parametrize("tagged", [0, 3, 4, 7, 8])
def test_a_writer_that_was_killed_leaves_no_record(records, written, tagged):
    """Whatever parts of a record and its tag are on disk, it is not taken for the record."""
    records.write(1, content(1))
    start, tag = int(records.starts[1]), START + TAG.size
    whole = records.path.read_bytes()
    with records.path.open("r+b") as file:
        file.seek(start)
        file.write(whole[start : start + written] + bytes(1000 - written))
        file.seek(tag)
        file.write(whole[tag : tag + tagged] + bytes(8 - tagged))
    into = np.zeros(1000, np.uint8)
    assert not records.read(1, into)
    records.write(1, content(1))
    assert records.read(1, into)


def test_a_changed_byte_is_noticed(records):
    records.write(1, content(1))
    place = int(records.starts[1]) + 300
    byte = records.path.read_bytes()[place]
    with records.path.open("r+b") as file:
        file.seek(place)
        file.write(bytes([byte ^ 1]))
    assert not records.read(1, np.zeros(1000, np.uint8))


def test_a_record_in_the_place_of_another_is_not_read(tmp_path):
    records = RecordFile(tmp_path / "records", np.array([5, 5]))
    records.write(0, np.arange(5, dtype=np.uint8))
    tag = records.path.read_bytes()[START : START + TAG.size]
    with records.path.open("r+b") as file:
        file.seek(START + TAG.size)
        file.write(tag)
        file.seek(int(records.starts[1]))
        file.write(bytes(range(5)))
    assert not records.read(1, np.zeros(5, np.uint8))


def test_several_processes_write_at_once(tmp_path):
    records = RecordFile(tmp_path / "records", np.full(300, 4096))
    children = []
    for _ in range(4):
        child = os.fork()
        if not child:
            for number in range(300):
                records.write(number, np.full(4096, number % 251, np.uint8))
            os._exit(0)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    into = np.zeros(4096, np.uint8)
    for number in range(300):
        assert records.read(number, into)
        assert (into == number % 251).all()


def test_another_file_in_its_place_is_replaced(tmp_path):
    path = tmp_path / "records"
    path.write_bytes(b"something else" * 99)
    records = RecordFile(path, LENGTHS)
    assert path.stat().st_size == records.total
    assert not records.read(0, np.zeros(3, np.uint8))


def test_only_written_records_take_space(tmp_path):
    records = RecordFile(tmp_path / "records", np.full(10_000, 30_000))
    assert records.total > 300_000_000 > 1_000_000 > 512 * records.path.stat().st_blocks


def test_a_file_that_is_gone_holds_nothing_and_nothing_fails(records):
    records.path.unlink()
    records.write(0, content(0))
    assert not records.read(0, np.zeros(3, np.uint8))


def test_a_full_disk_ends_the_writing(records, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    records.write(0, content(0))
    monkeypatch.undo()
    records.write(1, content(1))
    assert not records.read(1, np.zeros(1000, np.uint8)), "nothing is written after a failure"
