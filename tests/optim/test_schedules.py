"""Schedules against their formulas and against torch's schedulers."""

import copy
import inspect
import io
import itertools
import math
import pickle
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import nn
from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from neuropil import optim
from neuropil.lazy import public_names
from neuropil.optim import (
    Adam,
    GradientDescent,
    Momentum,
    cosine_decay,
    exponential_decay,
    linear_decay,
    one_cycle,
    polynomial_decay,
    schedules,
    step_decay,
    warmup,
)
from neuropil.optim.torch_schedulers import interval_of

PLAIN = (step_decay, exponential_decay, polynomial_decay, linear_decay, cosine_decay, one_cycle)
EVERY = (*PLAIN, warmup)
LR = 0.4
every_schedule = pytest.mark.parametrize("schedule", EVERY)


def descent(*rates: float) -> GradientDescent:
    groups = [{"params": [nn.Parameter(torch.ones(1))], "lr": lr} for lr in rates or (LR,)]
    return GradientDescent(groups)


def run(scheduler: LRScheduler, length: int) -> list[float]:
    optimizer = scheduler.optimizer
    rates = []
    for _ in range(length):
        rates.append(optimizer.param_groups[0]["lr"])
        assert scheduler.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
        optimizer.step()
        scheduler.step()
    return rates


def test_every_public_schedule_is_tested():
    names = {schedule.__name__ for schedule in EVERY}
    assert names == {*public_names(optim, ".schedule")}


@pytest.mark.parametrize(
    ("schedule", "options", "formula"),
    [
        (step_decay, {"factor": 0.3}, lambda t, n: LR * 0.3 ** (t // n)),
        (exponential_decay, {"factor": 0.3}, lambda t, n: LR * 0.3 ** (t / n)),
        (
            polynomial_decay,
            {"power": 3, "minimum": 0.1},
            lambda t, n: 0.1 + 0.3 * (1 - min(t, n) / n) ** 3,
        ),
        (linear_decay, {"minimum": 0.1}, lambda t, n: 0.1 + 0.3 * (1 - min(t, n) / n)),
        (
            cosine_decay,
            {"minimum": 0.1},
            lambda t, n: 0.1 + 0.3 * (1 + math.cos(math.pi * min(t, n) / n)) / 2,
        ),
        (warmup, {"start": 0.2}, lambda t, n: LR * (0.2 + 0.8 * min(t, n) / n)),
    ],
)
@pytest.mark.parametrize("length", [1, 2, 7])
def test_the_formula(schedule, options: dict[str, Any], formula, length: int):
    expected = [formula(t, length) for t in range(20)]
    scheduler = schedule(descent(), steps=length, **options)
    assert scheduler.rates(20) == pytest.approx(expected, abs=1e-12)
    assert run(scheduler, 20) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("ours", "torchs"),
    [
        (
            lambda a: step_decay(a, steps=4, factor=0.5),
            lambda a: lr_scheduler.StepLR(a, 4, gamma=0.5),
        ),
        (
            lambda a: exponential_decay(a, steps=4, factor=0.5),
            lambda a: lr_scheduler.ExponentialLR(a, 0.5**0.25),
        ),
        (
            lambda a: polynomial_decay(a, steps=10, power=1.5),
            lambda a: lr_scheduler.PolynomialLR(a, 10, power=1.5),
        ),
        (
            lambda a: linear_decay(a, steps=10, minimum=LR / 4),
            lambda a: lr_scheduler.LinearLR(a, 1.0, 0.25, total_iters=10),
        ),
        (
            lambda a: cosine_decay(a, steps=11, minimum=0.01),
            lambda a: lr_scheduler.CosineAnnealingLR(a, 11, eta_min=0.01),
        ),
        (
            lambda a: one_cycle(a, steps=20, rise=0.25),
            lambda a: lr_scheduler.OneCycleLR(
                a, LR, total_steps=20, pct_start=0.25, cycle_momentum=False
            ),
        ),
        (
            lambda a: warmup(a, steps=5, start=0.1),
            lambda a: lr_scheduler.LinearLR(a, 0.1, 1.0, total_iters=5),
        ),
    ],
    ids=[schedule.__name__ for schedule in EVERY],
)
def test_the_same_rates_as_torch(
    ours: Callable[..., LRScheduler], torchs: Callable[..., LRScheduler]
):
    # Torch's cosine rises again after its 11 steps.
    assert run(ours(descent()), 12) == pytest.approx(run(torchs(descent()), 12), rel=1e-9)


@pytest.mark.parametrize("rise", [0.3, 0.25, 0.5, 0.07])
@pytest.mark.parametrize("length", [2, 3, 5, 7, 19, 20, 100, 1000])
def test_a_cycle_is_torchs_up_to_its_last_step(length: int, rise: float):
    if rise * length == 1:
        pytest.skip("torch divides by zero where the rise is one step long")
    optimizer = Momentum([nn.Parameter(torch.ones(1))], lr=LR, momentum=0.9)
    other = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=LR, momentum=0.9)
    mine = one_cycle(optimizer, steps=length, rise=rise)
    torchs = lr_scheduler.OneCycleLR(other, LR, total_steps=length, pct_start=rise)
    for _ in range(length - 1):
        for name in ("lr", "momentum"):
            got, expected = optimizer.param_groups[0][name], other.param_groups[0][name]
            assert got == pytest.approx(expected, rel=1e-9)
        for each, scheduler in ((optimizer, mine), (other, torchs)):
            each.step()
            scheduler.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(other.param_groups[0]["lr"])
    assert optimizer.param_groups[0]["lr"] == pytest.approx(LR * 4e-6)
    mine.step()  # where torch's ends in an error, ours stays
    assert optimizer.param_groups[0]["lr"] == pytest.approx(LR * 4e-6)


def test_a_rise_of_one_step_starts_at_the_peak():
    assert one_cycle(descent(), steps=4, rise=0.25).rates(1) == [LR]


def test_a_cycle_touches_no_momentum_that_is_not_there():
    optimizer = descent()
    run(one_cycle(optimizer, steps=4), 6)
    assert optimizer.param_groups[0]["momentum"] == 0
    adam = Adam([nn.Parameter(torch.ones(1))])
    run(one_cycle(adam, steps=4, momentum=None), 6)
    assert adam.param_groups[0]["betas"] == (0.9, 0.999)
    run(one_cycle(adam, steps=4), 6)
    assert adam.param_groups[0]["betas"] == (0.95, 0.999)


@every_schedule
@pytest.mark.parametrize("unit", ["steps", "epochs"])
def test_a_schedule_says_what_it_counts(schedule, unit: str):
    scheduler = schedule(descent(), **{unit: 3})
    assert scheduler.interval == unit[:-1]
    assert interval_of(scheduler) == unit[:-1]
    assert isinstance(scheduler, LRScheduler)


@every_schedule
def test_a_schedule_holds_after_its_end_or_goes_on_down(schedule):
    rates = run(schedule(descent(), steps=5), 40)
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates[6:]))
    assert all(0 <= rate <= LR for rate in rates)


@every_schedule
def test_every_group_keeps_its_proportion(schedule):
    optimizer = descent(LR, LR / 8)
    scheduler = schedule(optimizer, steps=6)
    for _ in range(9):
        first, second = (group["lr"] for group in optimizer.param_groups)
        assert second == pytest.approx(first / 8)
        optimizer.step()
        scheduler.step()


def test_the_minimum_is_a_rate_whatever_the_group_starts_from():
    optimizer = descent(LR, LR / 8)
    run(cosine_decay(optimizer, steps=3, minimum=0.02), 5)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.02, 0.02])


@every_schedule
@pytest.mark.parametrize("before", [0, 1, 3, 8])
def test_a_loaded_state_continues_exactly(schedule, before: int):
    def make() -> tuple[Momentum, LRScheduler]:
        optimizer = Momentum([nn.Parameter(torch.ones(1))], lr=LR)
        options = {"then": cosine_decay(optimizer, steps=4)} if schedule is warmup else {}
        return optimizer, schedule(optimizer, steps=5, **options)

    optimizer, scheduler = make()
    run(scheduler, before)
    file = io.BytesIO()
    torch.save([optimizer.state_dict(), scheduler.state_dict()], file)
    expected = run(scheduler, 12)
    file.seek(0)
    resumed, again = make()
    states = torch.load(file, weights_only=True)
    resumed.load_state_dict(states[0])
    again.load_state_dict(states[1])
    assert run(again, 12) == expected
    assert resumed.state_dict()["param_groups"] == optimizer.state_dict()["param_groups"]


@every_schedule
def test_copies_and_pickles_continue(schedule):
    scheduler = schedule(descent(), steps=5)
    run(scheduler, 3)
    twins = copy.deepcopy(scheduler), pickle.loads(pickle.dumps(scheduler))
    expected = run(scheduler, 5)
    for twin in twins:
        assert run(twin, 5) == expected


@settings(deadline=None, max_examples=50)
@given(
    steps=st.integers(1, 12),
    after=st.integers(1, 12),
    start=st.floats(0, 1),
    minimum=st.floats(0, LR),
)
def test_a_warmup_goes_over_into_what_follows(steps, after, start, minimum):
    optimizer = descent()
    decay = cosine_decay(optimizer, steps=after, minimum=minimum)
    scheduler = warmup(optimizer, steps=steps, start=start, then=decay)
    expected = [LR * (start + (1 - start) * t / steps) for t in range(steps)]
    expected += cosine_decay(descent(), steps=after, minimum=minimum).rates(15)
    assert scheduler.rates(steps + 15) == pytest.approx(expected)
    assert run(scheduler, steps + 15) == pytest.approx(expected)


def test_a_warmup_leads_to_where_a_cycle_starts():
    optimizer = descent()
    scheduler = warmup(optimizer, steps=4, start=0, then=one_cycle(optimizer, steps=4))
    assert run(scheduler, 5) == pytest.approx([0, LR / 100, LR / 50, LR * 3 / 100, LR / 25])


@pytest.mark.parametrize(
    "make",
    [
        lambda a: lr_scheduler.CosineAnnealingWarmRestarts(a, 3),
        lambda a: lr_scheduler.CosineAnnealingLR(a, 5),
        lambda a: lr_scheduler.ExponentialLR(a, 0.5),
    ],
)
def test_torchs_schedules_follow_a_warmup(make: Callable[..., LRScheduler]):
    optimizer = descent()
    scheduler = warmup(optimizer, epochs=3, start=0.5, then=make(optimizer))
    got = run(scheduler, 9)
    assert got[:3] == pytest.approx([LR * 0.5, LR * 2 / 3, LR * 5 / 6])
    assert got[3:] == pytest.approx(run(make(descent()), 6))
    assert scheduler.rates(3) == pytest.approx(got[:3])
    with pytest.raises(TypeError, match="cannot tell its rates beforehand"):
        scheduler.rates(4)


def test_what_cannot_follow_a_warmup_is_refused():
    optimizer = descent()
    with pytest.raises(ValueError, match=r"warmup counts steps but `then` counts epochs"):
        warmup(optimizer, steps=3, then=cosine_decay(optimizer, epochs=5))
    with pytest.raises(ValueError, match="`then` is a schedule of another optimiser"):
        warmup(optimizer, steps=3, then=cosine_decay(descent(), steps=5))
    with pytest.raises(ValueError, match="cannot be ReduceLROnPlateau, which needs a metric"):
        warmup(optimizer, epochs=3, then=lr_scheduler.ReduceLROnPlateau(optimizer))


def test_a_rate_in_a_tensor_is_changed_in_place():
    rate = torch.tensor(LR)
    optimizer = Adam([nn.Parameter(torch.ones(1))], lr=rate, foreach=False)
    scheduler = linear_decay(optimizer, steps=4)
    for _ in range(2):
        optimizer.step()
        scheduler.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(LR / 2)


@every_schedule
def test_steps_in_the_wrong_order_are_said(schedule):
    scheduler = schedule(descent(), steps=5)
    with pytest.warns(UserWarning, match=r"lr_scheduler.step\(\)` before `optimizer.step"):
        scheduler.step()


@every_schedule
def test_exactly_one_length_is_taken(schedule):
    name = schedule.__name__
    with pytest.raises(ValueError, match=f"{name} takes either `steps` or `epochs`.*neither"):
        schedule(descent())
    with pytest.raises(ValueError, match=f"{name} takes either `steps` or `epochs`.*both"):
        schedule(descent(), steps=3, epochs=3)
    for length in (0, -1, 2.5, "ten"):
        with pytest.raises(ValueError, match=f"{name}: `epochs` must be a whole number from 1"):
            schedule(descent(), epochs=length)


@pytest.mark.parametrize(
    ("schedule", "options", "message"),
    [
        (step_decay, {"factor": 0}, r"`factor` must be a number in \(0, 1\], got 0"),
        (exponential_decay, {"factor": 1.5}, r"`factor` must be a number in \(0, 1\], got 1.5"),
        (step_decay, {"factor": math.nan}, r"`factor` must be a number in \(0, 1\], got nan"),
        (polynomial_decay, {"power": 0}, r"`power` must be a number in \(0, inf\), got 0"),
        (linear_decay, {"minimum": 0.5}, r"`minimum` must be a number in \[0, 0.4\], got 0.5"),
        (cosine_decay, {"minimum": -0.1}, "`minimum` must be a number in .*, got -0.1"),
        (warmup, {"start": 1.5}, r"`start` must be a number in \[0, 1\], got 1.5"),
        (one_cycle, {"rise": 1.0}, r"`rise` must be a number in \[0, 1\), got 1.0"),
        (one_cycle, {"end": -1}, r"`end` must be a number in \[0, 1\], got -1"),
        (one_cycle, {"momentum": (0.9, 0.8)}, "`momentum` must be .lowest, highest."),
    ],
)
def test_a_wrong_option_is_refused(schedule, options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=f"{schedule.__name__}: {message}"):
        schedule(descent(), steps=3, **options)


@every_schedule
def test_every_option_is_documented(schedule):
    doc = inspect.getdoc(schedule) or ""
    for name in inspect.signature(schedule).parameters:
        assert f"{name}:" in doc


@every_schedule
def test_schedules_are_found_by_name(schedule):
    name = schedule.__name__
    assert schedules.by_name(name) is schedule
    assert schedules.by_name(name.removesuffix("_decay")) is schedule
    with pytest.raises(ValueError, match=f"no schedule '{name}x'. Did you mean"):
        schedules.by_name(f"{name}x")


@every_schedule
@pytest.mark.parametrize("length", [1, 2, 100])
def test_a_schedule_fits_a_training(schedule, length: int):
    scheduler = schedules.for_training(schedule.__name__, descent(), epochs=length)
    rates = scheduler.rates(length + 1)
    assert scheduler.interval == "epoch"
    if length == 100:
        assert max(rates) == pytest.approx(LR)
        assert rates[-1] <= LR / 99
        assert sorted(rates[30:], reverse=True) == rates[30:]
