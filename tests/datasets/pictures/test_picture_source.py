"""Pictures decoded on demand: the same bits as in memory, cached, broken ones replaced."""

import pickle
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from neuropil import datasets
from neuropil.datasets import DataError, Dataset, PictureSource, batches_of_like_sizes
from neuropil.datasets.pictures import picture_cache, picture_file, picture_set
from neuropil.datasets.pictures.substitutes import BrokenPictureWarning
from neuropil.datasets.preparations import preparation_from_json
from neuropil.datasets.source import Source


@pytest.fixture
def on_disk(monkeypatch):
    """Let no picture fit in memory."""
    monkeypatch.setattr(picture_set, "MEMORY", 0)


def without_cache(source: PictureSource) -> PictureSource:
    """Return the same pictures, decoded every time."""
    files = replace(source.files, cache=None)
    return PictureSource(files, source.preparation, source.targets, source.rows)


def open_both(folder, monkeypatch, **options):
    """Return the data in memory and as a source."""
    in_memory = datasets.open(folder, **options)
    monkeypatch.setattr(picture_set, "MEMORY", 0)
    return in_memory, datasets.open(folder, **options)


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_they_are_those_in_memory_bit_for_bit(write_pictures, monkeypatch, mode, cached):
    folder = write_pictures("cat", mode=mode, size=(40, 30))
    write_pictures("dog", mode=mode, size=(50, 70), suffix=".png")
    known, opened = open_both(folder, monkeypatch, image_size=(20, 24))
    assert opened.preparation == replace(
        known.preparation, background=pytest.approx(known.preparation.background)
    )
    for ours, theirs in (
        (opened.train, known.train),
        (opened.validation, known.validation),
        (opened.test, known.test),
    ):
        assert isinstance(ours, PictureSource)
        assert isinstance(theirs, Dataset)
        assert list(ours.names) == theirs.names
        assert torch.equal(ours.targets, theirs.targets)
        for _ in range(2):  # the second time from the cache
            batch = (ours if cached else without_cache(ours)).fetch(range(len(ours)))
            assert batch.inputs.dtype == theirs.inputs.dtype
            assert torch.equal(batch.inputs, theirs.inputs)
            assert torch.equal(batch.targets, theirs.targets)
            assert batch.mask is None


def test_a_large_file_is_read_by_pillow_itself(write_pictures, on_disk, monkeypatch):
    train = without_cache(datasets.open(write_pictures("cat", "dog")).train)
    at_once = train.fetch(range(14)).inputs
    monkeypatch.setattr(picture_file, "SMALL", 0)
    assert isinstance(picture_file.content_of(train.path(0)), Path)
    assert torch.equal(train.fetch(range(14)).inputs, at_once)


def test_pictures_of_more_than_8_bits_keep_their_bits(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(5):
            deep = random.integers(0, 4000, (9, 8), dtype=np.uint16)
            Image.fromarray(deep).save(tmp_path / name / f"{number}.png")
            plain = random.integers(0, 256, (9, 8), dtype=np.uint8)
            Image.fromarray(plain).save(tmp_path / name / f"plain{number}.png")
    known, opened = open_both(tmp_path, monkeypatch)
    assert opened.preparation.white == known.preparation.white == 4095
    assert torch.equal(opened.train.fetch(range(len(known.train))).inputs, known.train.inputs)
    assert [n for n in opened.notes if "16" not in n and "cached" not in n] == known.notes


def test_it_is_a_source_that_can_be_divided_and_sent(write_pictures, on_disk):
    train = datasets.open(write_pictures("cat", "dog")).train
    assert isinstance(train, Source)
    part = train[torch.tensor([5, 2])]
    sent = pickle.loads(pickle.dumps(part))
    for some in (part, sent, train[[5, 2]], train[2:6][[3, 0]]):
        batch = some.fetch([1, 0])
        assert torch.equal(batch.inputs, train.fetch([2, 5]).inputs)
        assert torch.equal(batch.targets, train.targets[[2, 5]])
        assert list(some.names) == [train.names[5], train.names[2]]
        assert some.size_of(1) == (6, 5)
    assert repr(train) == "PictureSource(14 pictures of shape (1, 6, 5), 2 classes)"


def test_the_cache_is_used_until_a_file_changes(write_pictures, on_disk):
    folder = write_pictures("cat", "dog")
    train = datasets.open(folder).train
    first = train.fetch(range(14)).inputs
    again = datasets.open(folder).train
    assert again.files.cache.path == train.files.cache.path
    into = np.zeros(30, np.uint8)
    assert again.files.cache.read([int(again.rows[3])], [into]) == []
    assert np.array_equal(into, first[3].flatten())
    Image.new("L", (5, 6), 7).save(train.path(0))
    assert datasets.open(folder).train.files.cache.path != train.files.cache.path
    assert (datasets.open(folder).train.fetch([0]).inputs == 7).all()


def test_there_is_no_cache_where_the_disk_is_short(write_pictures, on_disk, monkeypatch):
    monkeypatch.setattr(picture_cache, "PART_OF_DISK", 0)
    opened = datasets.open(write_pictures("cat", "dog"))
    assert opened.train.files.cache is None
    assert any("would take 600 B of disk" in note for note in opened.notes)
    assert len(opened.train.fetch(range(14)).inputs) == 14


def test_there_is_no_cache_where_none_can_be_written(
    write_pictures, on_disk, monkeypatch, tmp_path
):
    folder = write_pictures("cat", "dog")
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    opened = datasets.open(folder)
    assert opened.train.files.cache is None
    assert any("cannot be used (Not a directory)" in note for note in opened.notes)


def test_old_caches_are_removed(write_pictures, on_disk, monkeypatch):
    folder = write_pictures("cat", "dog")
    old = datasets.open(folder).train.files.cache
    Image.new("L", (5, 6)).save(folder / "cat" / "new.png")
    new = datasets.open(folder).train.files.cache
    assert old.path.exists()
    monkeypatch.setattr(picture_cache, "UNUSED_DAYS", -1)
    datasets.open(folder)
    assert (old.path.exists(), new.path.exists()) == (False, True)


def test_files_without_an_end_are_set_aside_when_opened(write_pictures, on_disk):
    folder = write_pictures("cat", "dog", size=(40, 40))
    for name, kept in (("cat/3.png", 0.5), ("dog/4.png", 0), ("dog/5.png", 0.02)):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: int(len(whole) * kept)])
    with (folder / "cat" / "4.png").open("ab") as file:
        file.write(b"more" * 99)
    opened = datasets.open(folder, validation=0, test=0)
    assert len(opened.train) == 17
    assert "cat/4.png" in opened.train.names, "what follows the end is no damage"
    note = next(note for note in opened.notes if "set aside" in note)
    assert note.startswith("3 broken pictures set aside: ")
    assert "cat/3.png: it cannot be decoded" in note


def damage(path) -> None:
    """Change bytes in the middle of a picture, so that only decoding it finds out."""
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 9] = bytes(9)
    path.write_bytes(whole)


def test_a_file_that_cannot_be_decoded_is_replaced_by_one_of_its_class(write_pictures, on_disk):
    folder = write_pictures("cat", "dog", size=(40, 40))
    damage(folder / "dog" / "0.png")
    opened = datasets.open(folder, validation=0, test=0)
    train = opened.train
    place = list(train.names).index("dog/0.png")
    message = r"dog/0\.png cannot be used: it cannot be decoded .*; .*dog/1\.png takes its"
    assert any(re.search(message, note) for note in opened.notes), "it was in the sample"
    with pytest.warns(BrokenPictureWarning, match=message):
        batch = without_cache(train).fetch([place])
    assert torch.equal(batch.inputs, train.fetch([place + 1]).inputs)
    assert batch.targets.tolist() == [1]
    assert torch.equal(train.fetch([place]).inputs, batch.inputs), "the cache has it"


def test_a_folder_of_broken_files_is_an_error(write_pictures, on_disk):
    folder = write_pictures("cat", "dog", size=(40, 40))
    train = datasets.open(folder).train
    for path in folder.rglob("*.png"):
        damage(path)
    with pytest.raises(DataError, match=r"\.png cannot be used: .*nor can the pictures be"):
        without_cache(train).fetch([0])


def test_a_file_that_disappears_is_an_error_that_names_it(write_pictures, on_disk):
    train = datasets.open(write_pictures("cat", "dog")).train
    train.path(3).unlink()
    with pytest.raises(DataError, match=r"cat/\d+\.png has disappeared since the data"):
        without_cache(train).fetch([2, 3])


def test_the_fingerprint_is_that_of_the_pictures(write_pictures, on_disk):
    folder = write_pictures("cat", "dog")
    train = datasets.open(folder).train
    assert datasets.open(folder).train.fingerprint == train.fingerprint
    assert train[:5].fingerprint != train.fingerprint
    Image.new("L", (5, 6), 7).save(train.path(0))
    assert datasets.open(folder).train.fingerprint != train.fingerprint


def test_buckets_change_pictures_little_and_are_kept_apart(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number, size in enumerate([(30, 60), (32, 64), (60, 30), (64, 32)] * 3):
            picture = Image.new("L", size, number)
            picture.save(tmp_path / name / f"{number}.png")
    opened = datasets.open(tmp_path, image_size="buckets", validation=0, test=0)
    train = opened.train
    assert opened.input_shape == (1, None, None)
    assert opened.preparation.buckets == ((32, 64), (64, 32))
    assert "resized to 2 sizes, by shape: 32×64, 64×32" in opened.notes[0]
    sizes = [train.size_of(place) for place in range(len(train))]
    for batch in batches_of_like_sizes(sizes, 4):
        fetched = train.fetch(batch.tolist())
        assert fetched.mask is None
        assert fetched.inputs.shape[2:] == train.size_of(int(batch[0]))
    with pytest.raises(DataError, match="a batch of pictures must be of one bucket, got"):
        train.fetch(range(len(train)))
    wide = opened.preparation.encode(tmp_path / "a" / "0.png")
    assert torch.equal(wide, train.fetch([0]).inputs)
    assert preparation_from_json(opened.preparation.to_json()) == opened.preparation


def test_native_pictures_keep_their_size_and_are_padded_with_a_mask(tmp_path):
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(6):
            size = random.integers(3, 70, 2)
            pixels = random.integers(1, 256, size, dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    opened = datasets.open(tmp_path, image_size="native", validation=0, test=0)
    train = opened.train
    assert opened.input_shape == train.input_shape == (1, None, None)
    batch = train.fetch(range(12))
    assert batch.mask.shape == (12, *batch.inputs.shape[2:])
    assert all(side % 32 == 0 for side in batch.mask.shape[1:])
    for place, name in enumerate(train.names):
        pixels = np.asarray(Image.open(tmp_path / name))
        height, width = pixels.shape
        assert train.size_of(place) == (height, width)
        assert np.array_equal(batch.inputs[place, 0, :height, :width], pixels)
        assert batch.inputs[place].bool().sum() == batch.mask[place].sum() == pixels.size
        assert batch.mask[place, :height, :width].all()
        alone = train.fetch([place])
        assert alone.inputs.shape == (1, 1, height, width)
        assert alone.mask.all()
        assert torch.equal(alone.inputs, opened.preparation.encode(tmp_path / name))
