"""New input in the form that a network was trained on."""

import numpy as np
import pytest
import torch
from PIL import Image

from neuropil import datasets
from neuropil.datasets import (
    ArrayPreparation,
    Classes,
    DataError,
    MissingDataError,
    PicturePreparation,
    read_for_evaluation,
    read_for_prediction,
)

DIGITS = PicturePreparation((1, 8, 8), Classes("ab"), high=16.0, background=0.1)
TABLE = "size,word,kind\n1,red,a\n2,blue,b\n3,?,a\n4,red,b\n" + "5,blue,a\n6,red,b\n" * 8


def digit(size=(8, 8)) -> np.ndarray:
    """Return a picture with a dark rim and a light middle."""
    pixels = np.zeros(size, np.uint8)
    pixels[size[0] // 4 : -size[0] // 4, size[1] // 4 : -size[1] // 4] = 255
    return pixels


def test_a_fitting_picture_is_rescaled_to_the_training_range(tmp_path):
    Image.fromarray(digit()).save(tmp_path / "digit.png")
    read = read_for_prediction(DIGITS, [tmp_path / "digit.png"])
    assert read.inputs.dtype == torch.uint8
    assert torch.equal(read.inputs[0, 0], torch.from_numpy(digit() // 255 * 16))
    assert (read.names, read.notes, read.set_aside) == (["digit.png"], [], [])


@pytest.mark.parametrize(
    ("picture", "note"),
    [
        (Image.fromarray(digit((32, 24))), "digit.png: resized to 8×8 (it is 32×24)."),
        (
            Image.merge("RGB", [Image.fromarray(digit()), *[Image.new("L", (8, 8))] * 2]),
            "digit.png: converted to grey.",
        ),
        (
            Image.merge(
                "RGB", [Image.fromarray(digit((16, 16))), *[Image.new("L", (16, 16))] * 2]
            ),
            "digit.png: converted to grey and resized to 8×8 (it is 16×16).",
        ),
        (
            Image.merge("LA", [Image.fromarray(digit())] * 2),
            "digit.png: put on a white background.",
        ),
    ],
)
def test_what_is_done_to_a_picture_is_said(tmp_path, picture, note):
    picture.save(tmp_path / "digit.png")
    read = read_for_prediction(DIGITS, tmp_path / "digit.png")
    assert read.inputs.shape == (1, 1, 8, 8)
    assert read.notes[0] == note


def test_a_light_background_is_said_and_left(tmp_path):
    Image.fromarray(255 - digit()).save(tmp_path / "digit.png")
    read = read_for_prediction(DIGITS, [tmp_path / "digit.png"])
    assert read.inputs[0, 0, 0, 0] == 16
    assert read.notes == [
        (
            "digit.png: has a light background, but the training pictures have a dark one; it "
            "was not inverted."
        )
    ]


def test_a_grey_picture_for_a_colour_network_gets_equal_channels(tmp_path):
    Image.fromarray(digit()).save(tmp_path / "digit.png")
    colour = PicturePreparation((3, 8, 8), Classes("ab"))
    read = read_for_prediction(colour, [tmp_path / "digit.png"])
    assert torch.equal(read.inputs[0], torch.from_numpy(digit()).expand(3, 8, 8))


def test_broken_pictures_among_good_ones_are_set_aside(tmp_path):
    Image.fromarray(digit()).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"broken")
    read = read_for_prediction(DIGITS, [tmp_path / "bad.png", tmp_path / "good.png"])
    assert read.names == ["good.png"]
    assert read.set_aside == ["bad.png cannot be used: it is not a picture."]
    with pytest.raises(DataError, match=r"bad\.png cannot be used: it is not a picture"):
        read_for_prediction(DIGITS, [tmp_path / "bad.png"])
    (tmp_path / "good.png").write_bytes(b"")
    with pytest.raises(
        DataError, match=r"none of 2 files can be used: bad\.png cannot be used"
    ):
        read_for_prediction(DIGITS, tmp_path)


def test_a_folder_means_its_pictures(tmp_path):
    for number in (10, 9):
        Image.fromarray(digit()).save(tmp_path / f"{number}.png")
    assert read_for_prediction(DIGITS, tmp_path).names == ["9.png", "10.png"]


def test_pictures_of_one_name_are_named_by_their_folders(tmp_path):
    files = [tmp_path / "cat" / "1.png", tmp_path / "dog" / "1.png", tmp_path / "dog" / "2.png"]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(digit()).save(file)
    assert read_for_prediction(DIGITS, files).names == [str(files[0]), str(files[1]), "2.png"]
    inside = ["cat/1.png", "dog/1.png", "dog/2.png"]
    assert read_for_prediction(DIGITS, tmp_path).names == inside
    both = read_for_prediction(DIGITS, [tmp_path / "cat", tmp_path / "dog"]).names
    assert both == [file.as_posix() for file in files]


def test_a_missing_file_suggests_its_neighbour(tmp_path):
    Image.fromarray(digit()).save(tmp_path / "digit.png")
    with pytest.raises(MissingDataError, match=r"digits\.png\. Did you mean 'digit\.png'"):
        read_for_prediction(DIGITS, [tmp_path / "digits.png"])
    with pytest.raises(DataError, match="there is nothing to predict"):
        read_for_prediction(DIGITS, [])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="contains no pictures"):
        read_for_prediction(DIGITS, tmp_path / "empty")


def test_arrays_are_taken_in_the_training_range(tmp_path):
    pictures = np.arange(3 * 64).reshape(3, 8, 8) % 17
    np.save(tmp_path / "digits.npy", pictures)
    np.savez(tmp_path / "digits.npz", x_test=pictures, y_test=np.zeros(3))
    np.save(tmp_path / "one.npy", pictures[0, :, :, None])
    for name in ("digits.npy", "digits.npz"):
        read = read_for_prediction(DIGITS, [tmp_path / name])
        np.testing.assert_array_equal(read.inputs[:, 0], pictures)
        assert read.names[2].endswith("row 2")
    read = read_for_prediction(DIGITS, [tmp_path / "one.npy"])
    np.testing.assert_array_equal(read.inputs[0, 0], pictures[0])
    assert read.names == ["one.npy"]
    np.save(tmp_path / "wrong.npy", pictures[:, 1:])
    with pytest.raises(
        DataError, match=r"wrong.npy: the array must hold examples of shape \(1, 8, 8\)"
    ):
        read_for_prediction(DIGITS, [tmp_path / "wrong.npy"])


def test_archives_without_clear_inputs_are_refused(tmp_path):
    np.savez(tmp_path / "two.npz", a=np.zeros(2), b=np.zeros(2))
    with pytest.raises(DataError, match="holds the arrays 'a', 'b': call the inputs 'x'"):
        read_for_prediction(DIGITS, tmp_path / "two.npz")


@pytest.fixture
def table(write_table):
    """Return the preparation of a small table."""
    return datasets.open(write_table(TABLE)).preparation


@pytest.mark.parametrize(
    "text",
    [
        "size,word,kind\n7,blue,a\n8,red,b\n",
        "size,word\n7,blue\n8,red\n",
        "word;size\nblue;7\nred;8\n",
        "extra\tword\tsize\nz\tblue\t7\nz\tred\t8\n",
    ],
)
def test_tables_are_read_by_the_names_of_their_columns(table, write_table, text):
    read = read_for_prediction(table, [write_table(text, "new.csv")])
    features = table.feature_names
    assert read.inputs[:, features.index("size")].tolist() == [7, 8]
    assert read.inputs[:, features.index("word=blue")].tolist() == [1, 0]
    assert read.names == ["new.csv, row 2", "new.csv, row 3"]


def test_unknown_words_become_zeros_and_are_said(table, write_table):
    read = read_for_prediction(table, write_table("size,word\n?,green\n", "new.csv"))
    words = [n for n, name in enumerate(table.feature_names) if name.startswith("word=")]
    assert read.inputs[0, words].tolist() == [0, 0]
    assert read.inputs[0, 0] == table.columns[0].median
    assert "'size' is missing in 1 row, but never in the training rows" in read.notes[0]
    assert "column 'word': 'green' (first in row 2) not among the categories" in read.notes[1]


def test_missing_words_are_said(table, write_table):
    read = read_for_prediction(table, write_table("size,word\n7,\n8, \n", "new.csv"))
    assert "'word' is missing in 2 rows, but never in the training rows" in read.notes[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size,colour\n1,red\n", r"new.csv lacks the columns 'word'; it has 'size', 'colour'"),
        ("7,blue\n8,red\n", r"new.csv lacks the columns 'size', 'word'; it has '7', 'blue'"),
        (
            "size,word\nbig,red\n",
            r"new.csv, column 'size': needs numbers, got words such as 'big'",
        ),
        (
            "size,word\n1,red\n2,red\nbig,red\n",
            r"new.csv, column 'size', row 4: 'big' in a column",
        ),
    ],
)
def test_tables_that_do_not_fit_are_refused(table, write_table, text, message):
    with pytest.raises(DataError, match=message):
        read_for_prediction(table, write_table(text, "new.csv"))


def test_a_table_without_header_is_read_by_place(write_table):
    text = TABLE.split("\n", 1)[1]
    preparation = datasets.open(write_table(text), target="column2").preparation
    whole = read_for_prediction(preparation, write_table("9,red,a\n", "whole.csv"))
    without = read_for_prediction(preparation, write_table("9,a\n", "without.csv"))
    assert whole.inputs.tolist() == without.inputs.tolist()
    assert whole.names == ["whole.csv, row 1"]


def test_tables_of_numbers_suit_networks_trained_on_arrays(write_table):
    preparation = ArrayPreparation((2,), Classes("ab"))
    read = read_for_prediction(preparation, write_table("a,b\n1,2\n3,4\n"))
    assert read.inputs.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(DataError, match="must have a number in every cell"):
        read_for_prediction(preparation, write_table("a,b\n1,2\n3,\n"))


def test_files_of_another_kind_are_refused(table, tmp_path):
    Image.fromarray(digit()).save(tmp_path / "digit.png")
    for path in (tmp_path / "digit.png", tmp_path):  # a folder is not searched for tables
        with pytest.raises(
            DataError, match=r"was trained on a table and takes \.arff, .*\.csv, .*\.xlsx"
        ):
            read_for_prediction(table, [path])


def test_evaluation_reads_tables_with_their_targets(table, write_table):
    path = write_table("kind,word,size\nb,red,3\n,red,4\na,blue,5\n", "new.csv")
    found, notes = read_for_evaluation(table, path)
    assert found.targets.tolist() == [1, 0]
    assert found.inputs[:, 0].tolist() == [3, 5]
    assert notes[0] == "1 row without a target set aside (first row 3)."
    with pytest.raises(DataError, match="lacks the target column 'kind'"):
        read_for_evaluation(table, write_table("word,size\nred,3\n", "new.csv"))
    with pytest.raises(DataError, match="classes that the training data lack: 'c'"):
        read_for_evaluation(table, write_table("kind,word,size\nc,red,3\n", "new.csv"))
    (path.parent / "notes").mkdir()
    with pytest.raises(
        DataError,
        match=r"was trained on a table and takes ARFF files .*, table files \(\.csv, \.tsv\)\.",
    ):
        read_for_evaluation(table, path.parent / "notes")


def test_evaluation_reads_numbers_in_their_units(write_table):
    path = write_table("x,y\n" + "".join(f"{n},{n * 10.5}\n" for n in range(30)))
    preparation = datasets.open(path).preparation
    found, _ = read_for_evaluation(preparation, write_table("x,y\n4,42\n", "new.csv"))
    assert found.targets.tolist() == [42]
    with pytest.raises(DataError, match="column 'y': needs numbers, got words such as 'tall'"):
        read_for_evaluation(preparation, write_table("x,y\n4,tall\n", "new.csv"))


def test_evaluation_reads_the_test_pictures_in_the_training_form(write_pictures):
    folder = write_pictures("train/a", "train/b", size=(8, 8))
    write_pictures("test/b", count=2, size=(16, 16))
    found, notes = read_for_evaluation(DIGITS, folder)
    assert found.targets.tolist() == [1, 1]
    assert found.inputs.max() <= 16
    assert "2 pictures of 16×16: resized to 8×8 (height × width)" in notes


def test_evaluation_reads_idx_files(tmp_path, write_idx):
    write_idx(9)
    write_idx(6, "t10k")
    preparation = datasets.open(tmp_path, test=0).preparation
    found, _ = read_for_evaluation(preparation, tmp_path)
    assert found.targets.tolist() == [0, 1, 2, 0, 1, 2]
    assert found.inputs.shape == (6, 1, 4, 5)


def test_evaluation_reads_arrays(tmp_path):
    x, y = np.arange(40.0).reshape(20, 2), np.array(["a", "b"] * 10)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    preparation = datasets.open(tmp_path / "data.npz").preparation
    found, _ = read_for_evaluation(preparation, tmp_path / "data.npz")
    np.testing.assert_array_equal(found.inputs, x)
    assert found.targets.tolist() == [0, 1] * 10
    assert read_for_evaluation(preparation, tmp_path)[0].targets.tolist() == [0, 1] * 10
    (tmp_path / "class").mkdir()
    with pytest.raises(
        DataError,
        match=r"\(folders of pictures\) cannot be used .* trained on arrays and takes a folder "
        r"with x\.npy and y\.npy, npz files \(\.npz\)\.",
    ):
        read_for_evaluation(preparation, tmp_path)


def test_the_saved_digits_come_back_through_pictures(tmp_path):
    digits = datasets.load_handwritten_digits()
    first = digits.test.inputs[:20]
    for number, pixels in enumerate(first.numpy()):
        Image.fromarray((pixels[0].astype(int) * 255 // 16).astype(np.uint8)).save(
            tmp_path / f"{number}.png"
        )
    read = read_for_prediction(digits.preparation, tmp_path)
    assert torch.equal(read.inputs, first)
