"""Whatever goes wrong in a file: one line with its name, at once and without much memory."""

import contextlib
import gzip
import io
import os
import struct
import zipfile

import numpy as np
import pytest

from neuropil import datasets
from neuropil.core.reading import reading
from neuropil.datasets import ArrayPreparation, Classes, DataError, MissingDataError, unpacking
from neuropil.datasets.arrays import array_file

X, Y = np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 3
ARRAYS = ArrayPreparation((4,), Classes("abc"))


def npy(array, **header):
    """Return an array as a file whose header lies."""
    file = io.BytesIO()
    np.save(file, array)
    start, _, rest = file.getvalue().partition(b"{")
    text, _, values = rest.partition(b"}")
    given = eval("{" + text.decode() + "}") | header
    written = str(given).encode().ljust(len(text) + 2)
    return start + written + values


class TestTheBoundary:
    @pytest.mark.parametrize(
        ("error", "message"),
        [
            (
                ValueError("two\nlines\x1b[31m"),
                r"^here is damaged: two lines\\x1b\[31m\.$",
            ),
            (KeyError(), r"^here is damaged: KeyError\.$"),
            (RecursionError("too deep."), r"^here is damaged: too deep\.$"),
            (
                PermissionError(13, "Permission denied"),
                r"^here cannot be read: Permission denied\.$",
            ),
            (MemoryError(), r"^here is too large: it claims more than fits in memory\.$"),
            (MemoryError("x needs 2 GB."), r"^here is too large: x needs 2 GB\.$"),
            (DataError("as it was."), r"^as it was\.$"),
        ],
    )
    def test_every_exception_becomes_one_line(self, error, message):
        with pytest.raises(DataError, match=message), reading("here", DataError):
            raise error

    def test_interruptions_pass(self):
        with pytest.raises(KeyboardInterrupt), reading("here", DataError):
            raise KeyboardInterrupt

    def test_the_test_part_is_read_inside_it(self, tmp_path):
        np.savez(tmp_path / "data.npz", x_train=X, y_train=Y, x_test=X, y_test=Y)
        opened = datasets.open(tmp_path / "data.npz")
        (tmp_path / "data.npz").unlink()
        with pytest.raises(DataError, match=r"data\.npz cannot be read: No such file"):
            opened.test


class TestWhatIsNoFile:
    @pytest.fixture(params=["fifo", "device"])
    def special(self, request, tmp_path):
        def make(name):
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            if request.param == "fifo":
                os.mkfifo(path)
            else:
                path.symlink_to("/dev/zero")
            return path

        return make

    @pytest.mark.parametrize("name", ["data.npz", "table.csv", "data"])
    def test_it_is_refused_by_every_reader(self, special, name):
        path = special(name)
        message = f"{name} is a (pipe|device), not a file"
        for read in (
            datasets.open,
            lambda path: datasets.read_for_evaluation(ARRAYS, path),
            lambda path: datasets.read_for_prediction(ARRAYS, [path]),
        ):
            with pytest.raises(DataError, match=message):
                read(path)

    def test_it_is_refused_inside_folders_of_arrays(self, special, tmp_path):
        np.save(tmp_path / "y.npy", Y)
        special("x.npy")
        with pytest.raises(DataError, match=r"x\.npy is a (pipe|device)"):
            datasets.open(tmp_path)

    def test_it_is_left_alone_among_pictures(self, special, write_pictures):
        folder = write_pictures("a", "b")
        special("a/pipe.png")
        assert len(datasets.open(folder, validation=0, test=0).train) == 20

    def test_links_that_lead_nowhere(self, tmp_path):
        (tmp_path / "loop.csv").symlink_to("loop.csv")
        (tmp_path / "gone.npz").symlink_to("nothing.npz")
        for name in ("loop.csv", "gone.npz"):
            with pytest.raises(MissingDataError, match="is a broken link"):
                datasets.open(tmp_path / name)

    @pytest.mark.parametrize("path", ["a\0b.csv", "~nobody_of_this_name/x.csv", "x" * 5000])
    def test_impossible_names(self, path):
        with pytest.raises(DataError):
            datasets.open(path)


class TestArraysThatClaimTooMuch:
    @pytest.mark.parametrize(
        ("header", "message"),
        [
            ({"shape": (10**6, 4)}, "header claims float64 of shape"),
            ({"shape": (2**62, 4)}, "header claims"),
            ({"shape": (-30, 4)}, "header claims"),
            ({"shape": (10**12,), "descr": "<U0"}, "header claims"),
            ({"descr": "|O"}, "Python objects, which are never unpickled"),
            ({"descr": "<c8"}, "must hold numbers, got complex64"),
            ({"descr": "nonsense"}, "damaged"),
            ({"shape": (30, "4")}, "damaged"),
            ({"fortran_order": 3}, "damaged"),
            ({"more": 1}, "damaged"),
        ],
    )
    def test_headers_of_npy_files(self, tmp_path, header, message):
        np.save(tmp_path / "y.npy", Y)
        (tmp_path / "x.npy").write_bytes(npy(X, **header))
        with pytest.raises(DataError, match=rf"x\.npy.*{message}"):
            datasets.open(tmp_path)
        with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
            archive.writestr("x.npy", npy(X, **header))
            archive.writestr("y.npy", npy(Y))
        with pytest.raises(DataError, match=rf"data\.npz.*{message}"):
            datasets.open(tmp_path / "data.npz")

    def test_orders_of_axes_and_bytes_are_kept(self, tmp_path):
        for array in (X, np.asfortranarray(X), X.astype(">f8"), X[:0], np.array(["é", "b"])):
            np.save(tmp_path / "x.npy", array)
            read = array_file.read_npy(tmp_path / "x.npy")
            assert np.array_equal(read, array)
            assert read.dtype == array.dtype

    def test_archives_that_unpack_to_much(self, tmp_path, monkeypatch):
        monkeypatch.setattr(unpacking, "UNSUSPICIOUS", 2**22)
        zeros = np.zeros(2**21, np.uint8)
        np.savez_compressed(tmp_path / "data.npz", x=X, y=Y, a=zeros, b=zeros, c=zeros)
        with pytest.raises(
            DataError, match=r"claims to unpack to 6\.29 MB: real data compress"
        ):
            datasets.open(tmp_path / "data.npz")

    def test_zeros_are_read_where_they_are_not_many(self, tmp_path):
        np.savez_compressed(tmp_path / "data.npz", x=np.zeros((50, 20000)), y=np.arange(50) % 2)
        assert datasets.open(tmp_path / "data.npz").input_shape == (20000,)

    @pytest.mark.parametrize("offset", [20, 24])
    def test_archives_whose_directory_lies(self, tmp_path, offset):
        path = tmp_path / "data.npz"
        np.savez_compressed(path, x=X, y=Y)
        content = bytearray(path.read_bytes())
        place = content.index(b"PK\1\2") + offset  # the packed or unpacked size of the first
        for size in (10, 10**6, 2**32 - 2):
            content[place : place + 4] = struct.pack("<I", size)
            path.write_bytes(content)
            # What is read in spite of it is right.
            with contextlib.suppress(DataError):
                assert np.array_equal(array_file.ArrayFile(path)["x"], X)

    def test_packed_idx_files(self, tmp_path, write_idx, monkeypatch):
        monkeypatch.setattr(unpacking, "UNSUSPICIOUS", 2**22)
        write_idx(30)
        count = 2**23 // 20
        content = struct.pack(">HBBIII", 0, 8, 3, count, 4, 5) + bytes(2**23)
        (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(content))
        with pytest.raises(
            DataError, match=r"claims to unpack to 8\.39 MB: real data compress"
        ):
            datasets.open(tmp_path)

    def test_what_memory_cannot_hold_is_said_with_both_figures(self, tmp_path, monkeypatch):
        np.savez(tmp_path / "data.npz", x=X, y=Y)
        monkeypatch.setattr(unpacking, "require_memory", refuse)
        with pytest.raises(
            DataError, match=r"data\.npz is too large: data\.npz, unpacked, needs 2"
        ):
            datasets.open(tmp_path / "data.npz")


def refuse(needed, subject):
    """Behave as if no memory were free.

    Raises:
        MemoryError: Always.
    """
    raise MemoryError(f"{subject} needs 2 kB of memory, and 1 kB are free.")


def test_names_with_accents_are_found_however_they_are_written(tmp_path):
    np.savez(tmp_path / "cafe\u0301.npz", x=X, y=Y)
    assert list(datasets.open(tmp_path / "caf\u00e9.npz").target.classes) == ["0", "1", "2"]
