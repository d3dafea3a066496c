"""What the caller of `open` asked for, handed to the reader of each kind of file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, final

from neuropil.checks import COUNTABLE, Rules, check_options, choice, optional, whole
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.splitting import split
from neuropil.datasets.tables.encodings import check_encoding

TASKS = ("classification", "regression")
COLORS = ("grey", "rgb")
RULES: Rules = {
    "task": optional(choice(*TASKS)),
    "color": optional(choice(*COLORS)),
    "seed": partial(whole, minimum=0, maximum=COUNTABLE),
}
TABLE, TABLE_OPTIONS = "a table", ("header", "encoding")

TestReader = Callable[[list[str]], Dataset]
"""Reads the test files at their first use; may add to the notes that it is given."""


@final
@dataclass(frozen=True)
class Options:
    """What the caller of `open` asked for.

    Args:
        target: Name of the target column.
        task: ``"classification"``, ``"regression"``, or None to see from the targets.
        seed: Seed of the split.
        validation: Share or number of examples for validation.
        test: Share or number of examples for the test, where no files are set apart for it.
        image_size: Height and width of pictures, or None to see from the files.
        color: ``"grey"``, ``"rgb"``, or None to see from the files.
        header: Whether the first row of a table names its columns, or None to see from it.
        encoding: Name of a table's encoding, or None to find it.

    Raises:
        ValueError: If a value is none of those.
    """

    target: str | None = None
    task: str | None = None
    seed: int = 0
    validation: float = 0.1
    test: float = 0.2
    image_size: int | tuple[int, int] | None = None
    color: str | None = None
    header: bool | None = None
    encoding: str | None = None
    size: tuple[int, int] | None = field(init=False)

    def __post_init__(self) -> None:
        check_options("open", vars(self), RULES)
        if self.encoding is not None:
            check_encoding(self.encoding)
        object.__setattr__(self, "size", image_size(self.image_size))

    def refuse(self, what: str, *names: str) -> None:
        """Raise an error if an option was given that `what` has no use for.

        Those that only tables have are refused for everything else.

        Args:
            what: What is being read.
            *names: The options without use.

        Raises:
            DataError: If one was given.
        """
        for name in names if what == TABLE else (*names, *TABLE_OPTIONS):
            if getattr(self, name) is not None:
                raise DataError(f"`{name}` has no meaning for {what}; leave it out.")

    def require_task(self, task: str, what: str) -> None:
        """Raise an error if another task was asked for than the one that `what` is for.

        Args:
            task: What the labels are for.
            what: What is being read, and how it is labelled.

        Raises:
            DataError: If another was.
        """
        if self.task not in (None, task):
            raise DataError(f"{what}: that is {task}, not {self.task}.")

    def cut(
        self,
        data: Dataset,
        validation: Dataset | None = None,
        test: TestReader | None = None,
    ) -> tuple[Dataset, Dataset | None, Dataset | TestReader | None]:
        """Cut those parts from the examples that no files are set apart for.

        Args:
            data: The examples to cut up.
            validation: Examples from validation files, if there are such files.
            test: Reader of the test files, if there are such files.
        """
        train, cut, held_out = split(
            data,
            validation=0 if validation is not None else self.validation,
            test=0 if test is not None else self.test,
            seed=self.seed,
        )
        return train, validation or cut, test or held_out


def image_size(size: Any) -> tuple[int, int] | None:
    """Return the height and width that a number or a pair means.

    Raises:
        DataError: If it is no size.
    """
    if size is None:
        return None
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or not all(type(side) is int and 1 <= side <= 4096 for side in pair):
        raise DataError(
            "`image_size` must be a number of pixels or (height, width), from 1 to 4096; got "
            f"{size!r}."
        )
    return pair[0], pair[1]
