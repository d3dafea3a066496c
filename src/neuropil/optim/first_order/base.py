"""Base class of the first-order optimisers; the update itself is torch's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from typing_extensions import override

from neuropil.optim.optimizer_options import RULES, check_options, some_parameters

if TYPE_CHECKING:
    from neuropil.checks import Rules


class FirstOrder(torch.optim.Optimizer):
    """An optimiser whose step takes the gradient from each parameter's ``grad``."""

    needs: Literal["gradient"] = "gradient"
    # The rule that each option must satisfy; a subclass adds the rules of its own options.
    rules: ClassVar[Rules] = RULES

    def prepare(self, params: Any, options: dict[str, Any], **others: Any) -> Any:
        """Check the options before torch does, with our own messages; return the parameters."""
        check_options(type(self).__name__, options | others, self.rules)
        return some_parameters(type(self).__name__, params)

    @override
    def add_param_group(self, param_group: dict[str, Any]) -> None:
        check_options(type(self).__name__, {**self.defaults, **param_group}, self.rules)
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
