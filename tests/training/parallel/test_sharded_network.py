"""What can be said of sharded networks in one process; `test_processes` has the rest."""

import copy

import pytest
import torch
from torch import nn

from neuropil.layers import BatchNorm, Convolution, Flatten, Input, Softmax
from neuropil.training import GradientWatch, Trainer
from neuropil.training.parallel import sharded_network
from neuropil.training.parallel.shard_options import check_optimizer, check_sharding, rebind
from neuropil.training.parallel.sharded_network import blueprint_of, groups_of
from neuropil.training.processes import Processes
from neuropil.training.trainer_options import Options


def network():
    return Input(1, 4, 4) >> Convolution(3, 2) >> BatchNorm() >> Flatten() >> Softmax(2)


def test_a_blueprint_has_shapes_and_no_weights():
    own = network()
    own.freeze("convolution1")
    plan = blueprint_of(own)
    assert repr(plan) == repr(own)
    for (name, value), (same, shape) in zip(
        own.named_parameters(), plan.named_parameters(), strict=True
    ):
        assert (name, value.shape, value.requires_grad) == (
            same,
            shape.shape,
            shape.requires_grad,
        )
        assert shape.is_meta
    assert all(value.is_meta for value in plan.buffers())
    assert not any(value.is_meta for value in [*own.parameters(), *own.buffers()])


def test_weights_drawn_layer_by_layer_are_those_of_the_whole():
    whole = network()
    whole.reset_parameters(torch.Generator().manual_seed(5))
    generator = torch.Generator().manual_seed(5)
    for name, layer in blueprint_of(whole).layers.items():
        own = copy.deepcopy(layer).to_empty(device="cpu")
        own.reset_parameters(generator)
        for key, value in own.state_dict().items():
            assert torch.equal(value, whole.layers[name].state_dict()[key])


def test_small_layers_are_joined_into_groups(monkeypatch):
    layers = [
        nn.Linear(4, 4),
        nn.Linear(4, 4),
        nn.Sequential(nn.Linear(4, 40), nn.Linear(40, 4)),
    ]
    whole = nn.Sequential(*layers)
    assert groups_of(whole) == []
    monkeypatch.setattr(sharded_network, "GROUP", 100)
    inner = layers[2]
    assert groups_of(whole) == [inner[0], inner[1]]
    monkeypatch.setattr(sharded_network, "GROUP", 300)
    assert groups_of(whole) == [inner]
    # A list has no forward pass of its own, before which its weights could be gathered.
    many = nn.ModuleList([nn.Linear(10, 10), nn.Linear(10, 10), nn.Linear(10, 10)])
    assert groups_of(nn.Sequential(many, nn.Linear(4, 4))) == []


def test_shared_weights_stay_in_one_group(monkeypatch):
    monkeypatch.setattr(sharded_network, "GROUP", 1)
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    assert groups_of(nn.Sequential(first, second)) == [first, second]
    second.weight = first.weight
    assert groups_of(nn.Sequential(first, second)) == []


def test_one_process_cannot_shard():
    with pytest.raises(ValueError, match=r"several processes: start them with torchrun"):
        Trainer(nn.Linear(2, 1), shard=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"step": lambda trainer, batch: {}}, "a custom step"),
        ({"compile": True}, "compile"),
        ({"mixed_precision": "fp16"}, "mixed_precision='fp16'"),
        ({"callbacks": [GradientWatch()]}, "GradientWatch"),
        ({"regularizer": lambda network: None}, "use the weight_decay of the optimiser"),
    ],
)
def test_what_does_not_work_with_shards_is_refused_by_name(options, words):
    with pytest.raises(ValueError, match=f"shard cannot be combined with .*{words}"):
        check_sharding(Options(nn.Linear(2, 1), shard=True, **options), Processes(0, 2))


@pytest.mark.parametrize("kind", [torch.optim.LBFGS, torch.optim.Rprop])
def test_an_optimizer_of_whole_weights_is_refused(kind):
    with pytest.raises(ValueError, match=f"{kind.__name__} needs whole weights"):
        check_optimizer(kind(nn.Linear(2, 1).parameters()))


def test_an_optimizer_is_bound_to_the_sharded_parameters():
    own, sharded = nn.Linear(2, 1), nn.Linear(2, 1)
    optimizer = torch.optim.SGD(own.parameters(), lr=0.1, momentum=0.9)
    names = {id(value): name for name, value in own.named_parameters()}
    rebind(optimizer, names, sharded)
    assert optimizer.param_groups[0]["params"] == [sharded.weight, sharded.bias]
    optimizer.state[sharded.weight] = {"momentum_buffer": sharded.weight}
    with pytest.raises(ValueError, match="SGD has taken steps with whole weights"):
        rebind(optimizer, names, sharded)


def test_only_a_network_of_ours_can_be_drawn_in_parts():
    with torch.device("meta"):
        foreign = nn.Sequential(nn.Linear(2, 1))
    with pytest.raises(ValueError, match="on the meta device must be a neuropil Network"):
        sharded_network.shard_network(
            foreign, foreign, torch.device("cpu"), torch.Generator().manual_seed(0)
        )
