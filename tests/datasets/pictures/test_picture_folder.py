"""Pictures in one folder per class."""

import numpy as np
import pytest
from PIL import Image

from neuropil import datasets
from neuropil.datasets import DataError
from neuropil.datasets.pictures import picture_set


def test_equal_pictures_are_read_as_they_are(write_pictures):
    folder = write_pictures("cat", "dog")
    opened = datasets.open(folder, validation=4, test=4)
    assert (opened.kind, list(opened.target.classes), opened.input_shape) == (
        "pictures",
        ["cat", "dog"],
        (1, 6, 5),
    )
    assert (len(opened.train), len(opened.validation), len(opened.test)) == (12, 4, 4)
    assert opened.notes == []
    for place, name in enumerate(opened.train.names):
        assert np.array_equal(
            opened.train.inputs[place, 0], np.asarray(Image.open(folder / name))
        )
        assert opened.target.classes[opened.train.targets[place]] == name[:3]


def test_colour_pictures_keep_their_channels(write_pictures):
    folder = write_pictures("cat", "dog", mode="RGB")
    opened = datasets.open(folder)
    assert opened.input_shape == (3, 6, 5)
    original = np.asarray(Image.open(folder / opened.train.names[0]))
    assert np.array_equal(opened.train.inputs[0], original.transpose(2, 0, 1))


def test_one_colour_picture_makes_all_coloured_unless_asked_otherwise(write_pictures):
    folder = write_pictures("cat", "dog")
    write_pictures("dog", count=1, mode="RGB")
    assert datasets.open(folder).input_shape == (3, 6, 5)
    grey = datasets.open(folder, color="grey")
    assert grey.input_shape == (1, 6, 5)
    assert "1 picture in colour converted to grey" in grey.notes


def test_greys_stored_in_colour_are_read_as_grey(write_pictures):
    folder = write_pictures("cat", "dog")
    for path in folder.rglob("*.png"):
        Image.open(path).convert("RGB").save(path)
    opened = datasets.open(folder)
    assert opened.input_shape == (1, 6, 5)
    assert any("stored in colour but are all grey" in note for note in opened.notes)
    assert datasets.open(folder, color="rgb").input_shape == (3, 6, 5)


def test_pictures_of_different_sizes_are_brought_to_the_median(write_pictures):
    folder = write_pictures("cat", size=(200, 100))
    write_pictures("dog", size=(220, 120), count=9)
    opened = datasets.open(folder)
    assert opened.input_shape == (1, 64, 32)
    assert opened.notes[0].startswith(
        "The pictures have 2 sizes, the median is 200×100: resized to"
    )
    assert datasets.open(folder, image_size=(10, 8)).input_shape == (1, 10, 8)
    assert datasets.open(folder, image_size=7).input_shape == (1, 7, 7)


def test_resizing_keeps_the_mean_and_the_place(tmp_path):
    for name, column in (("left", 0), ("right", 20)):
        (tmp_path / name).mkdir()
        for size in (40, 80):
            pixels = np.zeros((size, size), np.uint8)
            pixels[:, column * size // 40 :][:, : size // 2] = 200
            Image.fromarray(pixels).save(tmp_path / name / f"{size}.png")
    opened = datasets.open(tmp_path, image_size=4, validation=0, test=0)
    for picture, label in zip(opened.train.inputs, opened.train.targets, strict=True):
        halves = picture[0, :, :2].float().mean(), picture[0, :, 2:].float().mean()
        assert halves[label] > 180 > 20 > halves[1 - label]


def test_broken_files_are_named_counted_and_set_aside(write_pictures):
    folder = write_pictures("cat", "dog", size=(40, 40))
    whole = (folder / "cat" / "3.png").read_bytes()
    (folder / "cat" / "3.png").write_bytes(whole[: len(whole) // 2])
    (folder / "dog" / "4.png").write_bytes(b"")
    (folder / "dog" / "5.png").write_bytes(b"no picture at all")
    opened = datasets.open(folder, validation=0, test=0)
    assert len(opened.train) == 17
    assert not {"cat/3.png", "dog/4.png", "dog/5.png"} & set(opened.train.names)
    for picture, name in zip(opened.train.inputs, opened.train.names, strict=True):
        assert np.array_equal(picture[0], np.asarray(Image.open(folder / name)))
    note = next(note for note in opened.notes if "set aside" in note)
    assert note.startswith("3 broken pictures set aside: cat/3.png: it cannot be decoded")
    assert "dog/4.png: it is empty, dog/5.png: it is not a picture." in note


def test_bombs_are_set_aside(write_pictures, monkeypatch):
    folder = write_pictures("cat", "dog")
    Image.new("L", (60, 60)).save(folder / "cat" / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    opened = datasets.open(folder, validation=0, test=0)
    assert "cat/bomb.png: it claims more than 1,000 pixels" in opened.notes[0]
    assert len(opened.train) == 20


def test_all_broken_is_an_error(write_pictures):
    folder = write_pictures("cat", "dog", count=2)
    for path in folder.rglob("*.png"):
        path.write_bytes(b"broken")
    with pytest.raises(
        DataError, match=r"None of the 4 pictures in .* can be read: 0\.png: it is not"
    ):
        datasets.open(folder)


def test_a_class_that_lost_all_its_pictures_is_no_class(write_pictures):
    folder = write_pictures("cat", "dog", "fox")
    for path in (folder / "fox").iterdir():
        path.write_bytes(b"")
    assert list(datasets.open(folder).target.classes) == ["cat", "dog"]


def test_files_set_apart_are_respected(write_pictures):
    folder = write_pictures("train/cat", "train/dog")
    write_pictures("val/cat", "val/dog", count=3)
    write_pictures("Test/cat", "Test/dog", count=4)
    opened = datasets.open(folder)
    assert (len(opened.train), len(opened.validation), len(opened.test)) == (20, 6, 8)
    assert all(name.startswith("Test") for name in opened.test.names)


def test_the_test_pictures_are_not_read_before_they_are_used(write_pictures):
    folder = write_pictures("train/cat", "train/dog")
    write_pictures("test/cat", "test/dog", count=4)
    opened = datasets.open(folder, validation=2)
    assert opened.has_test
    assert len(opened.train) == 18
    (folder / "test" / "cat" / "0.png").write_bytes(b"")
    assert len(opened.test) == 7
    assert "1 broken picture set aside: test/cat/0.png: it is empty." in opened.notes


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_training_picture_in_the_test_folder_is_counted(write_pictures, monkeypatch, on_disk):
    if on_disk:
        monkeypatch.setattr(picture_set, "MEMORY", 0)
    folder = write_pictures("train/cat", "train/dog", "test/cat", "test/dog", count=4)
    copied = (folder / "train" / "cat" / "2.png").read_bytes()
    (folder / "test" / "cat" / "copy.png").write_bytes(copied)
    opened = datasets.open(folder, validation=0)
    assert len(opened.test) == 9
    (note,) = (note for note in opened.notes if note.startswith("Duplicates"))
    assert note.startswith("Duplicates: 1 of 9 test pictures equal a training picture")


def test_an_unknown_class_in_the_test_folder_is_named(write_pictures):
    folder = write_pictures("train/cat", "train/dog")
    write_pictures("test/cat", "test/fox")
    with pytest.raises(
        DataError, match="test holds classes that the training data lack: 'fox'"
    ):
        datasets.open(folder).test


def test_a_class_may_be_called_train(write_pictures):
    assert list(datasets.open(write_pictures("train", "plane")).target.classes) == [
        "plane",
        "train",
    ]


def test_hidden_files_are_ignored_and_others_counted(write_pictures):
    folder = write_pictures("cat", "dog", ".git")
    for name in ("README.md", "cat/labels.csv", "dog/.DS_Store"):
        (folder / name).write_text("")
    opened = datasets.open(folder)
    assert list(opened.target.classes) == ["cat", "dog"]
    assert [note.split(" in ")[0] for note in opened.notes] == ["2 other files"]


def test_folders_within_a_class_belong_to_it(write_pictures):
    folder = write_pictures("cat/2020", "cat/2021", "dog")
    opened = datasets.open(folder, validation=0, test=0)
    assert opened.train.targets.bincount().tolist() == [20, 10]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".pgm", ".webp", ".gif", ".tif"])
def test_all_common_formats_are_read(tmp_path, suffix):
    for name, value in (("dark", 30), ("light", 220)):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.new("L", (9, 8), value).save(tmp_path / name / f"{number}{suffix}")
    opened = datasets.open(tmp_path, validation=0, test=0)
    assert opened.input_shape == (1, 8, 9)
    means = opened.train.inputs.float().mean((1, 2, 3))
    assert (abs(means - (30 + 190 * opened.train.targets)) < 3).all()


def a_picture(mode: str, value: int) -> Image.Image:
    """Return a picture of 4×4 pixels that shows one grey in the given mode."""
    special = {
        "I;16": Image.fromarray(np.full((4, 4), value * 257, np.uint16)),
        "F": Image.fromarray(np.full((4, 4), value / 255, np.float32)),
        "transparent": Image.new("RGBA", (4, 4), (255 - value, 0, 0, 0)),
    }
    return special[mode] if mode in special else Image.new("L", (4, 4), value).convert(mode)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "transparent"]
)
def test_all_modes_show_their_greys(tmp_path, mode):
    suffix = "tif" if mode in {"CMYK", "F"} else "png"
    for name, value in (("black", 0), ("white", 255)):
        (tmp_path / name).mkdir()
        for number in range(2):
            a_picture(mode, value).save(tmp_path / name / f"{number}.{suffix}")
    opened = datasets.open(tmp_path, color="grey", validation=0, test=0)
    expected = [255, 255] if mode == "transparent" else [0, 255]
    found = [
        opened.train.inputs[opened.train.targets == label].unique().tolist() for label in (0, 1)
    ]
    assert found == [[value] for value in expected]


def test_a_photo_taken_sideways_is_turned(tmp_path):
    pixels = np.zeros((4, 8), np.uint8)
    pixels[:, 4:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned by 90° clockwise: left becomes top.
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(pixels).save(tmp_path / name / "0.jpg", exif=exif, quality=100)
    opened = datasets.open(tmp_path, validation=0, test=0)
    assert opened.input_shape == (1, 8, 4)
    assert (opened.train.inputs[:, :, :3] < 60).all()
    assert (opened.train.inputs[:, :, 5:] > 195).all()


@pytest.mark.parametrize("turn", [1, 6])
def test_a_photo_is_decoded_at_half_its_size_if_that_is_its_size(tmp_path, turn):
    random = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0112] = turn
    for name in "ab":
        (tmp_path / name).mkdir()
        coarse = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        coarse.resize((128, 96)).save(tmp_path / name / "0.jpg", exif=exif)
    size = (48, 64) if turn == 1 else (64, 48)
    opened = datasets.open(tmp_path, image_size=size, validation=0, test=0)
    with Image.open(tmp_path / "a" / "0.jpg") as half:
        half.draft(None, (64, 48))
        pixels = np.asarray(half)
    pixels = pixels if turn == 1 else np.rot90(pixels, -1)
    assert np.array_equal(opened.train.inputs[0].permute(1, 2, 0), pixels)


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ([], "is empty"),
        (["cat"], "examples of one class only, 'cat'"),
        (["."], "contains 10 pictures but no folders"),
    ],
)
def test_what_are_no_classes_is_said(write_pictures, tmp_path, folders, message):
    write_pictures(*folders)
    with pytest.raises(DataError, match=message):
        datasets.open(tmp_path)


def test_other_files_alone_are_said(tmp_path):
    (tmp_path / "notes.md").write_text("nothing to see")
    with pytest.raises(DataError, match=r"contains no pictures or tables \(1 other file\)"):
        datasets.open(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "x"}, "`target` does not apply to a folder of pictures"),
        ({"task": "regression"}, "need classification or verification, not regression"),
        ({"color": "blue"}, "open: `color` must be 'grey' or 'rgb' or None, got 'blue'"),
        ({"image_size": 0}, "`image_size` must be a number of pixels"),
        ({"seed": -1}, "`seed` must be a whole number from 0 to 2⁶³ − 1, got -1"),
        ({"test": 0.9, "validation": 0.5}, "20 examples of 2 classes cannot spare"),
    ],
)
def test_options_that_cannot_be_are_refused(write_pictures, options, message):
    with pytest.raises(ValueError, match=message):
        datasets.open(write_pictures("cat", "dog"), **options)


def test_real_faces_are_read(data):
    opened = datasets.open(data / "orl_faces")
    assert len(opened.target.classes) == 40
    assert list(opened.target.classes[:3]) == ["s1", "s2", "s3"]
    assert opened.input_shape == (1, 112, 92)
    assert opened.train.targets.bincount().tolist() == [7] * 40


def test_the_same_picture_in_two_classes_is_counted_and_said(tmp_path):
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(10):
            pixels = random.integers(0, 256, (6, 6)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    assert not [note for note in datasets.open(tmp_path).notes if "several classes" in note]
    for number in (3, 7):
        picture = (tmp_path / "cat" / f"{number}.png").read_bytes()
        (tmp_path / "dog" / f"copy{number}.png").write_bytes(picture)
    (note,) = [note for note in datasets.open(tmp_path).notes if "several classes" in note]
    assert note.startswith("2 pictures with several classes, such as cat/")
    assert ".png (cat) and dog/copy" in note
