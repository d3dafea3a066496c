"""Modules of torch.nn in saved networks: made again by their constructor, or refused."""

import json
from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from neuropil.core import Network
from neuropil.layers import Input, Module, Relu
from neuropil.saving.torch_modules import CLASSES, module_from_plain, module_to_plain

# Arguments where the class needs some, not its defaults.
ARGUMENTS = {
    "Linear": (4, 3, False),
    "Embedding": (9, 4, 2),
    "Unflatten": (1, (2, 2)),
    "LayerNorm": ((4,), 1e-3),
    "GroupNorm": (2, 4),
    "RMSNorm": (4,),
    "LocalResponseNorm": (3,),
    "LPPool1d": (2, 3),
    "LPPool2d": (2, 3),
    "PReLU": (4, 0.1),
    "Threshold": (0.1, 20),
    "Softmax": (1,),
    "Hardtanh": (-2.0, 3.0),
    "Upsample": (None, 2.0, "nearest"),
    "UpsamplingNearest2d": (None, 2),
    "UpsamplingBilinear2d": ((7, 9),),
    "PixelShuffle": (2,),
    "PixelUnshuffle": (2,),
    "ChannelShuffle": (2,),
}
OPTIONS = {
    "Conv": {"stride": 2, "padding": 1, "bias": False, "padding_mode": "reflect"},
    "ConvTranspose": {"stride": 2, "output_padding": 1, "groups": 2},
    "MaxPool": {"stride": 1, "ceil_mode": True},
    "BatchNorm": {"momentum": None, "affine": False},
    "InstanceNorm": {"affine": True, "track_running_stats": True},
}
FIRST = {
    "Conv": (4, 6, 3),
    "ConvTranspose": (4, 6, 3),
    "MaxPool": (2,),
    "AvgPool": (3,),
    "AdaptiveAvgPool": (2,),
    "AdaptiveMaxPool": (2,),
    "BatchNorm": (4,),
    "InstanceNorm": (4,),
    "ConstantPad": (1, 0.5),
    "ZeroPad": (1,),
    "ReflectionPad": (1,),
    "ReplicationPad": (1,),
}


@pytest.mark.parametrize("name", CLASSES)
def test_each_class_is_made_again_by_its_constructor(name):
    family = name[:-2] if name[-2:] in ("1d", "2d", "3d") else name
    given = ARGUMENTS.get(name, FIRST.get(family, ()))
    module = CLASSES[name](*given, **OPTIONS.get(family, {}))
    plain = json.loads(json.dumps(module_to_plain(module)))
    again = module_from_plain(plain)
    assert type(again) is type(module)
    assert repr(again) == repr(module)
    again.load_state_dict(module.state_dict())
    assert module_to_plain(again) == module_to_plain(module)


def test_a_network_with_modules_is_saved(tmp_path):
    torch.manual_seed(0)
    body = nn.Sequential(
        OrderedDict(
            filters=nn.Conv2d(3, 8, (3, 1), padding="same"),
            rest=nn.Sequential(nn.BatchNorm2d(8), nn.LeakyReLU(0.2), nn.Dropout(0.3)),
        )
    )
    network = (
        Input(3, 8, 8)
        >> Module(body, name="body")
        >> Module(nn.Flatten())
        >> Module(nn.Linear(8 * 64, 5))
        >> Relu(2)
    )
    x = torch.randn(4, 3, 8, 8)
    network(x)  # the running statistics change
    network.save(tmp_path)
    loaded = Network.load(tmp_path)
    assert torch.equal(loaded.eval()(x), network.eval()(x))
    assert list(loaded.state_dict()) == list(network.state_dict())
    indices = Input(5, dtype="int64") >> Module(nn.Embedding(9, 4), dtype="int64")
    indices.save(tmp_path)
    x = torch.randint(0, 9, (3, 5))
    assert torch.equal(Network.load(tmp_path)(x), indices(x))


class Own(nn.Conv2d):
    pass


def changed() -> nn.Module:
    module = nn.Conv2d(3, 3, 1)
    module.stride = (1, 1)
    module.note = "it must not be lost"
    return module


def pruned() -> nn.Module:
    module = nn.Conv2d(4, 4, 1)
    module.weight = nn.Parameter(torch.zeros(2, 4, 1, 1))
    return module


TWICE = nn.Conv2d(3, 3, 1)


@pytest.mark.parametrize(
    "module",
    [
        Own(3, 3, 1),
        nn.Sequential(Own(3, 3, 1)),
        changed(),
        pruned(),
        parametrizations.weight_norm(nn.Conv2d(3, 3, 1)),
        nn.ModuleList([nn.ReLU()]),
        nn.TransformerEncoderLayer(4, 2),
    ],
    ids=lambda module: type(module).__name__,
)
def test_other_modules_are_refused_in_a_line(module):
    with pytest.raises(ValueError, match=r"Module: .* cannot be saved: only layers of torch"):
        module_to_plain(module)


def test_a_refused_network_leaves_no_files(tmp_path):
    network = Input(3, 2, 2) >> Module(nn.Sequential(TWICE, nn.ReLU(), TWICE))
    with pytest.raises(ValueError, match="a module twice, which cannot be saved"):
        network.save(tmp_path)
    with pytest.raises(ValueError, match="is a Own, which cannot be saved"):
        (Input(3, 2, 2) >> Module(Own(3, 3, 1))).save(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "module",
    [
        {"torch": "LSTM", "arguments": {"input_size": 3, "hidden_size": 4}},
        {"torch": "modules.linear.Linear", "arguments": {"in_features": 3}},
        {"torch": "Module", "arguments": {}},
        {"torch": ["Linear"], "arguments": {}},
        {"torch": "Linear", "arguments": {"in_features": 3, "out_features": 10**12}},
        {"torch": "Linear", "arguments": {"in_features": 3, "out_features": 2, "device": "x"}},
        {"torch": "Linear", "arguments": {"in_features": "3", "out_features": 2}},
        {"torch": "Linear", "arguments": []},
        {"torch": "Linear"},
        {"torch": "Sequential", "arguments": {"forward": {"torch": "ReLU", "arguments": {}}}},
        {"torch": "Sequential", "arguments": {"a.b": {"torch": "ReLU", "arguments": {}}}},
        {"torch": "Sequential", "arguments": [1]},
    ],
)
def test_a_hostile_file_is_refused_in_a_line(tmp_path, module):
    (Input(3) >> Module(nn.Linear(3, 2))).save(tmp_path)
    plain = json.loads((tmp_path / "network.json").read_text())
    plain["layers"]["module1"]["arguments"]["module"] = module
    (tmp_path / "network.json").write_text(json.dumps(plain))
    with pytest.raises(ValueError, match=r"network.json|does not match") as error:
        Network.load(tmp_path)
    assert "\n" not in str(error.value)
