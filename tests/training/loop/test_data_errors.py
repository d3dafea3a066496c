"""Wrong data and wrong options: one clear line before anything is trained."""

import numpy as np
import pytest
import torch
from torch import nn

from neuropil.layers import Input, Linear
from neuropil.training import Trainer


def network(outputs=2):
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, outputs))


X = torch.randn(10, 3, generator=torch.Generator().manual_seed(0))
Y = torch.arange(10) % 2
BAD = X.clone()
BAD[7, 1] = float("nan")


def fit(data, check=None, *, net=None, epochs=1, batch_size=4, **options):
    trainer = Trainer(net or network(), progress=False, **({"threads": None} | options))
    trainer.fit(data, check, epochs=epochs, batch_size=batch_size)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((X[:0], Y[:0]), "the training data is empty"),
        ((X, Y[:9]), r"have 10, 9 examples: the numbers must be equal"),
        ((BAD, Y), "row 7 of the training inputs contains NaN or infinity"),
        ((X, BAD), "row 7 of the training targets contains NaN or infinity"),
        ((X, Y, Y, Y), r"\(inputs, targets, weights\), got 4 parts"),
        ((X, 3), "training targets need the examples along axis 0, got a single number"),
        ((X, np.array(["a"] * 10)), "training targets must be numbers, got an array of <U1"),
        (
            X,
            r"training data has no targets: give \(inputs, targets\), or a .*datasets.open",
        ),
        (
            "digits",
            r"must be \(inputs, targets\), a Dataset or an iterable .* got a str",
        ),
        (5, "iterable of rows or batches, got a int"),
        ([], "the training data contains no batches"),
        ([torch.ones(4, 3)], "training data has no targets"),
        (
            [3],
            r"must be \(inputs, targets\) with the examples along axis 0, got a single number",
        ),
        (((x, y) for x, y in [(X, Y)]), "is a generator, which can be read only once"),
        ((X, Y + 1), "training targets: .*numbered from 0 to 1, got class 2"),
        ((X, Y.float()), "training targets: "),
    ],
)
def test_training_data_that_cannot_be_used(data, message):
    with pytest.raises(ValueError, match=message):
        fit(data, loss=None if not isinstance(data, tuple) else "cross_entropy")


def test_validation_data_are_checked_before_the_training_begins():
    net = network()
    before = net[0].weight.clone()
    with pytest.raises(ValueError, match="row 7 of the validation inputs"):
        fit((X, Y), (BAD, Y), net=net)
    with pytest.raises(ValueError, match=r"validation targets: .*class"):
        fit((X, Y), (X, Y + 1), net=net)
    assert torch.equal(net[0].weight, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number from 1"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"batch_size": 0}, "batch_size must be a whole number from 1"),
        ({"loss": "cros_entropy"}, "cross_entropy"),
        ({"metrics": ["acuracy"]}, "accuracy"),
        ({"optimizer": "adm"}, "adam"),
        ({"accumulate": 0}, "accumulate` must be a whole number from 1"),
        ({"clip_norm": -1.0}, r"clip_norm` must be a number .*, got -1.0"),
        ({"ema": 1.0}, r"ema` must be a number in \[0, 1\) or None, got 1.0"),
        (
            {"mixed_precision": "fp8"},
            "mixed_precision` must be 'bf16' or 'fp16' or None, got 'fp8'",
        ),
        ({"checkpoint_every": 0}, "checkpoint_every` must be a whole number"),
        ({"threads": 0}, "threads"),
        (
            {"threads": 10**6},
            "threads`, unless 'auto' or None, must be a whole number .* got 1000000",
        ),
        ({"device": "gpu"}, "device 'gpu' cannot be used"),
        ({"class_weight": [1.0]}, "class_weight needs 2 weights, one per class"),
        (
            {"class_weight": "even"},
            "must be 'balanced', one weight per class, or None, got 'even'",
        ),
        ({"class_weight": [1.0, -1.0]}, "class_weight must be finite, not negative"),
        (
            {"step": lambda *_: {}, "metrics": ["accuracy"]},
            "need a loss when there is a custom step",
        ),
        ({"step": lambda *_: {}, "compile": True}, "compile has no effect on a custom step"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        fit((X, Y), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"callbacks": [print]}, "must be Callback objects, of .*Callback, got <built-in"),
        ({"optimizer": lambda parameters: 3}, "must be an optimiser bound to parameters"),
        ({"net": "resnet"}, "takes a network or a dict of networks, got a str"),
    ],
)
def test_things_that_are_no_such_thing(options, message):
    with pytest.raises(TypeError, match=message):
        fit((X, Y), **options)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("lr", r"^Trainer has no option 'lr'\. .*optimizer=Adam"),
        ("batch_size", r"has no option 'batch_size'\. .*fit\(data, batch_size=32\)"),
        ("optimiser", r"Did you mean 'optimizer'\?$"),
    ],
)
def test_an_option_that_belongs_elsewhere_says_where(option, message):
    with pytest.raises(TypeError, match=message):
        Trainer(network(), **{option: 1})


def test_an_algorithm_for_another_network_is_refused():
    other = torch.optim.SGD(network().parameters(), lr=0.1)
    with pytest.raises(ValueError, match="SGD is bound to parameters of another network"):
        Trainer(network(), optimizer=other)


def test_a_network_without_an_input_is_refused():
    with pytest.raises(ValueError, match="join it to one"):
        Trainer(Linear(3) >> Linear(2))


def test_inputs_of_another_shape_name_the_networks_own():
    with pytest.raises(ValueError, match=r"shape \(N, 5\), got \(2, 3\)"):
        fit((X, Y), net=Input(5) >> Linear(2))
