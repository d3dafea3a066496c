"""Packed tables."""

import bz2
import gzip
import lzma
import os
import zipfile

import pyarrow as pa
import pytest

from neuropil import datasets
from neuropil.datasets import DataError
from neuropil.datasets.unpacking import read_unpacked

TEXT = ("x,y\n" + "1,a\n2,b\n" * 10).encode()


def packed(suffix: str) -> bytes:
    """Return the table in a packed form."""
    if suffix in (".zst", ".lz4"):
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, {".zst": "zstd", ".lz4": "lz4"}[suffix]) as out:
            out.write(TEXT)
        return sink.getvalue().to_pybytes()
    return {".gz": gzip, ".bz2": bz2, ".xz": lzma}[suffix].compress(TEXT)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst", ".lz4"])
def test_packed_tables_are_read_evaluated_and_predicted(write_table, suffix):
    path = write_table(packed(suffix), f"table.csv{suffix}")
    splits = datasets.open(path)
    assert list(splits.target.classes) == ["a", "b"]
    assert len(datasets.read_for_prediction(splits.preparation, path).inputs) == 20
    assert len(datasets.read_for_evaluation(splits.preparation, path)[0]) == 20


def test_an_archive_of_one_table_is_that_table(tmp_path):
    path = tmp_path / "table.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inside.csv", TEXT)
        archive.writestr("__MACOSX/._inside.csv", b"junk")
    assert list(datasets.open(path).target.classes) == ["a", "b"]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other.csv", TEXT)
    with pytest.raises(DataError, match="must hold one file, got 2: inside"):
        datasets.open(path)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst", ".lz4"])
def test_damaged_ones_are_refused_in_a_line(write_table, suffix):
    for content in (packed(suffix)[:-9], b"\0" + packed(suffix), b"", b"a,b\n1,2\n"):
        path = write_table(content, f"table.csv{suffix}")
        with pytest.raises(DataError, match=r"table\.csv"):
            datasets.open(path)
    with pytest.raises(DataError, match=r"is damaged, or not a \.zip file"):
        datasets.open(write_table(b"PK\3\4", "table.csv.zip"))


def test_what_unpacks_to_far_more_than_tables_do_is_refused(write_table, monkeypatch):
    monkeypatch.setattr("neuropil.datasets.unpacking.LEAST_LIMIT", 1000)
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        suffix = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz"}[pack]
        path = write_table(pack(b"0,1\n" * 100_000), f"bomb.csv.{suffix}")
        with pytest.raises(DataError, match="unpacks to more than"):
            read_unpacked(path)


def test_pipes_and_folders_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="is a pipe, not a file or folder"):
        datasets.open(tmp_path / "pipe.csv")
