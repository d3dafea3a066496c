"""What every architecture promises, tested for all of them by discovery."""

import copy
import csv
import inspect
import sys

import pytest
import torch
from tests import reference
from tests.signatures import documented
from torch import nn

from neuropil.analysis import cost, count_parameters, zoo
from neuropil.architectures import densenet, inception_resnet, resnet, vgg
from neuropil.architectures.dense_head import dense_head
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
    """Return weights for a module on the meta device that keep signals at their size.

    Large ones repeat a million draws, each from another place: 100 million take a second.
    """
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(1_000_003, generator=generator)
    state = {}
    for number, (name, value) in enumerate(module.state_dict().items()):
        if not value.is_floating_point():
            state[name] = torch.zeros(value.shape, dtype=value.dtype)
        elif value.ndim > 1:
            fan_in = value[0].numel()
            own = (draws.roll(1009 * number) * (2 / fan_in) ** 0.5).repeat(
                value.numel() // len(draws) + 1
            )
            state[name] = own[: value.numel()].view(value.shape)
        else:
            near = torch.rand(value.shape, generator=generator) * 0.2
            ones = name.endswith(("var", "norm.weight")) or ".bn" in name
            state[name] = near + (1 if ones and not name.endswith(("bias", "mean")) else 0)
    return state


@pytest.mark.parametrize("name", ZOO)
def test_the_options_taken_are_those_documented(name):
    """The larger of a family refer to the smallest for all options but the classes."""
    build = ZOO[name].build
    told, taken = documented(build), [*inspect.signature(build).parameters]
    assert told == ["classes", "options"] or sorted(told) == sorted(taken)


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


# The smallest of each family sees pictures of its published size; of the rest, which differ
# from it in their numbers of layers and channels, smaller ones whose sides halve unevenly.
SIDES = {
    **dict.fromkeys(("vgg13", "vgg16", "vgg19"), 99),
    **dict.fromkeys(("resnet34", "resnet101", "resnet152"), 99),
    **dict.fromkeys(("densenet161", "densenet169", "densenet201"), 99),
    **dict.fromkeys(("inception_v4", "inception_resnet_v2", "xception"), 171),
    **dict.fromkeys(("alexnet", "vgg11", "resnet18", "resnet50", "densenet121"), 224),
    **dict.fromkeys(("googlenet", "squeezenet", "mobilenet"), 224),
    "inception_v3": 299,
}


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
    ours = on_meta(name, input_shape=(3, SIDES[name], SIDES[name]))
    assert not load_weights(ours, state, ZOO[name].build).unused
    assert library in ZOO[name].keys
    x = pictures(ours, 1)
    with torch.no_grad():
        expected = theirs.eval()(x)
        have = ours.eval().scores()(x)
    scale = expected.abs().max().item()
    torch.testing.assert_close(have, expected, rtol=1e-5, atol=1e-5 * max(scale, 1e-3))


PUBLISHED_NAME = {"squeezenet": "squeezenet1_0"}


def assert_a_step_reaches_every_weight(network, outputs):
    first(outputs).float().square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("name", ZOO)
def test_one_step_of_training_with_one_channel(name):
    """No layer after the first stage is another than with three channels."""
    network = on_meta(name, 10, input_shape=(1, SMALL, SMALL))
    if "stage1" in network.layers:
        network = network.upto("stage1")
    network.to_empty(device="cpu").reset_parameters(torch.Generator().manual_seed(0))
    assert_a_step_reaches_every_weight(network.train(), network(pictures(network)))


# Training, copying and tracing meet nothing new in more modules of the same kinds, or in
# wider ones, and a hundred take a second: the smallest architectures that have all kinds, with
# fewer repeated blocks and 64 units where 100 million weights would be.
TRACED = (
    *("alexnet", "lenet5", "nin", "vgg11", "mixture_of_experts", "squeezenet", "unet"),
    *("resnet18", "resnet20", "resnet50", "mobilenet", "xception", "googlenet"),
    *("densenet121", "inception_resnet_v2"),
)


def module_of(name):
    """Return a module whose function of the same name hides it."""
    return sys.modules[f"neuropil.architectures.{name}"]


def narrow_head(style, _, classes, **options):
    return dense_head(style, 64, classes, **options)


GOOGLENET, KEPT = module_of("googlenet"), ("3b", "4a", "4d", "4e", "5b")
FEWER = {
    "alexnet": (module_of("alexnet"), {"dense_head": narrow_head}),
    "vgg11": (vgg, {"dense_head": narrow_head}),
    "resnet18": (resnet, {"BASIC": {18: (2, 1, 1, 1)}}),
    "resnet50": (resnet, {"BOTTLENECK": {50: (2, 1, 1, 1)}}),
    "mobilenet": (
        module_of("mobilenet"),
        {"STAGES": ((64, 1), (128, 2), (256, 2), (512, 1), (1024, 1))},
    ),
    "xception": (
        module_of("xception"),
        {
            "BLOCKS": ((128, 128), (256, 256), (728, 728), (728, 728, 728), (728, 1024)),
            "STAGES": {1: "stage1", 2: "stage2", 4: "stage3"},
            "SHRINKS": (1, 2, 3, 5),
        },
    ),
    "googlenet": (
        GOOGLENET,
        {
            "MODULES": {
                k: module_of("googlenet").MODULES[k] for k in ("3b", "4a", "4d", "4e", "5b")
            }
        },
    ),
    "densenet121": (densenet, {"PLANS": {121: densenet.Plan(32, (2, 1, 2, 1), 64)}}),
    "inception_resnet_v2": (
        inception_resnet,
        {"STAGES": tuple((*row, 1, scale) for *row, _, scale in inception_resnet.STAGES)},
    ),
}


def make_fewer(patch, name):
    """Give an architecture fewer modules, where it is known how."""
    module, values = FEWER.get(name, (None, {}))
    for attribute, value in values.items():
        patch.setattr(module, attribute, value)


def kinds(name):
    """Return the classes of the modules that an architecture is made of."""
    return {*map(type, on_meta(name, 10, input_shape=(3, SMALL, SMALL)).modules())}


def test_every_kind_of_module_is_traced(monkeypatch):
    everything = set.union(*map(kinds, ZOO))
    for name in FEWER:
        make_fewer(monkeypatch, name)
    assert set.union(*map(kinds, TRACED)) == everything


@pytest.fixture(scope="module", params=TRACED)
def fewer_blocks(request):
    """Return an architecture with fewer repeated blocks, pictures, and its outputs for them."""
    with pytest.MonkeyPatch.context() as patch:
        make_fewer(patch, request.param)
        network = built(request.param, input_shape=(3, SMALL, SMALL))
    x = pictures(network)
    with torch.no_grad():
        return network, x, network(x)


def test_one_step_of_training_at_the_smallest_size(fewer_blocks):
    network, x, _ = fewer_blocks
    network = copy.deepcopy(network).train()
    assert_a_step_reaches_every_weight(network, network.scores()(x))


def test_copied_and_saved_ones_give_equal_outputs(fewer_blocks, tmp_path):
    network, x, expected = fewer_blocks
    with torch.no_grad():
        network.save(tmp_path)
        for other in (copy.deepcopy(network), Network.load(tmp_path).eval()):
            torch.testing.assert_close(other(x), expected)


def test_compiled_and_exported_ones_give_equal_outputs(fewer_blocks):
    network, x, expected = fewer_blocks
    with torch.no_grad():
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


@pytest.fixture(scope="module")
def rows():
    return zoo()


def test_the_table_of_the_zoo(rows):
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


def test_weights_are_named_where_they_are_known(rows):
    rows = {row.name: row for row in rows}
    assert rows["mobilenet"].weights == "timm/mobilenetv1_100.ra4_e3600_r224_in1k"
    assert rows["mobilenet"].source == "timm"
    assert rows["alexnet"].weights is None
    # Where there are weights the accuracy is theirs, and never the paper's.
    assert all(row.source != "paper" for row in rows.values() if row.weights)
