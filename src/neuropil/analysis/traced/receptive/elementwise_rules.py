"""Receptive-field rules of elementwise operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.analysis.traced.receptive.operands import (
    Operands,
    merge_all,
    merge_values,
    values_in,
)
from neuropil.analysis.traced.receptive.view_shapes import with_shape

if TYPE_CHECKING:
    from neuropil.analysis.traced.receptive.operands import Result


def elementwise(operands: Operands) -> Result:
    """Rule of elementwise operations: each result depends on the elements at its position."""
    return merge_values(operands, operands.values, operands.target)


def first_only(operands: Operands) -> Result:
    """Rule of operations that keep the field of their first argument, such as normalisation."""
    return merge_values(operands, [operands.x], operands.target)


def second_only(operands: Operands) -> Result:
    """Rule of overwriting: results depend on the new values alone."""
    return merge_values(operands, values_in(operands.step.args[1]), operands.target)


def loss(operands: Operands) -> Result:
    """Rule of losses: elementwise, or reduced over all positions."""
    if operands.target:
        return elementwise(operands)
    return merge_all(operands, operands.values, operands.target)


def fill(operands: Operands) -> Result:
    """Rule of filling: every result depends on the fill value."""
    return merge_values(operands, values_in(operands.argument(1, "value")), operands.target)


def sees_nothing(_taken: Operands) -> Result:
    """Rule of operations that create new tensors: nothing of the input is seen."""
    return None


def same_order(operands: Operands) -> Result:
    """Rule of views with another shape and the same order of elements."""
    return with_shape(operands.of(operands.x), operands.x.shape, operands.target)


def embedding(operands: Operands) -> Result:
    """Rule of embeddings: each vector depends on the index at its position."""
    value = operands.step.args[1]
    return with_shape(operands.of(value), value.shape, (*value.shape, 1))
