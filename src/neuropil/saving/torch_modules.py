"""Modules of ``torch.nn`` as plain data: the class, from a fixed table, and its arguments."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from typing import Any, NoReturn

import torch
from torch import nn

from neuropil.checks import shown

# Layers with one tensor in and one out, whose constructor's arguments are their attributes. No
# other name in a file is looked up.
NAMES = """
Identity Linear Embedding Flatten Unflatten
Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d
MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d
AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d
AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d
BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d InstanceNorm3d
LayerNorm GroupNorm RMSNorm LocalResponseNorm
Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout
ReLU ReLU6 LeakyReLU PReLU RReLU ELU SELU CELU GELU SiLU Mish GLU Hardtanh Threshold
Sigmoid LogSigmoid Hardsigmoid Hardswish Tanh Tanhshrink Hardshrink Softshrink
Softplus Softsign Softmax LogSoftmax Softmin Softmax2d
Upsample UpsamplingNearest2d UpsamplingBilinear2d PixelShuffle PixelUnshuffle ChannelShuffle
ConstantPad1d ConstantPad2d ConstantPad3d ZeroPad1d ZeroPad2d ZeroPad3d
ReflectionPad1d ReflectionPad2d ReflectionPad3d
ReplicationPad1d ReplicationPad2d ReplicationPad3d
"""
CLASSES: dict[str, type[nn.Module]] = {name: getattr(nn, name) for name in NAMES.split()}
SEQUENTIAL = "Sequential"


def module_to_plain(module: nn.Module) -> dict[str, Any]:
    """Return a module of `torch.nn`, or a `Sequential` of them, as plain data.

    Raises:
        ValueError: When its constructor would not make it again.
    """
    if type(module) is nn.Sequential:
        with_weights = [part for part in module if [*part.parameters()]]
        if len({*map(id, with_weights)}) < len(with_weights):
            raise ValueError(f"{SEQUENTIAL} has a module twice, which cannot be saved.")
        parts = {name: module_to_plain(part) for name, part in module.named_children()}
        return {"torch": SEQUENTIAL, "arguments": parts}
    name = type(module).__name__
    if CLASSES.get(name) is not type(module):
        refuse(module)
    plain = {"torch": name, "arguments": arguments_of(module)}
    with torch.device("meta"):
        if facts(module_from_plain(plain)) != facts(module):
            refuse(module)
    return plain


def refuse(module: nn.Module) -> NoReturn:
    """Refuse a module that cannot be saved.

    Raises:
        ValueError: Always.
    """
    raise ValueError(
        f"Module: {shown(module)} is a {type(module).__name__}, which cannot be saved: only "
        f"layers of torch.nn that their constructor makes again, such as nn.Conv2d, and "
        f"nn.Sequential of them are. Write a layer class for it."
    )


def arguments_of(module: nn.Module) -> dict[str, Any]:
    """Return the arguments of a module's constructor, which are among its attributes.

    Raises:
        ValueError: When one of them is not plain data.
    """
    arguments: dict[str, Any] = {}
    for name, parameter in inspect.signature(type(module)).parameters.items():
        if not hasattr(module, name):  # device and dtype, and names of older versions
            continue
        value = getattr(module, name)
        if isinstance(parameter.default, bool) and not isinstance(value, bool):
            value = value is not None  # the bias itself, where True asked for one
        if not is_plain(value):
            refuse(module)
        arguments[name] = value
    return arguments


def is_plain(value: object) -> bool:
    """Return whether JSON has a value of this kind, or a list of such values."""
    if isinstance(value, tuple | list):
        return all(map(is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def facts(module: nn.Module) -> tuple[Any, ...]:
    """Return the properties that a module shares with its copy made by the constructor."""
    settings = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and name != "training"
    }
    shapes = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    return settings, shapes


def module_from_plain(plain: dict[str, Any]) -> nn.Module:
    """Return the module that plain data describes.

    Raises:
        ValueError: When it names another class.
    """
    name, arguments = plain["torch"], plain["arguments"]
    if name == SEQUENTIAL:
        parts = ((key, module_from_plain(part)) for key, part in arguments.items())
        return nn.Sequential(OrderedDict(parts))
    if name not in CLASSES:
        raise ValueError(f"{shown(name)} is not a layer of torch.nn that files may name")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in arguments.items()}
    return CLASSES[name](**values)
