"""The libraries of reference networks, where they happen to be installed."""

import contextlib
import importlib
import warnings
from types import ModuleType

import pytest
import torch

# torchvision registers what it adds to operators that only its compiled part declares, and a
# part compiled for another build of torch does not load. No network here calls them.
DECLARED = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}

declared: list[torch.library.Library] = []


def torchvision() -> ModuleType:
    """Return torchvision, or skip the test where it is not installed."""
    return imported("torchvision")


def timm() -> ModuleType:
    """Return timm, or skip the test where it or torchvision is not installed."""
    imported("torchvision")
    return imported("timm")


def imported(name: str) -> ModuleType:
    """Import a library beside whichever torch there is, or skip."""
    declare()
    with warnings.catch_warnings():
        # What they say about each other's versions is not about us.
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ImportError as error:
            pytest.skip(f"{name} is not installed: {error}")


def declare() -> None:
    """Declare the operators that torchvision takes for granted, unless they are there."""
    if declared:
        return
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name, schema in DECLARED.items():
        with contextlib.suppress(RuntimeError):
            library.define(name + schema)
    # The operators last as long as the library that declares them.
    declared.append(library)
