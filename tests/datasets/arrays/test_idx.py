"""MNIST's idx files."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from neuropil import datasets
from neuropil.datasets import DataError


@pytest.mark.parametrize("packed", [True, False])
def test_pictures_and_labels_are_read(tmp_path, write_idx, packed):
    write_idx(30, packed=packed)
    write_idx(12, "t10k", packed=packed)
    opened = datasets.open(tmp_path, validation=6)
    assert (opened.kind, opened.target.kind, list(opened.target.classes)) == (
        "pictures",
        "classes",
        ["0", "1", "2"],
    )
    assert (len(opened.train), len(opened.validation), len(opened.test)) == (24, 6, 12)
    expected = np.arange(12 * 20).reshape(12, 1, 4, 5) % 251
    assert np.array_equal(opened.test.inputs, expected)
    assert opened.test.targets.tolist() == [0, 1, 2] * 4
    assert opened.input_shape == (1, 4, 5)


def test_the_test_files_are_not_read_before_they_are_used(tmp_path, write_idx):
    write_idx(30)
    write_idx(12, "t10k")
    opened = datasets.open(tmp_path)
    assert opened.has_test
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(b"nonsense")
    assert len(opened.train) == 27
    with pytest.raises(
        DataError, match=r"t10k-images-idx3-ubyte.gz cannot be read: Not a gzipped"
    ):
        opened.test


def test_without_test_files_the_test_is_cut_from_the_others(tmp_path, write_idx):
    write_idx(30)
    opened = datasets.open(tmp_path, test=9)
    assert len(opened.test) == 9


def test_labels_need_not_start_at_zero(tmp_path, write_idx):
    write_idx(30)
    path = tmp_path / "train-labels-idx1-ubyte.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[8:] = bytes([4, 9]) * 15
    path.write_bytes(gzip.compress(bytes(content)))
    opened = datasets.open(tmp_path)
    assert list(opened.target.classes) == ["4", "9"]
    assert set(opened.train.targets.tolist()) == {0, 1}


def damage(path: Path, change) -> None:
    """Rewrite a packed file."""
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: b"\1\2" + c[2:],
            "is not an idx file of bytes with 3 axes: it starts with 01 02",
        ),
        (lambda c: c[:-1], "should hold 600 bytes after its header, but holds fewer"),
        (lambda c: c + b"x", "should hold 600 bytes after its header, but holds more"),
        (lambda c: c[:6], "is not an idx file of bytes"),
        # A header that claims 2⁹⁶ bytes must not ask for them.
        (lambda c: c[:4] + b"\xff" * 12 + c[16:], "but holds fewer"),
        (lambda c: c[:4] + b"\0\0\0\x0f" + c[8 : 16 + 300], "15 pictures, .* 30 labels"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, write_idx, change, message):
    write_idx(30)
    damage(tmp_path / "train-images-idx3-ubyte.gz", change)
    with pytest.raises(DataError, match=message) as caught:
        datasets.open(tmp_path)
    assert "train-images-idx3-ubyte.gz" in str(caught.value)


def test_a_truncated_gz_is_named(tmp_path, write_idx):
    write_idx(30)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz ends too early"):
        datasets.open(tmp_path)


@pytest.mark.parametrize("missing", ["train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"])
def test_a_missing_file_is_named(tmp_path, write_idx, missing):
    write_idx(30)
    write_idx(12, "t10k")
    (tmp_path / f"{missing}.gz").unlink()
    with pytest.raises(DataError, match=rf"lacks {missing} \(or {missing}.gz\)"):
        datasets.open(tmp_path)


def test_one_class_and_useless_options_are_refused(tmp_path, write_idx):
    write_idx(30, classes=1)
    with pytest.raises(DataError, match="one class only, '0'"):
        datasets.open(tmp_path)
    with pytest.raises(DataError, match="`image_size` does not apply to idx files"):
        datasets.open(tmp_path, image_size=8)
    with pytest.raises(DataError, match="need classification, not regression"):
        datasets.open(tmp_path, task="regression")


def test_mnist_is_read_whole(data):
    opened = datasets.open(data / "mnist", validation=10000)
    assert (len(opened.train), len(opened.validation), len(opened.test)) == (
        50000,
        10000,
        10000,
    )
    both = np.concatenate([opened.train.targets, opened.validation.targets])
    # The published number of each digit among the 60,000.
    assert np.bincount(both).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert opened.test.targets[:5].tolist() == [7, 2, 1, 0, 4]
    assert opened.train.inputs.shape[1:] == (1, 28, 28)


class TestFilesInFolders:
    """How tools unpack what belongs side by side."""

    @pytest.mark.parametrize("place", ["{name}/{name}", "raw/{name}", "MNIST/raw/{name}"])
    def test_they_are_found(self, tmp_path, write_idx, place):
        for part in ("train", "t10k"):
            write_idx(30, part, packed=False)
        for file in list(tmp_path.iterdir()):
            target = tmp_path / place.format(name=file.name)
            content = file.read_bytes()
            file.unlink()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        opened = datasets.open(tmp_path)
        assert (opened.input_shape, list(opened.target.classes)) == ((1, 4, 5), ["0", "1", "2"])
        assert len(opened.test) == 30
        assert len(datasets.read_for_evaluation(opened.preparation, tmp_path)[0]) == 30

    def test_those_at_the_top_come_first(self, tmp_path, write_idx):
        write_idx(20, packed=False)
        (tmp_path / "old").mkdir()
        (tmp_path / "old" / "t10k-images-idx3-ubyte").write_bytes(b"")
        assert not datasets.open(tmp_path, test=0).has_test
