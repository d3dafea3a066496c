"""Networks on disk and as text, hostile ones too."""

import errno
import json
import os

import pytest
import torch

from neuropil import Layer, Network, ShapeError, parallel, repeat
from neuropil.init import Normal
from neuropil.layers import (
    BatchNorm,
    Concatenate,
    Convolution,
    Elementwise,
    Flatten,
    Identity,
    Input,
    Linear,
    Relu,
    Softmax,
    Tanh,
)

NETWORKS = {
    "chain": lambda: Input(4) >> Relu(8) >> Softmax(3),
    "options": lambda: (
        Input(3, 9, 9)
        >> Convolution(4, (3, 5), stride=2, padding=((1, 0), 2), weight=Normal(std=0.5))
        >> BatchNorm()
    ),
    "residual": lambda: Input(4) >> (Relu(4) >> Tanh() | Identity()) >> Elementwise("add"),
    "nested": lambda: (
        Input(4)
        >> parallel(Relu(2) | Tanh(3), Linear(1), Identity() >> Linear(2))
        >> Concatenate()
    ),
    "named": lambda: Input(4, name="table") >> Relu(8, name="hidden") >> Softmax(3),
    "two inputs": lambda: (Input(4) >> Relu(3) | Input(2) >> Relu(3)) >> Elementwise("add"),
    "two outputs": lambda: Input(4) >> Relu(3) >> (Softmax(2) | Linear(1)),
}


def save_with(folder, old, new):
    """Save a network, and change a text in its file."""
    (Input(2) >> Relu(3)).save(folder)
    path = folder / "network.json"
    path.write_text(path.read_text().replace(old, new))


def crossing() -> Network:
    trunk = Input(4) >> Relu(4)
    first = trunk >> Tanh(4)
    return parallel(first >> Linear(2), parallel(first, trunk) >> Concatenate())


UNWRITTEN = {
    "shared": lambda: Input(4) >> repeat(Relu(4), 3, share=True),
    "crossing": crossing,
}


def values(network: Network) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    result = network.eval()(*(torch.randn(3, *shape) for shape in network.input_shapes))
    return result if isinstance(result, tuple) else (result,)


class TestText:
    @pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
    def test_repr_and_parse_round_trip(self, make):
        network = make()
        again = Network.parse(repr(network))
        assert repr(again) == repr(network)
        again.load_state_dict(network.state_dict())
        for a, b in zip(values(again), values(network), strict=True):
            assert torch.equal(a, b)

    @pytest.mark.parametrize("make", UNWRITTEN.values(), ids=UNWRITTEN)
    def test_other_graphs_print_a_listing(self, make):
        text = repr(make())
        assert text.startswith("Network(\n    input1 = Input(4)")
        assert "gives" in text

    def test_initialisers_are_kept(self):
        network = Network.parse("Input(2) >> Linear(3, weight=Constant(0.5))")
        assert network.linear1.weight.tolist() == [[0.5, 0.5]] * 3
        assert repr(network) == "Input(2) >> Linear(3, weight=Constant(0.5))"

    @pytest.mark.parametrize(
        "text",
        [
            "__import__('os').system('true')",
            "Input(2) >> open('x')",
            "Input(2) >> (lambda: 0)()",
            "Input(*[1] * 9)",
            "Input(2).__class__",
            "[Relu() for _ in range(9)]",
            "Relu(10**12)",
            "Input(2) >> 'relu'",
            "3",
            "Input(2) >>",
            "",
            "(" * 500 + "Relu()" + ")" * 500,
            " >> ".join(["Relu()"] * 30_000),
            "Relu",
            "f'{1}'",
        ],
    )
    def test_code_is_never_evaluated(self, text):
        with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
            Network.parse(text)

    def test_an_unknown_layer_suggests_the_nearest(self):
        with pytest.raises(
            ValueError, match=r"no layer 'Convolutoin'\. Did you mean 'Convolution'"
        ):
            Network.parse("Input(1, 8, 8) >> Convolutoin(16, 3)")

    def test_wrong_arguments_name_the_layer(self):
        with pytest.raises(ValueError, match=r"Convolution: .*kernel_siz"):
            Network.parse("Input(1, 8, 8) >> Convolution(16, kernel_siz=3)")

    @pytest.mark.parametrize("text", ["Relu(1000000000000)", "Input(10) >> Relu(2147483000)"])
    def test_absurd_sizes_are_refused(self, text):
        with pytest.raises(
            ValueError, match=r"units|GiB|of memory, and|a network expression at most"
        ):
            Network.parse(text)

    def test_repetition_is_bounded(self):
        with pytest.raises(ShapeError, match="at most"):
            Network.parse("Input(4) >> repeat(Relu(4), 1000000000)")


class TestFiles:
    @pytest.mark.parametrize("make", [*NETWORKS.values(), *UNWRITTEN.values()])
    def test_save_and_load_round_trip(self, make, tmp_path):
        network = make()
        network.save(tmp_path / "a")
        again = Network.load(tmp_path / "a")
        assert repr(again) == repr(network)
        assert again.node_names == network.node_names
        for a, b in zip(values(again), values(network), strict=True):
            assert torch.equal(a, b)

    def test_normalization_and_type_are_kept(self, tmp_path):
        network = (Input(4) >> Relu(3)).double()
        network.normalize(torch.randn(20, 4, dtype=torch.float64) + 3)
        network.save(tmp_path)
        again = Network.load(tmp_path)
        x = torch.randn(2, 4)
        assert again(x).dtype == torch.float64
        assert torch.equal(again(x), network(x))

    def test_running_statistics_are_kept(self, tmp_path):
        network = Input(4) >> BatchNorm() >> Linear(2)
        network.train()(torch.randn(50, 4) + 2)
        network.save(tmp_path)
        assert torch.equal(values(Network.load(tmp_path))[0], values(network)[0])

    def test_users_own_layers_are_found_by_name(self, tmp_path):
        class Triple(Layer):
            def forward(self, x):
                return 3 * x

        (Input(2) >> Triple()).save(tmp_path)
        assert Network.load(tmp_path)(torch.ones(1, 2)).tolist() == [[3.0, 3.0]]

    def test_code_is_refused_with_a_line_that_says_to_name_it(self, tmp_path):
        network = Input(2) >> (Identity() | Relu()) >> Elementwise(torch.add)
        with pytest.raises(ValueError, match="cannot be saved: give it by name"):
            network.save(tmp_path / "a")
        assert not (tmp_path / "a").exists()

    def test_a_newer_format_is_refused(self, tmp_path):
        save_with(tmp_path, '"format": 1', '"format": 2')
        with pytest.raises(ValueError, match="has format 2, and this version reads up to 1"):
            Network.load(tmp_path)

    def test_missing_files_are_named(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"has no network\.json"):
            Network.load(tmp_path / "nowhere")

    @pytest.mark.parametrize("name", ["network.json", "weights.safetensors"])
    @pytest.mark.parametrize("cut", [0, 10, 100])
    def test_damaged_files_are_named(self, tmp_path, name, cut):
        (Input(20) >> Relu(30)).save(tmp_path)
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:cut])
        with pytest.raises(ValueError, match=name):
            Network.load(tmp_path)

    def test_weights_of_another_network_are_refused(self, tmp_path):
        (Input(2) >> Relu(3)).save(tmp_path / "a")
        (Input(2) >> Relu(4)).save(tmp_path / "b")
        (tmp_path / "a" / "weights.safetensors").rename(tmp_path / "b" / "weights.safetensors")
        with pytest.raises(ValueError, match="does not match"):
            Network.load(tmp_path / "b")

    @pytest.mark.parametrize(
        "change",
        [
            lambda plain: plain["layers"].update(relu1={"type": "eval", "arguments": {}}),
            lambda plain: plain["layers"].update(relu1={"type": "parallel", "arguments": {}}),
            lambda plain: plain["layers"]["relu1"]["arguments"].update(units=10**12),
            lambda plain: plain["layers"]["relu1"]["arguments"].update(units=2_000_000_000),
            lambda plain: plain["layers"]["relu1"].update(arguments=["x"]),
            lambda plain: plain["nodes"].append({"layer": "relu1", "call": 0, "inputs": [0]}),
            lambda plain: plain["nodes"][1].update(inputs=[1]),
            lambda plain: plain["nodes"][1].update(inputs=[10**30]),
            lambda plain: plain["nodes"][1].update(inputs=[]),
            lambda plain: plain["nodes"][1].update(layer="gone"),
            lambda plain: plain.update(outputs=[]),
            lambda plain: plain.update(outputs=["x"]),
            lambda plain: plain.update(nodes=3),
            lambda plain: plain.update(layers={"a; import os": plain["layers"]["relu1"]}),
            lambda plain: plain.pop("layers"),
        ],
    )
    def test_hostile_structures_get_one_clear_line(self, tmp_path, change):
        (Input(2) >> Relu(3)).save(tmp_path)
        path = tmp_path / "network.json"
        plain = json.loads(path.read_text())
        change(plain)
        path.write_text(json.dumps(plain))
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - each has its own words
            Network.load(tmp_path)
        assert str(caught.value).strip()

    def test_hostile_names_never_reach_an_attribute(self, tmp_path):
        save_with(tmp_path, "relu1", "a;b")
        with pytest.raises(ValueError, match="Python identifier"):
            Network.load(tmp_path)

    def test_a_full_disk_leaves_the_old_network_whole(self, tmp_path, monkeypatch):
        old = Input(2) >> Relu(3)
        old.save(tmp_path)

        def full(_handle):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            (Input(2) >> Relu(4)).save(tmp_path)
        monkeypatch.undo()
        assert torch.equal(values(Network.load(tmp_path))[0], values(old)[0])
        assert sorted(p.name for p in tmp_path.iterdir()) == [
            "network.json",
            "weights.safetensors",
        ]

    def test_an_open_network_is_not_saved(self, tmp_path):
        network = Input(3, 8, 8) >> Convolution(2, 3) >> Flatten() >> Relu(3)
        with pytest.raises(ShapeError, match="without an Input"):
            network.after("convolution1").save(tmp_path)
