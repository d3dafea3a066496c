"""Folders of pictures and masks: what they may look like, and what may be wrong in them."""

import numpy as np
import pytest
import torch
from PIL import Image
from tests.datasets.annotations.label_writers import write_picture
from tests.datasets.masks.mask_writers import PALETTE, random_mask, write_mask, write_masks

from neuropil import datasets
from neuropil.datasets import DataError, read_for_evaluation, read_for_prediction
from neuropil.datasets.pictures import picture_set

SIZE = (12, 16)


def whole(splits):
    """Return the pixel counts of all parts."""
    parts = (splits.train, splits.validation, splits.test)
    return sum(np.array(splits.target.count(part.targets)) for part in parts)


def truth(count, values):
    masks = np.stack([random_mask(number, SIZE, values) for number in range(count)])
    return [int((masks == value).sum()) for value in values]


@pytest.mark.parametrize(
    ("values", "palette", "classes"),
    [
        ((0, 255), None, ("background", "foreground")),
        ((0, 1), None, ("background", "foreground")),
        ((0, 1, 3), PALETTE, ("background", "1", "3")),
        ((0, 7, 9), None, ("background", "7", "9")),
    ],
)
def test_values_become_classes(tmp_path, values, palette, classes):
    splits = datasets.open(write_masks(tmp_path, values=values, palette=palette))
    assert splits.target.classes == classes
    assert splits.target.values == values
    assert splits.train.targets.shape == (len(splits.train), *SIZE)
    assert splits.notes == []
    assert whole(splits).tolist() == truth(12, values)


def test_255_beside_other_classes_counts_for_nothing(tmp_path):
    splits = datasets.open(write_masks(tmp_path, values=(0, 1, 2, 255)))
    assert splits.target.classes == ("background", "1", "2")
    assert whole(splits).tolist() == truth(12, (0, 1, 2, 255))[:3]


def test_masks_of_two_conventions_are_doubted(tmp_path):
    write_masks(tmp_path, values=(0, 255))
    write_mask(tmp_path / "masks" / "03.png", random_mask(3, SIZE, (0, 1)))
    (note,) = datasets.open(tmp_path).notes
    assert note == (
        "The value 255 counts for nothing, but 11 of 12 masks, such as 00.png, have it without "
        "any class: if it marks a thing, save all masks with the same values."
    )


def test_the_second_picture_of_a_name_has_no_mask(tmp_path):
    write_masks(tmp_path)
    (first,) = (tmp_path / "images").glob("00.*")
    other = ".jpg" if first.suffix == ".png" else ".png"
    write_picture(first.with_suffix(other), SIZE, 0)
    (note,) = datasets.open(tmp_path).notes
    assert note.startswith(
        "1 picture of the same name as another picture: not used: images/00."
    )


def test_a_list_names_the_classes(tmp_path):
    write_masks(tmp_path, values=(0, 2))
    (tmp_path / "classes.txt").write_text("sky\nroad\ncar\n")
    splits = datasets.open(tmp_path)
    assert splits.target.classes == ("sky", "road", "car")
    write_mask(tmp_path / "masks" / "00.png", np.full(SIZE, 3))
    (note,) = datasets.open(tmp_path).notes
    assert note == (
        "1 picture set aside because the mask has values outside the classes: masks/00.png "
        "(3; the classes are 0, 1, 2)."
    )
    (tmp_path / "classes.txt").write_text("cell")
    with pytest.raises(
        DataError, match="12 pictures set aside because the mask has values outside the"
    ):
        datasets.open(write_masks(tmp_path, values=(0, 2, 3)))


def test_pairs_may_lie_side_by_side_or_in_parts(tmp_path):
    for part, (start, count) in {"train": (0, 6), "val": (6, 2), "test": (8, 3)}.items():
        for number in range(start, start + count):
            write_picture(tmp_path / "beside" / part / f"{number}.jpg", SIZE, number)
            mask = random_mask(number, SIZE, (0, 255))
            write_mask(tmp_path / "beside" / part / f"{number}_mask.png", mask)
            write_picture(tmp_path / "below" / "images" / part / f"{number}.jpg", SIZE, number)
            write_mask(tmp_path / "below" / "masks" / part / f"{number}.png", mask)
            write_picture(tmp_path / "above" / part / "image" / f"{number}.jpg", SIZE, number)
            write_mask(tmp_path / "above" / part / "label" / f"{number}.png", mask)
    for folder in ("beside", "below", "above"):
        splits = datasets.open(tmp_path / folder)
        sizes = [len(part) for part in (splits.train, splits.validation, splits.test)]
        assert (folder, sizes) == (folder, [6, 2, 3])
        assert splits.notes == []
        labelled, _ = read_for_evaluation(splits.preparation, tmp_path / folder)
        assert torch.equal(labelled.targets, splits.test.targets)
    read = read_for_prediction(splits.preparation, [tmp_path / "beside" / "test"])
    assert [name.split("/")[-1] for name in read.names] == ["8.jpg", "9.jpg", "10.jpg"]


def test_a_single_part_of_any_name_is_trained_on(tmp_path):
    splits = datasets.open(write_masks(tmp_path / "test").parent)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [9, 1, 2]
    write_masks(tmp_path / "val")
    with pytest.raises(DataError, match=r"pictures for .* none for the training: their folder"):
        datasets.open(tmp_path)


def test_what_does_not_fit_is_counted_and_set_aside(tmp_path):
    write_masks(tmp_path)
    write_mask(tmp_path / "masks" / "00.png", np.zeros((5, 7)))
    write_mask(tmp_path / "masks" / "01.png", np.full((*SIZE, 3), (1, 2, 3)))
    (tmp_path / "masks" / "02.png").write_bytes(b"nothing")
    (tmp_path / "masks" / "03.png").unlink()
    write_mask(tmp_path / "masks" / "alone.png", np.zeros(SIZE))
    Image.fromarray(np.full(SIZE, 9, np.uint8)).save(tmp_path / "masks" / "04.jpg")
    (tmp_path / "masks" / "04.png").unlink()
    splits = datasets.open(tmp_path, validation=0, test=0)
    assert len(splits.train) == 7
    notes = "\n".join(splits.notes)
    for line in (
        "1 picture without a mask: not used: images/03.png.",
        "1 mask without a picture: not used: masks/alone.png.",
        "1 picture set aside because the mask has another size: masks/00.png (5×7, the picture",
        "masks/01.png (it is in colour: save it with a palette, or with class numbers)",
        "masks/02.png (it is not a picture)",
        "masks/04.jpg (it is a JPEG, which changes values: save masks as PNG)",
    ):
        assert line in notes


def test_soft_edges_are_refused(tmp_path):
    write_masks(tmp_path)
    soft = np.zeros((40, 40))
    soft[:, 20:] = 255
    soft[:, 20] = range(1, 41)
    write_picture(tmp_path / "images" / "soft.png", (40, 40))
    write_mask(tmp_path / "masks" / "soft.png", soft)
    (*_, note) = datasets.open(tmp_path, image_size=12).notes[:1]
    assert "42 values, most at the edges of black and white" in note


@pytest.mark.parametrize(
    ("pixels", "got"),
    [(np.full(SIZE, 300, "u2"), "300"), (np.full(SIZE, 0.5, "f4"), "0.5")],
)
def test_values_that_are_not_bytes_are_named(tmp_path, pixels, got):
    name = "03.tif" if pixels.dtype.kind == "f" else "03.png"
    (write_masks(tmp_path) / "masks" / "03.png").unlink()
    Image.fromarray(pixels).save(tmp_path / "masks" / name)
    (note,) = datasets.open(tmp_path).notes
    assert note == (
        f"1 picture set aside because the mask cannot be used: masks/{name} (it has the value "
        f"{got}: classes are whole numbers from 0 to 255)."
    )


def test_a_list_of_classes_that_is_not_text_is_one_line(tmp_path):
    (write_masks(tmp_path) / "classes.txt").write_bytes(b"\xff\xfe\0a\0")
    with pytest.raises(DataError) as caught:
        datasets.open(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'classes.txt'} cannot be used: its bytes are not text in UTF-8 or UTF-16."
    )


def test_a_set_that_cannot_be_learnt_is_one_line(tmp_path):
    with pytest.raises(DataError, match="without any foreground") as caught:
        datasets.open(write_masks(tmp_path / "empty", values=(0,)))
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="1 example cannot spare 1 for validation"):
        datasets.open(write_masks(tmp_path / "one", count=1))
    small = write_masks(tmp_path / "small")
    for file in (small / "images").iterdir():
        write_picture(file, (5, 5))
    with pytest.raises(
        DataError, match=r"no picture whose mask can be used\. 12 pictures set aside b"
    ):
        datasets.open(small)
    with pytest.raises(DataError, match="are masks, which need segmentation, not detection"):
        datasets.open(write_masks(tmp_path / "good"), task="detection")


def test_pictures_on_disk_have_masks_of_their_own_size(tmp_path, monkeypatch):
    monkeypatch.setattr(picture_set, "MEMORY", 0)
    monkeypatch.setenv("NEUROPIL_CACHE", str(tmp_path / "cache"))
    for number in range(6):
        size = (20, 30) if number % 2 else (40, 33)
        write_picture(tmp_path / "set" / "images" / f"{number}.png", size, number)
        mask = random_mask(number, size, (0, 255))
        write_mask(tmp_path / "set" / "masks" / f"{number}.png", mask)
    splits = datasets.open(tmp_path / "set", validation=0, test=0, image_size="native")
    assert splits.train.targets.shape == (6, 40, 33)
    for number in range(6):
        size = splits.train.size_of(number)
        batch = splits.train.fetch([number])
        assert batch.targets.shape == (1, *size)
        expected = random_mask(number, size, (0, 255)) // 255
        assert np.array_equal(batch.targets[0].numpy(), expected)
    padded = splits.train.fetch([0, 1])
    assert padded.inputs.shape[2:] == padded.targets.shape[1:] == (64, 64)
    assert (padded.targets[padded.mask == 0] == 255).all()


def test_labels_that_are_wanted_are_read_where_a_folder_has_several(tmp_path):
    write_masks(tmp_path)
    (tmp_path / "labels").mkdir()
    for number in range(12):
        (tmp_path / "labels" / f"{number:02}.txt").write_text("0 0.5 0.5 0.4 0.4")
    assert datasets.open(tmp_path).target.kind == "boxes"
    assert datasets.open(tmp_path, task="segmentation").target.kind == "masks"
    preparation = datasets.open(tmp_path, task="segmentation").preparation
    assert len(read_for_evaluation(preparation, tmp_path)[0]) == 12
