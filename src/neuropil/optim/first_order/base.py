"""Base class of the first-order optimisers; the update itself is torch's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch
from typing_extensions import override

from neuropil.optim.optimizer_options import CheckedOptions, some_parameters

if TYPE_CHECKING:
    from torch.optim.optimizer import ParamsT


class FirstOrder(CheckedOptions, torch.optim.Optimizer):
    """An optimiser whose step takes the gradient from each parameter's ``grad``.

    Args:
        params: Parameters, or groups of them as dicts with options of their own.
        **options: The optimiser's own options, and those of torch's.

    Raises:
        ValueError: If an option is out of its range, or ``params`` is empty.
    """

    needs: Literal["gradient"] = "gradient"

    def __init__(self, params: ParamsT, **options: Any) -> None:
        self.check(options)  # before torch does, with our own messages
        initialize: Any = super().__init__
        given = some_parameters(type(self).__name__, params)
        # An optimiser of torch takes its options by name, their base class takes one dict.
        if initialize.__func__ is torch.optim.Optimizer.__init__:
            initialize(given, options)
        else:
            initialize(given, **options)

    @override
    def add_param_group(self, param_group: dict[str, Any]) -> None:
        self.check({**self.defaults, **param_group})
        super().add_param_group(param_group)

    @override
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients.

        Args:
            set_to_none: Set the gradients to None; otherwise fill them with zeros.
        """
        if not set_to_none:
            super().zero_grad(set_to_none=False)
            return
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None
