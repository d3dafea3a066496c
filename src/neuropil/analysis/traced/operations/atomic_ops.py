"""Which operations are taken as they are, and which are taken apart."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from neuropil.analysis.traced.operations.counting import formula_of
from neuropil.analysis.traced.operations.operation_names import name_of
from neuropil.analysis.traced.operations.output_shapes import RULES
from neuropil.analysis.traced.receptive.rules import BY_NAME

if TYPE_CHECKING:
    from torch._ops import OpOverload


@functools.cache
def is_whole(operation: OpOverload) -> bool:
    """Tell whether an operation is taken as it is even if it is made of others.

    What has a formula, or a rule for what it sees, is one thing to whoever asks.
    """
    if operation in RULES or formula_of(operation) is not None:
        return True
    name = name_of(operation)
    return name.space == "aten" and name.name in BY_NAME
