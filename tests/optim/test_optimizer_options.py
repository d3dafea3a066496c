"""Every option of every optimiser and schedule is used or refused."""

import inspect
import math

import pytest
import torch

from neuropil import optim
from neuropil.optim import schedules
from neuropil.optim.optimizer_options import check_options

NO_OPTION = {"self", "params", "options", "draw"}
WRONG = ("bad", math.nan, -1, (), [1, 2, 3], {}, object(), 1j, b"1")
THROUGH = ("maximize", "foreach", "differentiable")  # passed on to torch
TAKEN_BY_TORCH = {("GradientDescent", "capturable"), ("Momentum", "capturable")}


def every_algorithm():
    found = [getattr(optim, name) for name in sorted(optim.__all__)]
    return [c for c in found if inspect.isclass(c) and issubclass(c, torch.optim.Optimizer)]


def weight():
    return torch.nn.Parameter(torch.ones(2))


def options_of(function):
    return [name for name in inspect.signature(function).parameters if name not in NO_OPTION]


CASES = [
    (optimizer, option)
    for optimizer in every_algorithm()
    for option in (
        *options_of(optimizer.__init__),
        *(THROUGH if "options" in inspect.signature(optimizer.__init__).parameters else ()),
    )
]


def test_the_discovery_finds_all_families():
    names = {optimizer.__name__ for optimizer, _ in CASES}
    assert {"Adam", "RPROP", "IRPROPPlus", "LevenbergMarquardt", "HessianDiagonal"} <= names
    assert ("Adam", "maximize") in {(optimizer.__name__, option) for optimizer, option in CASES}


@pytest.mark.parametrize(
    ("optimizer", "option"), CASES, ids=[f"{a.__name__}-{o}" for a, o in CASES]
)
def test_a_wrong_value_is_refused_by_name(optimizer, option):
    for value in WRONG:
        with pytest.raises(ValueError, match=f"`{option}` must be"):
            optimizer([weight()], **{option: value})


@pytest.mark.parametrize("optimizer", every_algorithm(), ids=lambda a: a.__name__)
def test_a_group_cannot_have_a_wrong_value_either(optimizer):
    option = options_of(optimizer.__init__)[0]
    with pytest.raises(ValueError, match=option):
        optimizer([{"params": [weight()], option: "bad"}])


SCHEDULES = [
    (make, option)
    for make in schedules.SCHEDULES.values()
    for option in options_of(make)
    if option not in ("optimizer", "steps", "epochs", "then")
]


@pytest.mark.parametrize(
    ("make", "option"), SCHEDULES, ids=[f"{m.__name__}-{o}" for m, o in SCHEDULES]
)
def test_a_wrong_value_of_a_schedule_is_refused_by_name(make, option):
    for value in (*WRONG, 2 if option != "power" else 0):
        if value == () and option == "momentum":
            continue
        with pytest.raises(ValueError, match=f"{make.__name__}: `{option}` must be"):
            make(torch.optim.SGD([weight()], lr=1.0), steps=4, **{option: value})


@pytest.mark.parametrize("make", schedules.SCHEDULES.values())
@pytest.mark.parametrize("value", WRONG)
def test_a_length_that_is_none_is_refused(make, value):
    for kind in ("steps", "epochs"):
        with pytest.raises(ValueError, match=f"{make.__name__}: `{kind}`"):
            make(torch.optim.SGD([weight()], lr=1.0), **{kind: value})


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize("make", [optim.l1, optim.l2, optim.maxnorm])
def test_a_wrong_rate_of_a_regularizer_is_refused(make, value):
    with pytest.raises(ValueError, match=make.__name__):
        make(value)


@pytest.mark.parametrize("value", ["bad", 1, None, math.nan])
@pytest.mark.parametrize("make", [optim.l1, optim.l2, optim.maxnorm])
def test_whether_biases_count_is_true_or_false(make, value):
    with pytest.raises(ValueError, match="`biases` must be True or False"):
        make(0.1, biases=value)


def test_text_is_not_a_number_and_neither_is_true():
    for value in ("0.1", True):
        with pytest.raises(ValueError, match=r"scale: `lr` must be a number in \(0, inf\)"):
            check_options("scale", {"lr": value})
    check_options("scale", {"lr": torch.tensor(0.1), "amsgrad": False, "foreach": None})
