"""A module's twin without numbers: what is run in its place, so that nothing of it changes."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from typing_extensions import TypeIs

from neuropil.core import Layer, Network


def is_foreign(network: object) -> TypeIs[nn.Module]:
    """Tell whether a network is a plain PyTorch module, and neither network nor layer."""
    return isinstance(network, nn.Module) and not isinstance(network, Network | Layer)


def unwrap(module: nn.Module) -> nn.Module:
    """Return what `torch.compile` and the wrappers of data parallelism stand around.

    Raises:
        TypeError: When the module is TorchScript, which shows nothing of what it does.
        ValueError: When its parameters have no shape yet.
    """
    while True:
        if isinstance(module, torch.jit.ScriptModule):
            raise TypeError(
                "a TorchScript module hides what it runs: give the module it was made from."
            )
        inner = getattr(module, "_orig_mod", None)
        wrappers = (nn.DataParallel, nn.parallel.DistributedDataParallel)
        inner = module.module if isinstance(module, wrappers) else inner
        if not isinstance(inner, nn.Module):
            break
        module = inner
    for name, parameter in module.named_parameters():
        if is_lazy(parameter):
            raise ValueError(f"{name!r} has no shape yet: run the module once.")
    return module


def twin_on_meta(module: nn.Module) -> nn.Module:
    """Return a copy on the meta device; what its tensors hold is never copied."""
    copies: dict[int, Any] = {}
    for part in module.modules():
        own = vars(part)
        for parameter in own["_parameters"].values():
            if parameter is not None and id(parameter) not in copies:
                copies[id(parameter)] = twin_parameter(parameter)
        # Tensors that are plain attributes, or stand in lists as an LSTM's weights do.
        for value in (*own["_buffers"].values(), *own.values()):
            for tensor in value if isinstance(value, list) else (value,):
                if isinstance(tensor, Tensor) and id(tensor) not in copies:
                    copies[id(tensor)] = twin_tensor(tensor)
    return copy_module(module, copies)


def copy_module(module: nn.Module, copies: dict[int, Any]) -> nn.Module:
    """Return a copy of a module; attributes that cannot be copied are shared.

    Args:
        module: The module.
        copies: What stands in place of which object, by its identity.
    """
    try:
        return copy.deepcopy(module, dict(copies))
    except Exception:  # noqa: BLE001, RUF100 - locks, handles and the like raise as they please
        pass
    parts = [*module.modules()]
    copies |= {id(part): object.__new__(type(part)) for part in parts}
    for part in parts:
        own = vars(copies[id(part)])
        for name, value in vars(part).items():
            try:
                own[name] = copy.deepcopy(value, copies)
            except Exception:  # noqa: BLE001, RUF100
                own[name] = value
    return copies[id(module)]


def twin_parameter(parameter: nn.Parameter) -> nn.Parameter:
    """Return a parameter like another one, without numbers."""
    return nn.Parameter(twin_tensor(parameter), requires_grad=parameter.requires_grad)


def twin_tensor(tensor: Tensor) -> Tensor:
    """Return a tensor like another one, without numbers."""
    if tensor.layout is torch.strided and tensor.is_contiguous():
        # On the meta device `empty_like` loads SymPy, which takes a third of a second.
        return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
    return torch.empty_like(tensor, device="meta", requires_grad=False)


def names_of(module: nn.Module) -> dict[int, str]:
    """Return the name of each part by its identity; the whole is called by its class."""
    names = {id(part): name for name, part in module.named_modules()}
    names[id(module)] = ""
    return names
