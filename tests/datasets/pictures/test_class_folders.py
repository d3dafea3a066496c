"""Which files belong to a class: links, empty folders, accents."""

import os

import pytest

from neuropil import datasets
from neuropil.datasets import DataError


def read(folder):
    return datasets.open(folder, validation=0, test=0)


def sizes(opened):
    counts = opened.train.targets.bincount().tolist()
    return dict(zip(opened.target.classes, counts, strict=True))


class TestLinks:
    def test_linked_folders_belong_to_the_class(self, write_pictures):
        folder = write_pictures("cat", "dog", "../store", count=5)
        (folder / "cat" / "linked").symlink_to(folder.parent / "store")
        opened = read(folder)
        assert sizes(opened) == {"cat": 10, "dog": 5}
        assert opened.notes == ["1 linked folder followed: cat/linked."]

    @pytest.mark.parametrize("target", [".", "..", "../..", "/", "deep", "../cat/deep"])
    def test_loops_end_and_nothing_is_read_twice(self, write_pictures, target):
        folder = write_pictures("cat", "cat/deep", "dog", count=5)
        (folder / "cat" / "loop").symlink_to(target)
        opened = read(folder)
        assert sizes(opened) == {"cat": 10, "dog": 5}
        assert opened.notes[0].startswith(
            "1 linked folder skipped, as their folders are read already"
        )

    def test_loops_of_two(self, write_pictures):
        folder = write_pictures("cat", "dog", count=5)
        (folder / "cat" / "one").symlink_to("two")
        (folder / "cat" / "two").symlink_to("one")
        (folder / "cat" / "three.png").symlink_to("three.png")
        opened = read(folder)
        assert sizes(opened) == {"cat": 5, "dog": 5}
        assert opened.notes == ["1 picture set aside: cat/three.png: a broken link."]

    def test_a_class_that_is_a_link_to_all(self, write_pictures):
        folder = write_pictures("cat", "dog", count=5)
        (folder / "all").symlink_to(".")
        assert sizes(read(folder)) == {"cat": 5, "dog": 5}
        assert (
            len(datasets.read_for_prediction(read(folder).preparation, [folder]).inputs) == 10
        )

    def test_what_is_no_file_is_said(self, write_pictures):
        folder = write_pictures("cat", "dog", count=5)
        os.mkfifo(folder / "cat" / "pipe.png")
        (folder / "dog" / "zero.png").symlink_to("/dev/zero")
        opened = read(folder)
        assert opened.notes == [
            "2 pictures set aside: cat/pipe.png: a pipe, dog/zero.png: a device."
        ]
        new = datasets.read_for_prediction(opened.preparation, [folder])
        assert len(new.inputs) == 10
        assert new.set_aside == ["pipe.png is a pipe.", "zero.png is a device."]


class TestEmptyFolders:
    def test_they_are_no_classes_and_said(self, write_pictures):
        folder = write_pictures("cat", "dog", "mouse/deep", count=5)
        for file in (folder / "mouse" / "deep").iterdir():
            file.rename(file.with_suffix(".heic"))
        opened = read(folder)
        assert list(opened.target.classes) == ["cat", "dog"]
        named = ", ".join(f"mouse/deep/{number}.heic" for number in range(3))
        first = f"ignored, without a picture suffix: {named}"
        assert opened.notes == [
            "No pictures in the folders 'mouse': not used as classes.",
            f"5 other files in {folder.name} {first} and 2 more.",
        ]

    def test_they_are_in_the_error_that_follows(self, write_pictures):
        folder = write_pictures("cat", count=5)
        (folder / "dog").mkdir()
        with pytest.raises(
            DataError, match=r"one class only, 'cat'.*No pictures in the folders 'dog'"
        ):
            read(folder)


class TestAccents:
    COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"

    def test_two_spellings_are_one_class(self, write_pictures):
        folder = write_pictures(self.COMPOSED, self.DECOMPOSED, "tea", count=5)
        opened = read(folder)
        assert sizes(opened) == {self.COMPOSED: 10, "tea": 5}
        assert any("one class: 'caf\u00e9'" in note for note in opened.notes)

    def test_parts_written_by_two_systems_fit(self, write_pictures):
        write_pictures(f"train/{self.COMPOSED}", "train/tea")
        folder = write_pictures(f"test/{self.DECOMPOSED}", "test/tea")
        assert read(folder).test.targets.bincount().tolist() == [10, 10]
        assert read(folder).notes == []


def test_equal_numbers_have_an_order_of_their_own(write_pictures):
    """Python's own order of a set differs from process to process."""
    opened = read(write_pictures("1", "01", "001", "1.0", "2", count=3))
    assert list(opened.target.classes) == ["1.0", "001", "01", "1", "2"]
