"""Training, validation and test examples, with all that is known about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from neuropil.core.reading import reading
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.dataset import Dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.datasets.preparation import Preparation
    from neuropil.datasets.target import Target


@final
class Splits:
    """Training, validation and test examples, with all that is known about them.

    Args:
        train: The training examples.
        validation: Examples held out to watch the training, or None.
        test: Examples for the last measurement, or None; or a function that reads them at first
            use and may add to `notes`, which is its argument.
        preparation: How raw input becomes an example.
        source: Where the data come from.
        notes: Lines that a person should read.

    Raises:
        DataError: If the examples do not have the shape that the preparation gives.

    Example:
        >>> from neuropil import datasets
        >>> digits = datasets.load_handwritten_digits()
        >>> digits.input_shape, digits.target.kind, len(digits.target.classes)
        ((1, 8, 8), 'classes', 10)
        >>> len(digits.train), len(digits.validation), len(digits.test)
        (1258, 180, 359)
    """

    def __init__(
        self,
        train: Dataset,
        validation: Dataset | None = None,
        test: Dataset | Callable[[list[str]], Dataset] | None = None,
        *,
        preparation: Preparation,
        source: str,
        notes: Sequence[str] = (),
    ) -> None:
        self.train = train
        self.validation = validation
        self._test = test
        self.preparation = preparation
        self.source = source
        self.notes = list(notes)
        if tuple(train.inputs.shape[1:]) != preparation.input_shape:
            raise DataError(
                f"the training examples have shape {tuple(train.inputs.shape[1:])}, the "
                f"preparation says {preparation.input_shape}."
            )

    @property
    def test(self) -> Dataset | None:
        """The test examples; their files are read at first use."""
        if callable(self._test):
            with reading(self.source, DataError):
                self._test = self._test(self.notes)
        return self._test

    @property
    def has_test(self) -> bool:
        """Whether there are test examples, without reading them."""
        return self._test is not None

    @property
    def kind(self) -> str:
        """``"pictures"``, ``"table"`` or ``"arrays"``."""
        return self.preparation.kind

    @property
    def target(self) -> Target:
        """What the labels are."""
        return self.preparation.target

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example, without the batch axis."""
        return self.preparation.input_shape

    def facts(self) -> dict[str, Any]:
        """Return what the data are, as plain data; the test's size only if it has been read."""
        return {
            "source": self.source,
            "kind": self.kind,
            "input_shape": list(self.input_shape),
            "train": len(self.train),
            "validation": 0 if self.validation is None else len(self.validation),
            "test": len(self._test)
            if isinstance(self._test, Dataset)
            else None
            if self.has_test
            else 0,
            "notes": list(self.notes),
        }

    @override
    def __repr__(self) -> str:
        sizes = [f"{len(self.train):,} training"]
        if self.validation is not None:
            sizes.append(f"{len(self.validation):,} validation")
        if isinstance(self._test, Dataset):
            sizes.append(f"{len(self._test):,} test")
        elif self.has_test:
            sizes.append("unread test")
        return f"Splits({self.source}: {', '.join(sizes)} examples of shape {self.input_shape})"
