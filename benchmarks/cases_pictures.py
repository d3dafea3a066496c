"""What is made of each small folder of pictures and file of arrays, beside what is right."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from neuropil import datasets
from neuropil.datasets import DataError, Splits
from neuropil.layers import Flatten, Input, Relu, Softmax
from neuropil.training import Trainer

Right = Callable[[Splits], bool]

FOLDER = Path(os.environ.get("NEUROPIL_DATA", "../shared/data")).parent / "cases"


def classes(*names: str) -> Right:
    """Return a test for the names of the classes, in their order."""
    return lambda splits: splits.classes == list(names)


def noted(pattern: str) -> Right:
    """Return a test for a note."""
    return lambda splits: any(re.search(pattern, note) for note in splits.notes)


def learnt(splits: Splits) -> bool:
    """Tell whether a small network names every test picture right."""
    network = Input(*splits.input_shape) >> Flatten() >> Relu(32) >> Softmax(splits.outputs)
    trainer = Trainer(network, metrics=["accuracy"], seed=0, threads=None, progress=False)
    trainer.fit(splits.train, epochs=60, batch_size=8)
    return trainer.evaluate(splits.test)["accuracy"] == 1


def every(*checks: Right) -> Right:
    """Return a test that asks for all of several."""
    return lambda splits: all(check(splits) for check in checks)


def digits_kept(splits: Splits) -> bool:
    """Tell whether 60 values at 10⁹ that lie 1/7 apart stay what they are."""
    parts = (splits.train, splits.validation, splits.test)
    found = {value for part in parts if part is not None for value in part.targets.tolist()}
    back = splits.preparation.target.restore(
        splits.preparation.target.standardize(splits.train.targets)
    )
    return len(found) == 60 and float((back - splits.train.targets).abs().max()) < 1e-3


THREE = classes("0", "1", "2")
CASES: dict[str, Right | str] = {
    "pictures/empty_class": classes("a", "b"),
    "pictures/equal_numbers": classes("001", "01", "1", "2"),
    "pictures/extra_in_val": r"classes that the training data lack: 'z'",
    "pictures/extreme": every(classes("a", "b"), noted("brought to 1×64")),
    "pictures/float_tiff": r"17 broken pictures set aside: a/0\.tif: its values run from -3",
    "pictures/int16_signed": r"24 broken pictures set aside: a/0\.tif: its values run from -9",
    "pictures/junk": every(classes("cat", "dog"), noted("3 broken pictures set aside")),
    "pictures/low_16bit": every(learnt, noted("values from 0 to 159, .* 255 as white")),
    "pictures/mask_01": learnt,
    "pictures/missing_in_val": classes("a", "b", "c"),
    "pictures/mixed_depth": every(learnt, noted("4095 as white")),
    # Where links are stored as files, the link is a file of text.
    "pictures/nested_links": every(
        classes("cat", "dog"), noted("cat/linked|linked folder followed: cat/linked")
    ),
    "pictures/numeric": classes("1", "02", "9", "10"),
    "pictures/single": r"cannot spare 1 for validation",
    "pictures/sixteen_bit_dark": every(learnt, noted("values from 0 to 119, .* 255 as white")),
    "pictures/stack": noted("8 pictures with several frames"),
    "pictures/store": classes("cat", "dog"),
    "pictures/train_and_loose": every(classes("a", "b"), lambda s: len(s.validation) == 16),
    "pictures/train_images": classes("a", "b"),
    "pictures/wrapped": r"examples of one class only, 'dataset'",
    "arrays/Xy.npz": THREE,
    "arrays/alone.npy": r"cannot be opened as data",
    "arrays/arr01.npz": r"holds the arrays 'arr_0', 'arr_1'; needed are",
    "arrays/bigids.npz": classes(*(str(90071992547409921 + k) for k in range(3))),
    "arrays/bigy.npz": digits_kept,
    "arrays/bool_y.npz": classes("False", "True"),
    "arrays/bytes_labels.npz": classes("cat", "cow", "dog"),
    "arrays/channels_last.npz": every(THREE, lambda s: s.input_shape == (3, 8, 8)),
    "arrays/column_y.npz": THREE,
    "arrays/complex.npz": r"must hold numbers, got complex128",
    "arrays/data_target.npz": THREE,
    "arrays/emnist": classes("1", "2", "3"),
    "arrays/idx_dash": every(THREE, lambda s: len(s.test) == 9),
    "arrays/idx_dot": every(THREE, lambda s: len(s.test) == 9),
    "arrays/idx_nested": every(THREE, lambda s: s.input_shape == (1, 8, 8)),
    "arrays/images_labels.npz": THREE,
    "arrays/keras.npz": every(THREE, lambda s: len(s.test) == 9),
    "arrays/lens.npz": r"there must be one target for each example",
    "arrays/nan.npz": r"row 0 holds nan \(and 59 more rows\)",
    "arrays/obj.npz": r"Python objects, which are never unpickled",
    "arrays/onehot.npz": THREE,
    "arrays/str_labels.npz": classes("cat", "cow", "dog"),
    "arrays/x16.npz": THREE,
}
"""What is right for each: a test of what was opened, or a pattern for the error."""


def outcome(path: Path, right: Right | str) -> tuple[bool, str]:
    """Return whether a case ends as is right, and how it ends."""
    try:
        splits = datasets.open(path)
        found = f"{splits.classes or splits.task}; {' '.join(splits.notes)}"
        return not isinstance(right, str) and right(splits), found
    except DataError as error:
        return isinstance(right, str) and re.search(right, str(error)) is not None, str(error)


def main(folder: str = str(FOLDER)) -> None:
    failed = 0
    for name, right in CASES.items():
        fine, found = outcome(Path(folder, name), right)
        failed += not fine
        print(f"{'right' if fine else 'WRONG'}  {name:28} {found[:150]}")
    print(f"{len(CASES) - failed} of {len(CASES)} right")


if __name__ == "__main__":
    main()
