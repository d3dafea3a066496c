"""What every optimiser, schedule and regulariser promises, tested by discovery.

A new one adds a row to `OPTIMIZERS`, `SCHEDULES` or `REGULARIZERS`; without it tests fail.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import io
import math
import pickle
import pkgutil
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neuropil import optim
from neuropil.layers import Input, Linear
from neuropil.optim import schedules
from neuropil.optim.optimizer_options import check_options
from neuropil.optim.optimizer_table import optimizers
from neuropil.optim.regularizers import Regularizer
from neuropil.training import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable


class Row(NamedTuple):
    """What an optimiser needs to arrive at the minimum of a small quadratic.

    Attributes:
        options: Its options; the defaults for those left out.
        steps: Steps to take.
        within: How far from the minimum it may end.
    """

    options: dict[str, Any]
    steps: int
    within: float = 1e-3


OPTIMIZERS = {
    "Adadelta": Row({"lr": 0.3, "eps": 1e-3}, 400),
    "Adagrad": Row({"lr": 1.0}, 200),
    "Adam": Row({"lr": 0.1}, 300),
    "AdamW": Row({"lr": 0.1, "weight_decay": 0.0}, 300),
    "Adamax": Row({"lr": 0.2}, 300),
    "ConjugateGradient": Row({}, 10),
    "GradientDescent": Row({"lr": 0.2}, 100),
    "Hessian": Row({}, 5),
    "HessianDiagonal": Row({}, 5),
    "IRPROPPlus": Row({"lr": 0.1}, 100),
    "LevenbergMarquardt": Row({}, 15),
    "Momentum": Row({"lr": 0.05}, 200),
    "QuasiNewton": Row({}, 15),
    "RMSProp": Row({"lr": 0.01, "alpha": 0.9}, 500, within=0.02),
    "RPROP": Row({"lr": 0.1}, 100),
}
PUBLIC = {
    name: thing
    for name in optim.__all__
    if inspect.isclass(thing := getattr(optim, name))
    and issubclass(thing, torch.optim.Optimizer)
}
every_optimizer = pytest.mark.parametrize("name", sorted(PUBLIC))

GOAL = torch.tensor([2.0, -1.0], dtype=torch.float64)
STEEPNESS = torch.tensor([1.0, 2.0], dtype=torch.float64)


def start() -> nn.Parameter:
    return nn.Parameter(torch.zeros(2, dtype=torch.float64))


def make(name: str, *params: nn.Parameter) -> Any:
    return PUBLIC[name](params, **OPTIMIZERS[name].options)


def take_steps(optimizer: Any, w: nn.Parameter, steps: int) -> Tensor:
    """Go down ½‖r‖² with r = STEEPNESS · (w − GOAL), as the optimiser asks for it."""

    def residuals() -> Tensor:
        return STEEPNESS * (w - GOAL)

    def loss() -> Tensor:
        return 0.5 * residuals().square().sum()

    for _ in range(steps):
        if optimizer.needs == "gradient":
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
        else:
            optimizer.step(residuals if optimizer.needs == "residuals" else loss)
    return w.detach().clone()


def defined(base: type) -> set[type]:
    """Return the classes of the package without a subclass: those that a user is to have."""
    for module in pkgutil.walk_packages(optim.__path__, "neuropil.optim."):
        importlib.import_module(module.name)
    waiting, found = [base], set()
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        if not cls.__subclasses__() and cls.__module__.startswith("neuropil.optim."):
            found.add(cls)
    return found


def test_every_optimizer_is_exported_and_has_a_row():
    assert defined(torch.optim.Optimizer) == set(PUBLIC.values())
    assert sorted(OPTIMIZERS) == sorted(PUBLIC)


@every_optimizer
def test_it_arrives_at_the_minimum_of_a_quadratic(name):
    w, row = start(), OPTIMIZERS[name]
    arrived = take_steps(make(name, w), w, row.steps)
    assert (arrived - GOAL).abs().max() <= row.within


@every_optimizer
def test_it_resumes_from_a_file_as_if_it_had_never_stopped(name):
    w = start()
    optimizer = make(name, w)
    take_steps(optimizer, w, 3)
    file = io.BytesIO()
    torch.save([w.detach(), optimizer.state_dict()], file)
    expected = take_steps(optimizer, w, 3)
    file.seek(0)
    place, state = torch.load(file, weights_only=True)
    resumed = nn.Parameter(place)
    again = PUBLIC[name]([resumed])
    again.load_state_dict(state)
    assert torch.equal(take_steps(again, resumed, 3), expected)


@every_optimizer
def test_copies_and_pickles_go_on_like_the_original(name):
    w = start()
    pair = (make(name, w), w)
    take_steps(*pair, 3)
    twins = copy.deepcopy(pair), pickle.loads(pickle.dumps(pair))
    expected = take_steps(*pair, 3)
    for twin in twins:
        assert torch.equal(take_steps(*twin, 3), expected)


@every_optimizer
def test_frozen_parameters_stay(name):
    w, frozen = start(), nn.Parameter(torch.ones(3, dtype=torch.float64), requires_grad=False)
    moved = take_steps(make(name, w, frozen), w, 3)
    assert frozen.tolist() == [1, 1, 1]
    assert not torch.equal(moved, start())


@every_optimizer
def test_the_trainer_finds_it_by_name_and_drives_it(name):
    known = next(key for key, cls in optimizers().items() if cls is PUBLIC[name])
    assert optim.by_name(known) is optim.by_name(name) is PUBLIC[name]
    x = torch.linspace(-1, 1, 32)[:, None]
    network = Input(1) >> Linear(1)
    trainer = Trainer(
        network, loss="squared_error", optimizer=known, seed=0, threads=1, progress=False
    )
    history = trainer.fit((x, 3 * x + 1), epochs=4, batch_size=32)
    assert history[-1]["loss"] < history[0]["loss"]


@every_optimizer
def test_it_says_what_it_needs_and_shows_its_options(name):
    optimizer = make(name, start())
    assert optimizer.needs in ("gradient", "closure", "residuals")
    shown = repr(optimizer)
    assert shown.startswith(f"{name} (")
    for option, value in OPTIMIZERS[name].options.items():
        assert f"    {option}: {value}\n" in shown


@every_optimizer
def test_its_documentation_has_the_sections_of_an_entry(name):
    sections = re.findall(r"^(\w+):$", inspect.getdoc(PUBLIC[name]) or "", re.MULTILINE)
    assert sections == ["Args", "Raises", "Reference", "Example"]


@every_optimizer
def test_no_parameters_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} got no parameters"):
        PUBLIC[name]([])


# Options

NO_OPTION = {"self", "params", "options", "draw"}
WRONG = ("bad", math.nan, -1, (), [1, 2, 3], {}, object(), 1j, b"1")
THROUGH = ("maximize", "foreach", "differentiable")  # passed on to torch


def options_of(function: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name not in NO_OPTION]


CASES = [
    (name, option)
    for name, cls in PUBLIC.items()
    for option in (
        *options_of(cls.__init__),
        *(THROUGH if "options" in inspect.signature(cls.__init__).parameters else ()),
    )
]
FLAGS = [
    (name, option)
    for name, cls in PUBLIC.items()
    for option, parameter in inspect.signature(cls).parameters.items()
    if str(parameter.annotation).startswith("bool")
]


def test_options_are_found():
    assert {("Adam", "maximize"), ("RPROP", "etas"), ("IRPROPPlus", "lr")} <= {*CASES}
    assert ("Adam", "amsgrad") in FLAGS
    assert len(FLAGS) >= 6


@pytest.mark.parametrize(("name", "option"), CASES)
def test_a_wrong_value_is_refused_by_name(name, option):
    for value in WRONG:
        with pytest.raises(ValueError, match=f"^{name}: `{option}` must be"):
            PUBLIC[name]([start()], **{option: value})


@every_optimizer
def test_a_group_cannot_have_a_wrong_value_either(name):
    option = options_of(PUBLIC[name].__init__)[0]
    with pytest.raises(ValueError, match=option):
        PUBLIC[name]([{"params": [start()], option: "bad"}])


@pytest.mark.parametrize(("name", "option"), FLAGS)
@pytest.mark.parametrize("value", ["bad", math.nan, 1, [True]])
def test_what_is_neither_true_nor_false_is_refused(name, option, value):
    with pytest.raises(
        ValueError, match=f"{name}: `{option}` must be True or False( or None)?, got"
    ):
        PUBLIC[name]([start()], **{option: value})


@pytest.mark.parametrize("option", ["maximize", "foreach", "fused", "capturable"])
def test_torchs_own_are_checked_too(option):
    with pytest.raises(
        ValueError, match=f"Adam: `{option}` must be True or False( or None)?, got 'no'"
    ):
        optim.Adam([start()], **{option: "no"})


def test_numpys_truth_values_and_none_are_right():
    assert optim.Adam([start()], amsgrad=np.True_, foreach=None).defaults["amsgrad"]
    optim.Hessian([start()], hessian_free=None)


def test_text_is_not_a_number_and_neither_is_true():
    for value in ("0.1", True):
        with pytest.raises(ValueError, match=r"scale: `lr` must be a number in \(0, inf\)"):
            check_options("scale", {"lr": value})
    check_options("scale", {"lr": torch.tensor(0.1), "amsgrad": False, "foreach": None})


# Schedules: options, and the rates at the first and the last of ten steps of a rate of 1.

SCHEDULES: dict[str, tuple[dict[str, Any], float, float]] = {
    "cosine_decay": ({"minimum": 0.1}, 1.0, 0.1),
    "exponential_decay": ({"factor": 0.5}, 1.0, 0.5),
    "linear_decay": ({"minimum": 0.2}, 1.0, 0.2),
    "one_cycle": ({"end": 0.25, "start": 0.5}, 0.5, 0.25),
    "polynomial_decay": ({"minimum": 0.3}, 1.0, 0.3),
    "step_decay": ({"factor": 0.1}, 1.0, 0.1),
    "warmup": ({"start": 0.5}, 0.5, 1.0),
}
MAKERS = {
    name: thing
    for name in optim.__all__
    if "optimizer" in inspect.signature(thing := getattr(optim, name)).parameters
}
every_schedule = pytest.mark.parametrize("name", sorted(MAKERS))


def test_every_schedule_has_a_row_and_a_name():
    assert sorted(SCHEDULES) == sorted(MAKERS)
    named = {maker.__name__: maker for maker in schedules.SCHEDULES.values()}
    assert named == MAKERS


@every_schedule
def test_it_leads_from_the_first_rate_to_the_last(name):
    options, first, last = SCHEDULES[name]
    schedule = MAKERS[name](torch.optim.SGD([start()], lr=1.0), steps=10, **options)
    rates = schedule.rates(11)
    assert (rates[0], rates[-1]) == pytest.approx((first, last))
    assert schedules.by_name(name) is MAKERS[name]


@every_schedule
def test_it_resumes_where_it_was(name):
    def fresh() -> Any:
        return MAKERS[name](torch.optim.SGD([start()], lr=1.0), steps=10, **SCHEDULES[name][0])

    def rates_of(schedule: Any, steps: int) -> list[float]:
        found = []
        for _ in range(steps):
            schedule.optimizer.step()
            schedule.step()
            found.append(schedule.get_last_lr()[0])
        return found

    one, two = fresh(), fresh()
    rates_of(one, 4)
    two.load_state_dict(pickle.loads(pickle.dumps(one.state_dict())))
    assert rates_of(two, 8) == rates_of(one, 8)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        (name, option)
        for name, maker in MAKERS.items()
        for option in options_of(maker)
        if option not in ("optimizer", "steps", "epochs", "then")
    ],
)
def test_a_wrong_value_of_a_schedule_is_refused_by_name(name, option):
    for value in (*WRONG, 2 if option != "power" else 0):
        if value == () and option == "momentum":
            continue
        with pytest.raises(ValueError, match=f"{name}: `{option}` must be"):
            MAKERS[name](torch.optim.SGD([start()], lr=1.0), steps=4, **{option: value})


@every_schedule
@pytest.mark.parametrize("value", WRONG)
def test_a_length_that_is_none_is_refused(name, value):
    for kind in ("steps", "epochs"):
        with pytest.raises(ValueError, match=f"{name}: `{kind}`"):
            MAKERS[name](torch.optim.SGD([start()], lr=1.0), **{kind: value})


# Regularisers: an amount that is right, and whether it changes the loss or the weights.

REGULARIZERS = {
    "balance": (0.5, "loss"),
    "l1": (0.5, "loss"),
    "l2": (0.5, "loss"),
    "maxnorm": (0.5, "weights"),
}
KINDS = {
    name: thing
    for name in optim.__all__
    if inspect.signature(thing := getattr(optim, name)).return_annotation == "Regularizer"
}
every_regularizer = pytest.mark.parametrize("name", sorted(KINDS))


def test_every_regularizer_has_a_row():
    assert sorted(REGULARIZERS) == sorted(KINDS)


@every_regularizer
def test_it_is_written_as_it_is_made_and_adds_up(name):
    amount, changes = REGULARIZERS[name]
    one = KINDS[name](amount, only="relu1")
    assert eval(repr(one), dict(KINDS)) == one
    assert one.penalizes is (changes == "loss")
    assert one.projects is (changes == "weights")
    assert (one + KINDS[name](amount)).terms == (*one.terms, *KINDS[name](amount).terms)
    assert isinstance(sum([one, one]), Regularizer)


@every_regularizer
@pytest.mark.parametrize("value", WRONG)
def test_a_wrong_amount_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^{name}: `(rate|limit)` must be a number in"):
        KINDS[name](value)


@pytest.mark.parametrize("value", ["bad", 1, None, math.nan, "all"])
@pytest.mark.parametrize("name", ["l1", "l2", "maxnorm"])
def test_whether_biases_count_is_true_or_false(name, value):
    with pytest.raises(ValueError, match=f"{name}: `biases` must be True or False, got"):
        KINDS[name](0.1, biases=value)


def test_only_optimisers_have_a_name_as_such():
    assert {"adamw", "sgd"} < {*optimizers()}
    assert all(issubclass(kind, torch.optim.Optimizer) for kind in optimizers().values())
