"""What every architecture promises, tested for all of them by discovery."""

import copy
import csv

import pytest
import torch
from tests import reference
from torch import nn

from neuropil.analysis import cost, count_parameters, zoo
from neuropil.architectures.published.weights import load_weights
from neuropil.architectures.published.zoo_table import zoo_table
from neuropil.core import Network, ShapeError

ZOO = zoo_table()

SMALL = 32
# What the published tables call them.
PUBLISHED = {
    "squeezenet": "squeezenet1_0",
    "googlenet": "googlenet_no_aux",
    "inception_v3": "inception_v3_no_aux",
    "xception": "legacy_xception",
}
PLAIN = {"weights": None, "init_weights": False, "aux_logits": False}
TORCHVISION = {
    **{name: {} for name in ("alexnet", "vgg11", "vgg13", "vgg16", "vgg19")},
    **{name: {} for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")},
    **{name: {} for name in ("densenet121", "densenet161", "densenet169", "densenet201")},
    "googlenet": PLAIN,
    "inception_v3": PLAIN,
    "squeezenet": {},
}
TIMM = {
    "inception_v4": "inception_v4",
    "inception_resnet_v2": "inception_resnet_v2",
    "xception": "legacy_xception",
    "mobilenet": "mobilenetv1_100",
}


def built(name, **options):
    torch.manual_seed(0)
    return ZOO[name].build(10, **options).eval()


def on_meta(name, *args, **options):
    with torch.device("meta"):
        return ZOO[name].build(*args, **options)


def pictures(network, count=2):
    return torch.randn(count, *network.input_shape, generator=torch.Generator().manual_seed(1))


def first(outputs):
    return outputs[0] if isinstance(outputs, tuple) else outputs


def drawn(module: nn.Module) -> dict[str, torch.Tensor]:
    """Return weights for a module on the meta device that keep signals at their size."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, value in module.state_dict().items():
        if not value.is_floating_point():
            state[name] = torch.zeros(value.shape, dtype=value.dtype)
        elif value.ndim > 1:
            fan_in = value[0].numel()
            state[name] = torch.randn(value.shape, generator=generator) * (2 / fan_in) ** 0.5
        else:
            near = torch.rand(value.shape, generator=generator) * 0.2
            ones = name.endswith(("var", "norm.weight")) or ".bn" in name
            state[name] = near + (1 if ones and not name.endswith(("bias", "mean")) else 0)
    return state


@pytest.mark.parametrize("name", ZOO)
def test_the_published_counts(name, data):
    path = data / "published" / "architectures.csv"
    with path.open() as file:
        rows = {row["architecture"]: row for row in csv.DictReader(file)}
    row = rows.get(PUBLISHED.get(name, name))
    if row is None:
        pytest.skip("no figures are published in the table")
    side = int(row["image_side"])
    network = on_meta(name, input_shape=(3, side, side))
    assert count_parameters(network) == int(row["parameters"])
    assert round(cost(network).multiply_adds / 1e9, 4) == float(row["multiply_adds_1e9"])


@pytest.mark.parametrize("name", [*TORCHVISION, *TIMM])
def test_outputs_are_those_of_the_reference(name):
    with torch.device("meta"):
        if name in TORCHVISION:
            library = "torchvision"
            models = reference.torchvision().models
            theirs = models.get_model(PUBLISHED_NAME.get(name, name), **TORCHVISION[name])
        else:
            library = "timm"
            theirs = reference.timm().create_model(TIMM[name], pretrained=False)
    state = drawn(theirs)
    theirs.load_state_dict(state, assign=True)
    ours = on_meta(name)
    assert not load_weights(ours, state, ZOO[name].build).unused
    assert library in ZOO[name].keys
    x = pictures(ours, 1)
    with torch.no_grad():
        expected = theirs.eval()(x)
        have = ours.eval().scores()(x)
    scale = expected.abs().max().item()
    torch.testing.assert_close(have, expected, rtol=1e-5, atol=1e-5 * max(scale, 1e-3))


PUBLISHED_NAME = {"squeezenet": "squeezenet1_0"}


# One of the four of VGG, which have 100 million weights in one layer, will do.
LIGHT = [name for name in ZOO if name not in ("vgg13", "vgg16", "vgg19")]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", LIGHT)
def test_one_step_of_training_at_the_smallest_size(name, channels):
    network = built(name, input_shape=(channels, SMALL, SMALL)).train()
    outputs = network.scores()(pictures(network))
    first(outputs).float().square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("name", LIGHT)
def test_copied_and_saved_ones_give_equal_outputs(name, tmp_path):
    network = built(name, input_shape=(3, SMALL, SMALL))
    x = pictures(network)
    with torch.no_grad():
        expected = network(x)
        network.save(tmp_path)
        for other in (copy.deepcopy(network), Network.load(tmp_path).eval()):
            torch.testing.assert_close(other(x), expected)


def of_different_modules(names):
    """Return the smallest of the architectures that are made of the same kinds of modules."""
    smallest = {}
    for name in names:
        modules = [*on_meta(name, 10, input_shape=(3, SMALL, SMALL)).modules()]
        kinds = frozenset(map(type, modules))
        smallest[kinds] = min(smallest.get(kinds, (len(modules), name)), (len(modules), name))
    return [name for _, name in smallest.values()]


# Tracing takes seconds a hundred modules, and meets nothing new in more of the same kinds.
@pytest.mark.parametrize("name", of_different_modules(LIGHT))
def test_compiled_and_exported_ones_give_equal_outputs(name):
    network = built(name, input_shape=(3, SMALL, SMALL))
    x = pictures(network)
    with torch.no_grad():
        expected = network(x)
        others = {
            "compiled": torch.compile(network, backend="eager", fullgraph=True),
            "exported": torch.export.export(network, (x,), strict=False).module(),
        }
        for how, other in others.items():
            torch.testing.assert_close(other(x), expected, msg=lambda m, how=how: f"{how}: {m}")


@pytest.mark.parametrize("name", ZOO)
def test_a_picture_that_is_too_small_is_refused_in_one_line(name):
    said = ""
    try:
        network = on_meta(name, 10, input_shape=(3, 2, 2))
    except ShapeError as error:
        said = str(error)
    assert "\n" not in said
    assert said or network.output_shapes[0][0] == 10


@pytest.mark.parametrize("name", ZOO)
def test_stages_are_named_and_give_a_pyramid(name):
    network = on_meta(name, 10, input_shape=(3, 64, 64))
    names = [layer for layer in network.layers if layer.startswith("stage")]
    assert names == [f"stage{k + 1}" for k in range(len(names))]
    shapes = network.upto(*names).output_shapes if names else ()
    sides = [shape[1] for shape in shapes if len(shape) == 3]
    assert name == "unet" or sides == sorted(sides, reverse=True)


def test_the_table_of_the_zoo():
    rows = zoo()
    assert {row.name for row in rows} == {*ZOO}
    assert all(row.paper and row.accuracy and row.source for row in rows)
    fields = {row.name: row.receptive_field for row in rows}
    # Every layer of the mixture sees the whole picture, as its summary says.
    assert fields.pop("mixture_of_experts") is None
    assert all(field > 0 for field in fields.values())
    assert [row.year for row in rows] == sorted(row.year for row in rows)


@pytest.mark.parametrize("name", TORCHVISION)
def test_accuracies_are_those_of_whom_they_name(name):
    weights = reference.torchvision().models.get_model_weights(
        {"squeezenet": "squeezenet1_0"}.get(name, name)
    )
    found = weights["IMAGENET1K_V1"].meta["_metrics"]["ImageNet-1K"]["acc@1"]
    assert (ZOO[name].source, ZOO[name].accuracy) == ("torchvision", f"{found:.1f} % ImageNet")


def test_weights_are_named_where_they_are_known():
    rows = {row.name: row for row in zoo()}
    assert rows["mobilenet"].weights == "timm/mobilenetv1_100.ra4_e3600_r224_in1k"
    assert rows["mobilenet"].source == "timm"
    assert rows["alexnet"].weights is None
    # Where there are weights the accuracy is theirs, and never the paper's.
    assert all(row.source != "paper" for row in rows.values() if row.weights)
