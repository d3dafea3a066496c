"""Pictures of more than 8 bits: their values are kept, whatever the files call white."""

import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from neuropil import datasets
from neuropil.datasets import Classes, DataError, PicturePreparation
from neuropil.datasets.preparations import preparation_from_json


def values(low, high, count=1, shape=(6, 5), dtype=np.uint16):
    """Return random values that reach from `low` to `high`."""
    random = np.random.default_rng(0)
    made = random.integers(low, high, (count, *shape), endpoint=True).astype(dtype)
    made.reshape(count, -1)[:, :2] = low, high
    return made


def png16(array):
    """Return a PNG file of 16 bits a channel, which Pillow itself cannot write in colour."""
    channels = array.shape[2] if array.ndim == 3 else 1
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    height, width = array.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))
        for tag, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.fixture
def write(tmp_path):
    """Return a function that writes arrays as the pictures of a class."""

    def write(label, arrays, suffix=".png"):
        (tmp_path / label).mkdir(exist_ok=True, parents=True)
        for array in arrays:
            number = len(list((tmp_path / label).iterdir()))
            path = tmp_path / label / f"{number}{suffix}"
            if array.dtype == np.uint16 and suffix == ".png":
                path.write_bytes(png16(array))
            else:
                Image.fromarray(array).save(path)
        return tmp_path

    return write


def read(folder, **options):
    return datasets.open(folder, **({"validation": 0, "test": 0} | options))


def means(opened):
    """Return the mean of the pictures of each class, in the order of the classes."""
    inputs, targets = opened.train.inputs.float(), opened.train.targets
    return [inputs[targets == k].mean().item() for k in range(len(opened.target.classes))]


class TestRange:
    @pytest.mark.parametrize(
        ("high", "white"),
        [
            (1, 255),
            (59, 255),
            (255, 255),
            (256, 1023),
            (4000, 4095),
            (9999, 16383),
            (65535, 65535),
        ],
    )
    def test_white_is_the_largest_number_of_bits_that_the_training_set_needs(
        self, write, high, white
    ):
        dark, light = values(0, high // 2, 4), values(high // 2, high, 4)
        write("dark", dark)
        opened = read(write("light", light))
        assert opened.preparation.white == white
        assert [f"values from 0 to {high}" in note for note in opened.notes] == [True]
        assert f"and {white} as white" in opened.notes[0]
        scale = 255 / white
        assert means(opened) == pytest.approx([dark.mean() * scale, light.mean() * scale])

    def test_no_level_is_lost(self, write):
        low, high = values(30000, 30100, 3), values(30050, 30150, 3)
        write("a", low)
        opened = read(write("b", high))
        assert len(opened.train.inputs.unique()) == len(np.unique([low, high])) > 90

    def test_one_bright_pixel_does_not_blacken_the_others(self, write):
        spoiled = values(0, 50, 3)
        spoiled[0, 3, 3] = 65535
        write("a", spoiled)
        opened = read(write("b", values(60, 110, 3)))
        levels = opened.train.inputs[opened.train.targets == 1].unique()
        assert len(levels) > 40

    def test_mixed_depths_show_the_same_greys(self, write):
        """8 bits, and the same in 12 of 16 bits."""
        eight = values(0, 200, 4, dtype=np.uint8)
        write("a", eight)
        write("b", eight)
        opened = read(write("b", eight.astype(np.uint16) * 16))
        assert opened.preparation.white == 4095
        a, b = means(opened)
        assert a == pytest.approx(eight.mean(), rel=1e-4)
        assert b == pytest.approx(eight.mean(), rel=5e-3)

    @pytest.mark.parametrize(("high", "white"), [(0.3, 1), (1, 1), (200, 255), (3000, 4095)])
    def test_floating_point_pictures(self, write, high, white):
        made = np.random.default_rng(0).random((4, 6, 5), np.float32) * np.float32(high)
        for array in made:
            array[0, 0] = high
        write("a", made[:2], ".tif")
        opened = read(write("b", made[2:], ".tif"))
        assert opened.preparation.white == white
        assert opened.train.inputs.max().item() == pytest.approx(high / white * 255, rel=1e-6)

    def test_32_bits_are_judged_over_all_files(self, write):
        """One file that stays below 256 is not brighter than those that do not."""
        write("a", values(0, 200, 2, dtype=np.int32), ".tif")
        opened = read(write("b", values(0, 60000, 2, dtype=np.int32), ".tif"))
        low, high = means(opened)
        assert high > 100 * low

    def test_colour_of_16_bits(self, write):
        dark, light = values(0, 40, 3, (6, 5, 3)), values(0, 220, 3, (6, 5, 3))
        write("dark", dark)
        opened = read(write("light", light))
        assert opened.input_shape == (3, 6, 5)
        assert means(opened) == pytest.approx([dark.mean(), light.mean()])
        grey = read(write("light", light[:0]), color="grey")
        weights = np.array([0.299, 0.587, 0.114])
        assert means(grey) == pytest.approx(
            [(dark @ weights).mean(), (light @ weights).mean()], rel=1e-4
        )

    def test_grey_of_16_bits_among_colour(self, write):
        write("a", values(0, 255, 3, (6, 5, 3), np.uint8))
        opened = read(write("b", values(0, 100, 3)))
        assert opened.input_shape == (3, 6, 5)
        assert opened.train.inputs[opened.train.targets == 1].max() == 100

    @pytest.mark.parametrize("channels", [2, 4])
    def test_transparency_of_16_bits_is_said(self, write, channels):
        write("a", values(0, 65535, 3, (6, 5, channels)))
        opened = read(write("b", values(0, 65535, 3, (6, 5, channels))))
        assert any(
            "16 bits with transparency: the upper 8 bits" in note for note in opened.notes
        )

    def test_they_are_resized_without_loss(self, write):
        write("a", values(0, 100, 2, (12, 10)))
        opened = read(write("b", values(100, 200, 2, (12, 10))), image_size=(6, 5))
        assert opened.input_shape == (1, 6, 5)
        assert means(opened) == pytest.approx([50, 150], abs=8)


class TestOtherParts:
    def test_the_range_is_the_training_sets(self, write):
        train, test = values(0, 3000, 6), values(0, 100, 6)
        for label in "ab":
            write(f"train/{label}", train)
            folder = write(f"test/{label}", test)
        opened = read(folder)
        assert opened.preparation.white == 4095
        assert opened.test.inputs.mean().item() == pytest.approx(test.mean() * 255 / 4095)
        held, _ = datasets.read_for_evaluation(opened.preparation, folder)
        assert np.array_equal(held.inputs, opened.test.inputs)

    def test_new_files_are_read_as_the_training_set_was(self, write, tmp_path):
        write("a", values(0, 59, 4))
        opened = read(write("b", values(40, 119, 4)))
        preparation = preparation_from_json(
            json.loads(json.dumps(opened.preparation.to_json()))
        )
        for place, name in enumerate(opened.train.names):
            notes = []
            encoded = preparation.encode(tmp_path / name, notes)
            assert np.array_equal(encoded[0], opened.train.inputs[place])
            assert notes == []

    def test_8_bits_fit_a_network_of_16(self, write, tmp_path):
        write("a", values(0, 3000, 4))
        opened = read(write("b", values(0, 3000, 4)))
        Image.fromarray(np.full((6, 5), 51, np.uint8)).save(tmp_path / "new.png")
        assert opened.preparation.encode(tmp_path / "new.png").unique().tolist() == [51]

    @pytest.mark.parametrize(("high", "white"), [(60, 255), (1000, 1023), (65535, 65535)])
    def test_16_bits_for_a_network_of_8_are_judged_by_themselves_and_said(
        self, tmp_path, high, white
    ):
        made = PicturePreparation((1, 6, 5), Classes("ab"))
        array = values(0, high)[0]
        (tmp_path / "new.png").write_bytes(png16(array))
        notes = []
        encoded = made.encode(tmp_path / "new.png", notes)
        assert np.array_equal(encoded[0, 0], np.round(array * (255 / white)))
        assert f"values from 0 to {high}, with 0 as black and {white} as white" in notes[0]

    @pytest.mark.parametrize("white", [0, -1.0, "x"])
    def test_damaged_plain_data(self, white):
        plain = PicturePreparation((1, 6, 5), Classes("ab")).to_json()
        with pytest.raises(DataError, match="white"):
            preparation_from_json(plain | {"white": white})


class TestWhatWasSetAside:
    @pytest.mark.parametrize("low", [-1000, -3])
    def test_a_class_lost_to_its_range_is_in_the_error(self, write, low):
        write("lost", values(low, 2000, 3, dtype=np.int32), ".tif")
        folder = write("kept", values(0, 255, 3, dtype=np.uint8))
        with pytest.raises(
            DataError,
            match=rf"one class only, 'kept'.* 3 broken pictures set aside: lost/0\.tif: its "
            rf"values range from {low} to 2000.* No picture of 'lost' can be read",
        ):
            read(folder)

    def test_all_lost(self, write):
        write("a", values(-5, 9, 3, dtype=np.int32), ".tif")
        folder = write("b", values(-5, 9, 3, dtype=np.int32), ".tif")
        with pytest.raises(
            DataError, match=r"None of the pictures .* 6 broken pictures set aside: a/0"
        ):
            read(folder)

    def test_a_lost_class_among_others_is_said(self, write, tmp_path):
        for label in "abc":
            write(label, values(0, 255, 3, dtype=np.uint8))
        for file in (tmp_path / "b").iterdir():
            file.write_bytes(b"")
        opened = read(tmp_path)
        assert list(opened.target.classes) == ["a", "c"]
        assert "No picture of 'b' can be read: not used as a class." in opened.notes

    def test_of_the_test_part(self, write, tmp_path):
        for label in "ab":
            write(f"train/{label}", values(0, 255, 3, dtype=np.uint8))
        write("test/z", values(0, 255, 3, dtype=np.uint8))
        (tmp_path / "test" / "z" / "0.png").write_bytes(b"")
        opened = read(tmp_path)
        with pytest.raises(
            DataError, match=r"lack: 'z'.* 1 broken picture set aside: test/z/0\.png"
        ):
            opened.test
        with pytest.raises(DataError, match=r"lack: 'z'.* 1 broken picture set aside"):
            datasets.read_for_evaluation(opened.preparation, tmp_path)

    def test_other_kinds_of_files_are_never_given_to_other_programs(self, write, tmp_path):
        write("a", values(0, 255, 3, dtype=np.uint8))
        folder = write("b", values(0, 255, 3, dtype=np.uint8))
        Image.fromarray(values(0, 255, dtype=np.uint8)[0]).save(tmp_path / "b.eps")
        (tmp_path / "b.eps").rename(tmp_path / "b" / "eps.png")
        assert any("b/eps.png: it is not a picture" in note for note in read(folder).notes)
