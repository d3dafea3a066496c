"""Every option of every layer: what is given is used or refused, by name."""

import inspect
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import neuropil.init
import neuropil.layers
from neuropil.core import Layer, Network
from neuropil.layers import (
    GRU,
    AveragePooling,
    BatchNorm,
    Convolution,
    Dropout,
    FireModule,
    InceptionModule,
    Input,
    InstanceNorm,
    LayerNorm,
    Linear,
    MaxPooling,
    MixtureOfExperts,
    Relu,
    Reshape,
    SqueezeExcitation,
    UNetStage,
)

PUBLIC = {
    name: thing
    for module in (neuropil.layers, neuropil.init)
    for name in module.__all__
    if inspect.isclass(thing := getattr(module, name)) and name != "Initializer"
}
# What no option takes, whatever its kind.
NEVER = (
    "bad",
    math.nan,
    math.inf,
    -math.inf,
    1j,
    {},
    [None],
    b"x",
    object(),
    10**400,
    -(10**400),
)
# Where one of the kinds takes what the others do not; what is right for it.
WRONG: dict[str, tuple[Any, ...]] = {
    "bool": (0, 1, 1.0, None, "True"),
    "int": (1.5, True, None, "3", np.float64(3), (3,)),
    "int | None": (1.5, True, "3", (3,)),
    "float": (True, None, "0.5", (0.5,)),
    "float | None": (True, "0.5", (0.5,)),
    "int | tuple[int, ...]": (1.5, -1, 0, True, None, (1.5,), ("3", 3), (0, 1), (True, 1)),
    "Weight": (None, True, [0.1], neuropil.init.HeNormal, len),
    "Bias": (None, [0.1], neuropil.init.HeNormal, len),
    "str": (1, None, True, ("valid",)),
}
# Options of a kind that take one of these after all.
RIGHT: dict[tuple[str, str], tuple[Any, ...]] = {
    ("Deconvolution", "output_padding"): (0,),
}
# What a layer cannot be made without, where 4 is not it.
NEEDS: dict[str, dict[str, Any]] = {
    "AnchorBoxes": {"anchors": [[(4, 4)]], "strides": [8]},
    "BoxGrid": {"anchors": [[(4, 4)]], "strides": [8]},
    "DropBlock": {"rate": 0.5},
    "Dropout": {"rate": 0.5},
    "EachRegion": {"network": Linear(3)},
    "MixtureOfExperts": {"experts": Linear(3), "count": 2},
    "StochasticDepth": {"rate": 0.5},
    "Uniform": {"low": 0, "high": 1},
}
# A branch, and an axis of each kind of shape.
VARIABLE = {
    "InceptionDenseBlock": [((4, 1),)],
    "InceptionModule": [((4, 1),)],
    "InceptionResNetBlock": [((4, 1),)],
    "Input": [4],
    "Reshape": [4],
    "Transpose": [1, 0],
}


def cases() -> Iterator[tuple[str, str]]:
    """Yield each class with the name of each of its options."""
    for name, cls in PUBLIC.items():
        for option in inspect.signature(cls).parameters:
            if name != "Module":  # it raises TypeErrors, as documented
                yield name, option


def make(name: str, option: str, value: Any) -> Any:
    """Make one with this value for one option and what it cannot do without."""
    parameters = inspect.signature(PUBLIC[name]).parameters
    needed = {
        p.name: 4
        for p in parameters.values()
        if p.default is p.empty and p.kind is not p.VAR_POSITIONAL
    }
    positional = VARIABLE.get(name, [])
    options = {**needed, **NEEDS.get(name, {})}
    if parameters[option].kind is inspect.Parameter.VAR_POSITIONAL:
        positional = [value]
    else:
        options[option] = value
    if name.startswith("InceptionDense"):
        options.setdefault("steps", 2)
    return PUBLIC[name](*positional, **options)


@pytest.mark.parametrize(("name", "option"), [*cases()])
def test_a_wrong_value_is_refused_by_name(name, option):
    kind = str(inspect.signature(PUBLIC[name]).parameters[option].annotation)
    values = NEVER + WRONG.get(kind, ())
    # A word is a name, and None says that there is none.
    allowed = ("bad",) if option == "name" else RIGHT.get((name, option), ())
    for value in values:
        if any(value is right for right in allowed):
            continue
        with pytest.raises(ValueError, match=option) as caught:
            make(name, option, value)
        message = str(caught.value)
        assert name in message
        assert len(message) < 400
        assert "\n" not in message


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_numpys_numbers_are_numbers(name):
    """What is right as a Python number is right as one of NumPy's, and is kept as Python's."""
    if name == "Module":
        return
    for option, parameter in inspect.signature(PUBLIC[name]).parameters.items():
        value = parameter.default
        if type(value) in (int, float, bool):
            made = make(name, option, np.asarray(value)[()])
            assert repr(made) == repr(make(name, option, value))
            assert type(made.arguments[option]) is type(value)


def test_a_network_of_numpys_numbers_is_saved(tmp_path):
    network = (
        Input(np.int64(3), 8)
        >> Convolution(np.int32(4), (np.int64(3),))
        >> Reshape(np.int8(-1))
    )
    network.save(tmp_path)
    assert (
        repr(Network.load(tmp_path))
        == repr(network)
        == ("Input(3, 8) >> Convolution(4, (3,)) >> Reshape(-1)")
    )


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: GRU(3, only_last="bad"), "GRU: only_last must be True or False, got 'bad'."),
        (
            lambda: BatchNorm(affine=math.nan),
            "BatchNorm: affine must be True or False, got nan.",
        ),
        (
            lambda: MaxPooling(2, ceil_mode=1),
            "MaxPooling: ceil_mode must be True or False, got 1.",
        ),
        (
            lambda: AveragePooling("2"),
            "AveragePooling: size must be a whole number from 1 to 2,147,483,647, got '2'.",
        ),
        (
            lambda: Convolution(8, 3.0),
            "Convolution: kernel_size must be a whole number from 1 to 2,147,483,647, got 3.0.",
        ),
        (
            lambda: InstanceNorm(weight=neuropil.init.Constant(0.5)),
            "InstanceNorm: weight has no effect without affine=True, got Constant(0.5): give",
        ),
        (
            lambda: UNetStage(8, "deep"),
            "UNetStage: inner must be a layer or a network, got 'deep'.",
        ),
        (
            lambda: MixtureOfExperts([1.5]),
            "MixtureOfExperts: experts must be a layer or a network, got 1.5.",
        ),
        (
            lambda: SqueezeExcitation(activation=Relu),
            "SqueezeExcitation: activation must be one of",
        ),
        (lambda: FireModule(1, 2, 3, shortcut=["auto"]), "FireModule: shortcut must be one of"),
        (lambda: LayerNorm(weight=len), "LayerNorm: weight must be an initialiser, such as"),
        (
            lambda: InceptionModule("max"),
            "InceptionModule: branches: a branch is a tuple of steps",
        ),
        (
            lambda: Dropout(0.5, name="3rd"),
            "Dropout: name must be a Python identifier that does not start with _",
        ),
        (
            lambda: Relu(name="predict"),
            "Relu: name cannot be 'predict': networks use that name.",
        ),
    ],
)
def test_the_message_says_what_is_right(layer, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        layer()


def test_every_public_layer_is_looked_at():
    layers = {name for name, cls in PUBLIC.items() if issubclass(cls, Layer)}
    assert {name for name, _ in cases()} >= layers - {"Module"}
