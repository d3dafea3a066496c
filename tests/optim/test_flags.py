"""Options that are true or false, of optimisers: neither words nor numbers are."""

import inspect
import math

import numpy as np
import pytest
import torch

from neuropil import optim

FLAGS = [
    (name, option)
    for name in optim.__all__
    if isinstance(cls := getattr(optim, name), type) and issubclass(cls, torch.optim.Optimizer)
    for option, parameter in inspect.signature(cls).parameters.items()
    if str(parameter.annotation).startswith("bool")
]


def parameters() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.ones(2))]


def test_some_were_found():
    assert ("Adam", "amsgrad") in FLAGS
    assert len(FLAGS) >= 6


@pytest.mark.parametrize(("name", "option"), FLAGS)
@pytest.mark.parametrize("value", ["bad", math.nan, 1, [True]])
def test_another_value_is_refused_by_name(name, option, value):
    with pytest.raises(
        ValueError, match=f"{name}.*{option}.* must be True or False( or None)?, got"
    ):
        getattr(optim, name)(parameters(), **{option: value})


@pytest.mark.parametrize("option", ["maximize", "foreach", "fused", "capturable"])
def test_torchs_own_are_checked_too(option):
    with pytest.raises(
        ValueError, match=f"Adam: `{option}` must be True or False( or None)?, got 'no'"
    ):
        optim.Adam(parameters(), **{option: "no"})


def test_numpys_truth_values_and_none_are_right():
    assert optim.Adam(parameters(), amsgrad=np.True_, foreach=None).defaults["amsgrad"]
    optim.Hessian(parameters(), hessian_free=None)


@pytest.mark.parametrize("name", ["l1", "l2", "maxnorm"])
def test_regularisers_refuse_them_too(name):
    with pytest.raises(ValueError, match=f"{name}: `biases` must be True or False, got 'all'"):
        getattr(optim, name)(0.1, biases="all")
