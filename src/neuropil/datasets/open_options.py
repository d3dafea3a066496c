"""The options of `open`, which are passed to the reader of the format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, final

from neuropil.checks import COUNTABLE, Rules, check_options, choice, optional, shown, whole
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.people.people_splits import split_by_person
from neuropil.datasets.pictures.picture_sizes import SIZES
from neuropil.datasets.splitting import split
from neuropil.datasets.tables.files.encodings import check_encoding
from neuropil.datasets.tables.frames import IN_MEMORY

TASKS = {
    "classification": "classes",
    "regression": "numbers",
    "detection": "boxes",
    "localisation": "boxes",
    "landmarks": "points",
    "segmentation": "masks",
    "verification": "identities",
}
"""The kind of labels of each task."""
COLORS = ("grey", "rgb")
RULES: Rules = {
    "task": optional(choice(*TASKS)),
    "color": optional(choice(*COLORS)),
    "target": optional(lambda value, what: column_names(value, what, several=True)),
    "split_by": optional(lambda value, what: column_names(value, what, several=False)),
    "seed": partial(whole, minimum=0, maximum=COUNTABLE),
}
TABLE, TABLE_OPTIONS = "a table", ("header", "encoding", "split_by")

TestReader = Callable[[list[str]], Dataset]
"""Reads the test files when first used; may add to the notes that are passed to it."""


@final
@dataclass(frozen=True)
class Options:
    """The options of `open`.

    Args:
        target: Name of the target column, or several: with commas between them, or a list.
        task: One of `TASKS`; None to decide by the targets.
        seed: Seed of the split.
        validation: Fraction or number of examples for validation.
        test: Fraction or number of examples for the test; not used with test files.
        image_size: Height and width of pictures; "buckets" or "native" for several sizes; None
            to decide by the files.
        color: ``"grey"``, ``"rgb"``, or None to decide by the files.
        header: Whether the first row of a table names its columns, or None to detect it.
        encoding: Name of a table's encoding, or None to detect it.
        split_by: Column of a table whose values are never divided between two parts; None for
            a random split.

    Raises:
        ValueError: If a value is none of those.
    """

    target: str | Sequence[str] | None = None
    task: str | None = None
    seed: int = 0
    validation: float = 0.1
    test: float = 0.2
    image_size: int | tuple[int, int] | str | None = None
    color: str | None = None
    header: bool | None = None
    encoding: str | None = None
    split_by: str | None = None
    size: tuple[int, int] | None = field(init=False)

    def __post_init__(self) -> None:
        check_options("open", vars(self), RULES)
        if self.encoding is not None:
            check_encoding(self.encoding)
        object.__setattr__(self, "size", image_size(self.image_size))

    @property
    def labels(self) -> str | None:
        """The kind of labels that the task needs; None if none was asked for."""
        return None if self.task is None else TASKS[self.task]

    def refuse(self, what: str, *names: str) -> None:
        """Refuse options that do not apply to the data.

        The options of tables are refused for all other data.

        Args:
            what: Description of the data.
            *names: The options that do not apply.

        Raises:
            DataError: If one of them was given.
        """
        for name in names if what in (TABLE, IN_MEMORY) else (*names, *TABLE_OPTIONS):
            if getattr(self, name) is not None:
                raise DataError(f"`{name}` does not apply to {what}: leave it out.")

    def require_labels(
        self, labels: Sequence[str], what: str, takes: Sequence[str] = ()
    ) -> None:
        """Refuse a task that does not fit the labels.

        Args:
            labels: The kinds of labels that the data may have.
            what: Description of the data.
            takes: Descriptions of the data that the task takes.

        Raises:
            DataError: If a task for other labels was asked for.
        """
        fit = [task for task, kind in TASKS.items() if kind in labels]
        if self.task not in (None, *fit):
            kinds = " or ".join(labels)
            needs = f" {self.task} takes {'; '.join(takes)}." * bool(takes)
            raise DataError(
                f"the labels of {what} are {kinds}, which need {' or '.join(fit)}, not "
                f"{self.task}.{needs}"
            )

    def cut(
        self,
        data: Dataset,
        validation: Dataset | None = None,
        test: TestReader | None = None,
    ) -> tuple[Dataset, Dataset | None, Dataset | TestReader | None]:
        """Return the training, validation and test parts; cut those that have no files.

        Args:
            data: The examples to split.
            validation: Examples from validation files, if there are any.
            test: Reader of the test files, if there are any.
        """
        sizes: dict[str, Any] = {
            "validation": 0 if validation is not None else self.validation,
            "test": 0 if test is not None else self.test,
            "seed": self.seed,
        }
        divide = split_by_person if self.labels == "identities" else split
        train, cut, held_out = divide(data, **sizes)
        return train, validation or cut, test or held_out


def column_names(value: Any, what: str, *, several: bool) -> Any:
    """Return the name of a column, or a list of names.

    Raises:
        ValueError: If the value is neither.
    """
    listed = several and isinstance(value, list | tuple)
    if not all(isinstance(name, str) for name in (value if listed else [value])):
        names = "the name of a column" + " or a list of names" * several
        raise ValueError(f"{what} must be {names}, got {shown(value)}.")
    return value


def image_size(size: Any) -> tuple[int, int] | None:
    """Return the height and width that a number or a pair means; None for several sizes.

    Raises:
        DataError: If the value is not a size.
    """
    if size is None or size in SIZES:
        return None
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or not all(type(side) is int and 1 <= side <= 4096 for side in pair):
        raise DataError(
            "`image_size` must be a number of pixels or (height, width), from 1 to 4096, or "
            f"'buckets' or 'native'; got {size!r}."
        )
    return pair[0], pair[1]
