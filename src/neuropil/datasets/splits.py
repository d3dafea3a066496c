"""Training, validation and test examples with their preparation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from neuropil.core.prediction import fits
from neuropil.core.reading import reading
from neuropil.core.shape import format_shape
from neuropil.datasets.data_errors import DataError
from neuropil.notebook_html import facts, notebook_page
from neuropil.text import all_of, number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from neuropil.core.shape import Shape
    from neuropil.datasets.preparation import Preparation
    from neuropil.datasets.source import Source
    from neuropil.datasets.target import Target


@final
class Splits:
    """Training, validation and test examples with their preparation.

    Each part is a `Source`: a `Dataset` if its examples are in memory.

    Args:
        train: The training examples.
        validation: Examples held out to monitor the training, or None.
        test: Examples for the final test, or None; or a function that reads them on first use
            and may add to `notes`, its argument.
        preparation: Conversion of raw input to examples.
        source: Path or name of the data.
        notes: Notes for the user.

    Raises:
        DataError: If the examples do not have the shape of the preparation.

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
        train: Source,
        validation: Source | None = None,
        test: Source | Callable[[list[str]], Source] | None = None,
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
        if not fits(train.input_shape, preparation.input_shape):
            raise DataError(
                f"the training examples have shape {format_shape(train.input_shape)}, but the "
                f"preparation has {format_shape(preparation.input_shape)}."
            )

    @property
    def test(self) -> Source | None:
        """The test examples; their files are read when first used."""
        if callable(self._test):
            with reading(self.source, DataError):
                self._test = self._test(self.notes)
        return self._test

    @property
    def has_test(self) -> bool:
        """Whether there are test examples, without reading them."""
        return self._test is not None

    @property
    def parts(self) -> dict[str, Source]:
        """The parts that there are, by name, without a test that is not read yet."""
        test = None if callable(self._test) else self._test
        parts = {"train": self.train, "validation": self.validation, "test": test}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def kind(self) -> str:
        """``"pictures"``, ``"table"`` or ``"arrays"``."""
        return self.preparation.kind

    @property
    def target(self) -> Target:
        """The kind of labels: classes or numbers."""
        return self.preparation.target

    @property
    def input_shape(self) -> Shape:
        """Shape of one example, without the batch axis; None for a size that varies."""
        return self.preparation.input_shape

    def facts(self) -> dict[str, Any]:
        """Return a summary as plain data; the size of the test is None until it is read."""
        return {
            "source": self.source,
            "kind": self.kind,
            "input_shape": list(self.input_shape),
            "train": len(self.train),
            "validation": len(self.validation or ()),
            "test": None if callable(self._test) else len(self._test or ()),
            "notes": list(self.notes),
        }

    def sizes_in_words(self) -> list[str]:
        """Return the number of examples of each part, without reading the test."""
        sizes = [f"{len(self.train):,} training"]
        if self.validation is not None:
            sizes.append(f"{len(self.validation):,} validation")
        if callable(self._test):
            sizes.append("unread test")
        elif self._test is not None:
            sizes.append(f"{len(self._test):,} test")
        return sizes

    @override
    def __repr__(self) -> str:
        sizes = ", ".join(self.sizes_in_words())
        return f"Splits({self.source}: {sizes} examples of shape {self.input_shape})"

    def _repr_html_(self) -> str:
        labels = getattr(self.target, "classes", self.target.names)
        pairs = {
            "Data": self.source,
            "Examples": " · ".join(self.sizes_in_words()),
            "Shape": format_shape(self.input_shape),
            "Target": ": ".join([self.target.kind, *[some_of(labels)] * bool(labels)]),
            "Notes": " ".join(self.notes),
        }
        return notebook_page(facts((title, text) for title, text in pairs.items() if text))


def duplicates_in_words(
    counts: Mapping[str, int], held_out: Mapping[str, Any], noun: str
) -> str | None:
    """Return how many held-out examples are training examples too, in words; None if none is.

    Args:
        counts: Their number in each part.
        held_out: The held-out parts by name.
        noun: What an example is.

    Example:
        >>> duplicates_in_words({"test": 2}, {"test": range(9)}, "row")
        'Duplicates: 2 of 9 test rows equal a training row'
    """
    each = [
        f"{count:,} of {number_of(len(held_out[name]), f'{name} {noun}')}"
        for name, count in counts.items()
        if count
    ]
    return f"Duplicates: {all_of(each)} equal a training {noun}" if each else None
