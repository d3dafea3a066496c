"""Copies of a module on the meta device: they are run in its place and leave it unchanged."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from typing_extensions import TypeIs

from neuropil.core import Layer, Network


def is_foreign(network: object) -> TypeIs[nn.Module]:
    """Tell whether a network is a plain PyTorch module rather than a Network or a Layer."""
    return isinstance(network, nn.Module) and not isinstance(network, Network | Layer)


def unwrap(module: nn.Module) -> nn.Module:
    """Return the module inside `torch.compile` and the wrappers of data parallelism.

    Raises:
        TypeError: When the module is TorchScript, whose operations cannot be recorded.
        ValueError: When a lazy parameter has no shape yet.
    """
    while True:
        if isinstance(module, torch.jit.ScriptModule):
            raise TypeError(
                "a TorchScript module hides its operations: give the module it was made from."
            )
        inner = getattr(module, "_orig_mod", None)
        wrappers = (nn.DataParallel, nn.parallel.DistributedDataParallel)
        inner = module.module if isinstance(module, wrappers) else inner
        if not isinstance(inner, nn.Module):
            break
        module = inner
    for name, parameter in module.named_parameters():
        if is_lazy(parameter):
            raise ValueError(
                f"parameter {name!r} has no shape yet: run the module once on an input."
            )
    return module


def meta_replica(module: nn.Module) -> nn.Module:
    """Return a copy on the meta device, without ever copying the data of its tensors."""
    copies: dict[int, Any] = {}
    for part in module.modules():
        own = vars(part)
        for parameter in own["_parameters"].values():
            if parameter is not None and id(parameter) not in copies:
                copies[id(parameter)] = meta_parameter(parameter)
        # Tensors may also be plain attributes, or be held in lists like the weights of an LSTM.
        for value in (*own["_buffers"].values(), *own.values()):
            for tensor in value if isinstance(value, list) else (value,):
                if isinstance(tensor, Tensor) and id(tensor) not in copies:
                    copies[id(tensor)] = meta_tensor(tensor)
    return copy_module(module, copies)


def copy_module(module: nn.Module, copies: dict[int, Any]) -> nn.Module:
    """Return a copy of a module. Attributes that cannot be copied are shared with it.

    Args:
        module: The module.
        copies: Replacement of each object, by the object's id. It is used like deepcopy's memo.
    """
    try:
        return copy.deepcopy(module, dict(copies))
    except Exception:  # noqa: BLE001, RUF100 - locks, handles and others raise anything
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


def meta_parameter(parameter: nn.Parameter) -> nn.Parameter:
    """Return a parameter of the same shape and type on the meta device."""
    return nn.Parameter(meta_tensor(parameter), requires_grad=parameter.requires_grad)


def meta_tensor(tensor: Tensor) -> Tensor:
    """Return a tensor of the same shape and type on the meta device."""
    if tensor.layout is torch.strided and tensor.is_contiguous():
        # On the meta device `empty_like` loads SymPy, which takes a third of a second.
        return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
    return torch.empty_like(tensor, device="meta", requires_grad=False)


def names_of(module: nn.Module) -> dict[int, str]:
    """Return the name of each part by its id; the whole module has an empty name."""
    names = {id(part): name for name, part in module.named_modules()}
    names[id(module)] = ""
    return names
