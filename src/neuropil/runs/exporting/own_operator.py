"""Operators of this library in an exported file, which other programs do not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class OwnOperator(NamedTuple):
    """An operator of this library, and what takes its place in an exported file.

    Attributes:
        operator: The operator, an overload of ``torch.ops``.
        in_torch: The same by operators of PyTorch, for ``.pt2`` files.
        in_onnx: Writes the same by operators of ONNX.
    """

    operator: Any
    in_torch: Callable[..., Any]
    in_onnx: Callable[..., Any]
