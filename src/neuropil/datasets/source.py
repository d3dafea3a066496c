"""Sources of examples, which are fetched when asked for: a set need not fit in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from neuropil.core.shape import Shape


class Batch(NamedTuple):
    """Examples that were fetched together.

    Attributes:
        inputs: ``(N, ...)``, channels first; padded on the right if the sizes differ. A tuple
            of tensors for a network with several inputs.
        targets: One target per example along axis 0, or None if there are none.
        mask: ``(N, H, W)`` or ``(N, L)``, 1 for content and 0 for padding; None if nothing is
            padded.
    """

    inputs: Tensor
    targets: Tensor | None
    mask: Tensor | None = None

    def inputs_for(self, count: int) -> Tensor | tuple[Tensor, Tensor]:
        """Return the inputs of a network, with the mask if it takes a second input.

        Args:
            count: Number of inputs of the network.
        """
        if self.mask is None or count != 2:
            return self.inputs
        return self.inputs, self.mask


@runtime_checkable
class Source(Protocol):
    """Examples that are fetched when they are asked for.

    A `Dataset` is a source that is in memory. Fetching has no side effects, so that worker
    processes can do it, and any process gets the same examples. It may have an attribute
    ``weights``, one number per example: the weight of its loss.

    Attributes:
        targets: The targets of all examples, known without decoding an input; None if there
            are none.
        names: One name per example, such as that of its file, or None.
        input_shape: Shape of an example; None in the place of a size that varies.
        fingerprint: Text that differs if the examples differ; a resumed training compares it.
    """

    @property
    def targets(self) -> Tensor | None: ...
    @property
    def names(self) -> Sequence[str] | None: ...
    @property
    def input_shape(self) -> Shape: ...
    @property
    def fingerprint(self) -> str: ...

    def __len__(self) -> int: ...

    def size_of(self, index: int) -> tuple[int, ...]:
        """Return the sizes of the axes of an example after the first, without decoding it.

        Args:
            index: The place of the example.
        """
        ...

    def fetch(self, indices: Sequence[int]) -> Batch:
        """Return examples as a batch.

        Args:
            indices: Their places; the batch has their order.
        """
        ...

    def __getitem__(self, key: slice | Tensor | Sequence[int]) -> Source:
        """Return the source of some of the examples.

        Args:
            key: A slice, or their places.
        """
        ...
