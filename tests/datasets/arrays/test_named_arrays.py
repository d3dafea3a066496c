"""Named arrays in npz and npy files."""

import json
import pickle
import re

import numpy as np
import pytest
import torch

from neuropil import datasets
from neuropil.datasets import (
    ArrayPreparation,
    Classes,
    DataError,
    PicturePreparation,
)
from neuropil.datasets.preparations import preparation_from_json

RANDOM = np.random.default_rng(0)

KINDS = {"classification": "classes", "regression": "numbers"}


@pytest.fixture
def save(tmp_path):
    """Return a function that writes arrays and gives the path."""

    def write(**arrays):
        np.savez_compressed(tmp_path / "data.npz", **arrays)
        return tmp_path / "data.npz"

    return write


X = RANDOM.normal(size=(30, 4))
Y = np.arange(30) % 3
PICTURES = RANDOM.integers(0, 256, (30, 6, 5, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "names",
    [
        "x y",
        "X Y",
        "inputs targets",
        "images labels",
        "data target",
        "x_train y_train",
        "train_x train_y",
    ],
)
def test_inputs_and_targets_are_found_by_name(save, names):
    first, second = names.split()
    opened = datasets.open(save(**{first: X, second: Y, "other": np.zeros(2)}))
    assert (opened.kind, opened.target.kind, list(opened.target.classes)) == (
        "arrays",
        "classes",
        ["0", "1", "2"],
    )
    assert (len(opened.train), len(opened.validation), len(opened.test)) == (21, 3, 6)
    assert opened.train.inputs.dtype == torch.float32
    rows = np.concatenate(
        [part.inputs for part in (opened.train, opened.validation, opened.test)]
    )
    np.testing.assert_array_equal(
        np.unique(rows, axis=0), np.unique(X.astype(np.float32), axis=0)
    )


def test_arrays_set_apart_are_respected_and_the_test_is_read_late(save):
    path = save(x_train=X, y_train=Y, x_val=X[:5], y_val=Y[:5], X_test=X[:9], y_test=Y[:9])
    opened = datasets.open(path)
    assert (len(opened.train), len(opened.validation)) == (30, 5)
    assert opened.has_test
    save(x_test=X[:4], y_test=Y[:4], X_test=X[:4])
    assert len(opened.test) == 4


@pytest.mark.parametrize(
    ("images", "kind", "shape"),
    [
        (PICTURES, "pictures", (3, 6, 5)),
        (PICTURES.transpose(0, 3, 1, 2), "pictures", (3, 6, 5)),
        (PICTURES.transpose(0, 3, 1, 2)[..., :4], "pictures", (3, 6, 4)),
        (PICTURES[..., 0], "pictures", (1, 6, 5)),
        (PICTURES[..., :1], "pictures", (1, 6, 5)),
        (PICTURES / 255, "pictures", (3, 6, 5)),
        (PICTURES / 100 - 1, "arrays", (3, 6, 5)),
        (PICTURES[..., 0] / 255, "arrays", (6, 5)),
        (np.concatenate([PICTURES, PICTURES[..., :1]], -1), "arrays", (4, 6, 5)),
        (PICTURES.astype(np.int32), "arrays", (3, 6, 5)),
    ],
)
def test_pictures_are_recognised_and_their_channels_come_first(save, images, kind, shape):
    opened = datasets.open(save(images=images, labels=Y), validation=0, test=0)
    assert (opened.kind, opened.input_shape) == (kind, shape)
    # Indices come back in the order of the file, as nothing is held out.
    ordered = images if images.ndim == 3 or images.shape[1] == 3 else np.moveaxis(images, -1, 1)
    np.testing.assert_array_equal(
        opened.train.inputs,
        ordered.reshape(30, *shape).astype(opened.train.inputs.numpy().dtype),
    )


@pytest.mark.parametrize(
    ("images", "high"), [(PICTURES, 255), (PICTURES / 255, 1), (PICTURES * 1.0, 255)]
)
def test_pictures_know_their_range(save, images, high):
    preparation = datasets.open(save(images=images, labels=Y)).preparation
    assert isinstance(preparation, PicturePreparation)
    assert (preparation.low, preparation.high) == (0, high)


@pytest.mark.parametrize(
    ("targets", "task", "classes"),
    [
        (Y.astype(np.uint8), "classification", ["0", "1", "2"]),
        (Y.astype(float), "classification", ["0", "1", "2"]),
        (Y - 10**13, "classification", ["-10000000000000", "-9999999999999", "-9999999999998"]),
        (-0.0 * (Y > 1) + (Y == 1), "classification", ["0", "1"]),
        (Y[:, None], "classification", ["0", "1", "2"]),
        (Y > 0, "classification", ["False", "True"]),
        (np.array(["cat", "dog", "ant"])[Y], "classification", ["ant", "cat", "dog"]),
        (np.array([b"cat", b"dog"])[Y % 2], "classification", ["cat", "dog"]),
        (np.eye(3)[Y], "classification", ["0", "1", "2"]),
        (Y * 0.5, "regression", None),
        (np.arange(30) * 100, "regression", None),
        (X[:, :2], "regression", None),
        (np.eye(3)[Y] + np.eye(3)[Y - 1], "regression", None),
    ],
)
def test_the_task_is_seen_from_the_targets(save, targets, task, classes):
    opened = datasets.open(save(x=X, y=targets))
    assert opened.target.kind == KINDS[task]
    assert list(getattr(opened.target, "classes", ())) == (classes or [])
    assert task in opened.notes[0]
    if task == "classification":
        assert opened.train.targets.dtype == torch.int64
    else:
        assert opened.train.targets.dtype == torch.float32
        assert opened.train.targets.shape[1:] == targets.shape[1:]
        mean = opened.train.targets.double().mean(0).reshape(-1).tolist()
        assert opened.preparation.target.mean == pytest.approx(mean)


def test_many_numbered_classes_are_classes(save):
    x = np.zeros((120, 2))
    assert datasets.open(save(x=x, y=np.arange(120) % 40), test=0).target.outputs == 40


def test_names_of_classes_are_used(save):
    opened = datasets.open(save(x=X, y=Y, classes=np.array(["ant", "cow", "bee"])))
    assert list(opened.target.classes) == ["ant", "cow", "bee"]
    assert set(opened.train.targets.tolist()) == {0, 1, 2}
    with pytest.raises(
        DataError, match=r"row 2 has the class number 2, but only 2 classes have names"
    ):
        datasets.open(save(x=X, y=Y, classes=np.array(["ant", "cow"])))


def test_the_task_can_be_said(save):
    assert datasets.open(save(x=X, y=Y), task="regression").target.kind == "numbers"
    assert datasets.open(save(x=X, y=np.eye(3)[Y]), task="regression").target.outputs == 3
    halves = datasets.open(save(x=X, y=np.round(X[:, 0] / 3) / 2), task="classification")
    assert halves.target.outputs == 3


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ({"a": X, "b": Y}, {}, "holds the arrays 'a', 'b'; it needs x_train and y_train"),
        ({"x": X}, {}, "holds the arrays 'x'; it needs"),
        (
            {"x": X, "y": Y[:9]},
            {},
            r"x of data.npz has shape \(30, 4\), y of data.npz has \(9,\)",
        ),
        (
            {"x": X[:, 0], "y": Y},
            {},
            "x of data.npz must hold numbers with at least two axes",
        ),
        ({"x": X.astype(str), "y": Y}, {}, "x of data.npz must hold numbers"),
        (
            {"x": X, "y": PICTURES},
            {},
            r"y of data.npz must have shape \(N\) or \(N, k\), got \(30, 6",
        ),
        ({"x": X, "y": Y * 0}, {}, "examples of one class only, '0'"),
        ({"x": X, "y": Y.astype(str)}, {"task": "regression"}, "the targets are words"),
        (
            {"x": X, "y": X},
            {"task": "classification"},
            "classes need one label for each example",
        ),
        ({"x": X, "y": Y}, {"target": "y"}, "`target` does not apply to arrays"),
        (
            {"x": X.astype(complex), "y": Y},
            {},
            "array 'x' of data.npz must hold numbers, got complex",
        ),
    ],
)
def test_what_does_not_fit_is_refused(save, arrays, options, message):
    with pytest.raises(DataError, match=message):
        datasets.open(save(**arrays), **options)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("name", ["x", "y"])
def test_nan_and_infinity_are_named_with_their_row(save, name, value):
    arrays = {"x": X.copy(), "y": X[:, 0].copy()}
    arrays[name][17] = value
    with pytest.raises(
        DataError,
        match=rf"{name} of data\.npz: row 17 holds {re.escape(str(value))}; rows are counted",
    ):
        datasets.open(save(**arrays))


def test_nothing_is_unpickled(save, tmp_path):
    class Trap:
        def __reduce__(self):
            return pytest.fail, ("unpickled",)

    with pytest.raises(DataError, match="Python objects, which are never unpickled"):
        datasets.open(save(x=np.array([Trap()], dtype=object), y=Y))
    (tmp_path / "data.npz").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DataError, match=r"data\.npz is damaged: File is not a zip file"):
        datasets.open(tmp_path / "data.npz")
    (tmp_path / "x.npy").write_bytes(pickle.dumps(Trap()))
    (tmp_path / "y.npy").write_bytes(b"")
    with pytest.raises(DataError, match=r"x\.npy is damaged: the magic string"):
        datasets.open(tmp_path)


def test_a_truncated_archive_is_named(save):
    path = save(x=X, y=Y)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"data\.npz is damaged"):
        datasets.open(path)
    middle = len(whole) // 3
    path.write_bytes(whole[:middle] + b"\0" * 20 + whole[middle + 20 :])
    with pytest.raises(DataError, match=r"data\.npz is damaged"):
        datasets.open(path)


def test_a_header_that_claims_too_much_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    content = (tmp_path / "x.npy").read_bytes().replace(b"(30, 4)", b"(30000000000000, 4)")
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npy"):
        datasets.open(tmp_path)


def test_a_folder_of_npy_files_is_read(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    assert len(datasets.open(tmp_path).train) == 21


@pytest.mark.parametrize(
    "preparation",
    [
        ArrayPreparation((3,), Classes("ab"), "int64"),
        PicturePreparation((1, 8, 8), Classes("ab"), high=16.0, background=0.25),
    ],
)
def test_preparations_survive_json(preparation):
    assert preparation_from_json(json.loads(json.dumps(preparation.to_json()))) == preparation


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": [1, 8]}, "'shape' must be channels, height and width of a picture"),
        ({"shape": [2, 8, 8]}, r"pictures need the shape \(1 or 3, height, width\)"),
        (
            {"shape": [1, 10**9, 10**9]},
            "'shape' must be channels, height and width of a picture",
        ),
        ({"shape": [1, 0, 8]}, "'shape' must be channels, height and width"),
        ({"shape": [True, 8, 8]}, "'shape' must be channels, height and width"),
        ({"dtype": "object"}, "pictures need uint8 or float32 values"),
        ({"low": 300}, "pictures need uint8 or float32 values from low to high"),
        ({"low": "0"}, "'low' must be a finite number"),
    ],
)
def test_a_damaged_preparation_of_pictures_is_refused(change, message):
    good = PicturePreparation((1, 8, 8), Classes("ab")).to_json()
    with pytest.raises(DataError, match=message):
        preparation_from_json({**good, **change})


def test_a_damaged_preparation_of_arrays_is_refused():
    good = ArrayPreparation((3,), Classes("ab")).to_json()
    with pytest.raises(
        DataError, match="arrays are kept as uint8, int64, float32, got 'object'"
    ):
        preparation_from_json({**good, "dtype": "object"})


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((2, 4)),
            r"must hold examples of shape \(3,\), got an array of shape \(2, 4\)",
        ),
        (np.array(["a", "b", "c"]), "needs float32 values, got <U1"),
        (np.array([[0, np.nan, 1]]), "the array: row 0 holds nan"),
    ],
)
def test_arrays_that_do_not_fit_the_preparation_are_refused(array, message):
    with pytest.raises(DataError, match=message):
        ArrayPreparation((3,), Classes("ab")).encode(array)


def test_whole_numbers_are_not_made_of_fractions():
    preparation = ArrayPreparation((2,), Classes("ab"), "uint8")
    assert preparation.encode([3.0, 4.0]).tolist() == [[3, 4]]
    with pytest.raises(DataError, match="needs uint8 values as in the training data"):
        preparation.encode([3.5, 4.0])
    with pytest.raises(DataError, match="needs uint8 values as in the training data"):
        preparation.encode([300, 4])


def test_cifar_is_read_with_its_names(data):
    opened = datasets.open(data / "cifar10_subset")
    assert opened.kind == "pictures"
    assert opened.input_shape == (3, 32, 32)
    assert opened.target.classes[0] == "airplane"
    raw = np.load(data / "cifar10_subset" / "cifar10_subset.npz")
    np.testing.assert_array_equal(opened.test.inputs, raw["x_test"].transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(opened.test.targets, raw["y_test"])


class TestFarFromZero:
    """Mean and scale are taken off in double precision, before the cast."""

    near = np.random.default_rng(1).standard_normal((60, 2))

    def test_columns_are_centred_before_the_cast(self, save):
        X = self.near * [1000, 1] + [1.7e12, 5]
        opened = datasets.open(save(x=X, y=np.arange(60) % 2))
        assert opened.train.inputs.dtype == torch.float32
        assert opened.train.inputs.std(0, correction=0).tolist() == pytest.approx([1, 1])
        again = preparation_from_json(json.loads(json.dumps(opened.preparation.to_json())))
        assert torch.equal(again.encode(X), opened.preparation.encode(X))
        scaled = (X - X.mean(0)) / X.std(0)
        assert np.allclose(
            again.encode(X).diff(dim=0), np.diff(scaled, axis=0), rtol=0.3, atol=0.1
        )

    @pytest.mark.parametrize("part", ["validation", "test"])
    def test_so_are_other_parts(self, save, part):
        X = self.near + 1e9
        arrays = {"x_train": X, "y_train": X[:, 0], f"x_{part}": X, f"y_{part}": X[:, 0]}
        opened = datasets.open(save(**arrays), validation=0, test=0)
        held = getattr(opened, part)
        assert torch.equal(held.inputs, opened.train.inputs)
        assert torch.equal(held.targets, opened.train.targets)
        assert np.array_equal(held.targets.numpy(), X[:, 0])

    def test_others_stay_as_they_are(self, save):
        opened = datasets.open(save(x=self.near + 100, y=np.arange(60) % 2))
        assert opened.preparation.center == opened.preparation.scale == ()
        assert opened.train.inputs.mean().item() == pytest.approx(100, abs=0.5)

    @pytest.mark.parametrize("shape", [(3, 4), (3, 2, 5), (3, 2, 3, 4)])
    def test_more_axes_have_one_center_per_channel(self, save, shape):
        X = np.random.default_rng(0).standard_normal((40, *shape)) + 1e9
        opened = datasets.open(save(x=X, y=np.arange(40) % 2))
        assert len(opened.preparation.center) == (1 if len(shape) == 2 else shape[0])
        assert abs(opened.train.inputs.mean().item()) < 1e-3
        assert opened.preparation.encode(X[0]).shape == (1, *shape)

    @pytest.mark.parametrize(
        "y", [1e9 + 10 * near[:, 0], 2**61 + (1e12 * near[:, 0]).astype(np.int64), 1e-9 * near]
    )
    def test_targets_keep_their_digits(self, save, y):
        opened = datasets.open(save(x=self.near, y=y), validation=0, test=0)
        target, given = opened.preparation.target, opened.train.targets
        assert np.allclose(given.double(), y.astype(float), rtol=1e-7, atol=1e-4 * y.std())
        standard = target.standardize(given)
        assert standard.std(0, correction=0).numpy() == pytest.approx(1, rel=1e-3)
        back = target.restore(standard.float())
        assert back.dtype == torch.float64
        assert np.allclose(back, y.astype(float), atol=1e-3 * y.std())

    def test_digits_that_the_file_lost_are_said(self, save):
        X = (1.7e9 + 60 * self.near).astype(np.float32)
        opened = datasets.open(save(x=X, y=np.arange(60) % 2))
        (note,) = [note for note in opened.notes if "digits were lost" in note]
        assert note.startswith("the inputs in data.npz: column 0 varies by")
        assert "float32 has no steps below 2e+02 (1 more such columns)" in note

    @pytest.mark.parametrize(
        ("y", "said"),
        [
            ((1e9 + 1000 * near[:, 0]).astype(np.float32), True),
            (1e17 + 300 * near[:, 0], True),
            (2**62 + (9000 * near[:, 0]).astype(np.int64), True),
            (1e9 + near[:, 0], False),
            (np.arange(60), False),
            (near[:, 0].astype(np.float16), False),
        ],
    )
    def test_targets_whose_digits_are_lost_are_said(self, save, y, said):
        opened = datasets.open(save(x=self.near, y=y), task="regression")
        notes = [note for note in opened.notes if note.startswith("the targets in data.npz: ")]
        assert [("varies by" in note) for note in notes] == [True] * said

    def test_an_error_that_follows_says_so_too(self, save):
        y = 2**62 + (300 * self.near[:, 0]).astype(np.int64)
        with pytest.raises(DataError, match=r"nothing to learn\..* digits were lost when"):
            datasets.open(save(x=self.near, y=y), task="regression")

    @pytest.mark.parametrize(
        "change", [{"center": [1.0]}, {"scale": [0.0, 1.0]}, {"dtype": "int64"}]
    )
    def test_damaged_plain_data(self, change):
        made = ArrayPreparation((2,), Classes("ab"), "float32", (1.0, 2.0), (1.0, 1.0))
        with pytest.raises(DataError, match="center and scale need 2 numbers each"):
            preparation_from_json(made.to_json() | change)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([b"caf\xe9", b"caf\xe8", b"tea"], ["caf\u00e8", "caf\u00e9", "tea"]),
        (["cafe\u0301", "caf\u00e9", "tea"], ["caf\u00e9", "tea"]),
        ([0.1234567890123, 0.1234567890124, 1.0], ["0.1234567890123", "0.1234567890124", "1"]),
        (np.float32([0.1, 0.2, 3]), ["0.1", "0.2", "3"]),
        (np.uint64([2**63 + 1, 2**63 + 2, 5]), ["5", str(2**63 + 1), str(2**63 + 2)]),
        (np.int64([-(2**60), 1 - 2**60, 7]), [str(-(2**60)), str(1 - 2**60), "7"]),
    ],
    ids=str,
)
def test_labels_keep_their_letters_and_digits(save, labels, classes):
    opened = datasets.open(save(x=X, y=np.array(labels)[Y]), task="classification")
    assert list(opened.target.classes) == classes
