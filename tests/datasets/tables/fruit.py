"""A small table with words, missing cells and odd letters, which tests write in many forms."""

from typing import Any

import pyarrow as pa

from neuropil import datasets

COUNT = 24
SIZES = [number / 4 + (1 if number % 3 else 1000) for number in range(COUNT)]
COUNTS = [None if number == 5 else number % 7 for number in range(COUNT)]
COLOURS = [["red", "blue", "süß"][number % 3] for number in range(COUNT)]
KINDS = ["ab"[number % 2] for number in range(COUNT)]
NAMES = ["size", "count", "colour", "kind"]
ROWS = list(zip(SIZES, COUNTS, COLOURS, KINDS, strict=True))
PLAIN = "\n".join(
    [",".join(NAMES), *(",".join("" if c is None else str(c) for c in row) for row in ROWS), ""]
)
TYPED = pa.table(dict(zip(NAMES, (SIZES, COUNTS, COLOURS, KINDS), strict=True)))


def opened(data: Any) -> tuple[Any, ...]:
    """Return the columns, but not the decimal mark of the file, the inputs and the targets."""
    splits = datasets.open(data, target="kind", validation=0, test=0)
    columns = [column.to_json() for column in splits.preparation.columns]
    return (
        [
            {name: own for name, own in column.items() if name != "decimal"}
            for column in columns
        ],
        splits.train.inputs.numpy().tobytes(),
        splits.train.targets.tolist(),
        splits.target.classes,
    )
