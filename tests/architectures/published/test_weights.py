"""Published weights come in by name, adapted where they must be, and say what is missing."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tests import reference

from neuropil.architectures import (
    alexnet,
    googlenet,
    load_weights,
    resnet18,
    resnet20,
    squeezenet,
    vgg11,
)
from neuropil.architectures.published import hub


@pytest.fixture(name="cifar_state")
def published_resnet20(data):
    arrays = np.load(data / "pretrained" / "resnet20_cifar10.npz")
    return {name: torch.from_numpy(arrays[name]) for name in arrays}


@pytest.fixture(name="cifar_file")
def published_file(cifar_state, tmp_path):
    save_file(cifar_state, tmp_path / "resnet20.safetensors")
    return tmp_path / "resnet20.safetensors"


def test_resnet20_names_the_pictures_of_cifar(cifar_file, data):
    network = resnet20(weights=cifar_file)
    pictures = np.load(data / "cifar10_subset" / "cifar10_subset.npz")
    inputs = torch.from_numpy(pictures["x_test"]).permute(0, 3, 1, 2)
    named = network.predict(inputs).argmax(1).numpy()
    assert (named == pictures["y_test"]).mean() >= 0.91


@pytest.mark.parametrize(
    ("picture", "name"), [("content_chelsea", "Egyptian cat"), ("content_coffee", "espresso")]
)
def test_squeezenet_names_the_cat_and_the_coffee(picture, name, data):
    file = data / "pretrained" / "squeezenet1_0_imagenet.npz"
    network = squeezenet(head_padding=1, input_shape=(3, 227, 227), weights=file)
    image = Image.open(data / "style" / f"{picture}.png").convert("RGB").resize((227, 227))
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    scores = network.predict(pixels[None])[0]
    lines = (data / "pretrained" / "imagenet_synset_words.txt").read_text().splitlines()
    guesses = [lines[k] for k in scores.topk(5).indices]
    assert any(name in guess for guess in guesses), guesses


def test_the_images_that_weights_expect_are_made_from_plain_ones(data):
    file = data / "pretrained" / "squeezenet1_0_imagenet.npz"
    network = squeezenet(input_shape=(3, 64, 64), weights=file).eval()
    filters = torch.from_numpy(np.load(file)["conv1.weight"])
    pixels = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    blue_first = pixels.float().flip(1) - torch.tensor([104.0, 117.0, 123.0]).view(3, 1, 1)
    theirs = torch.nn.functional.conv2d(blue_first, filters, stride=2)
    theirs += network.convolution1.bias[:, None, None]
    torch.testing.assert_close(
        network.upto("convolution1")(pixels), theirs, rtol=1e-4, atol=1e-3
    )


def test_other_channels_and_classes_are_adapted_and_said(cifar_file, cifar_state):
    with pytest.warns(UserWarning, match="from 3 to 1 channels.*10 classes and the network 4"):
        network = resnet20(4, input_shape=(1, 32, 32), weights=cifar_file)
    filters = network.layers["convolution1"].weight
    torch.testing.assert_close(filters, cifar_state["conv1.weight"].sum(1, keepdim=True))
    with pytest.warns(UserWarning, match="from 3 to 5 channels"):
        wide = resnet20(input_shape=(5, 32, 32), weights=cifar_file)
    # The same grey picture gives the same answer, whatever the number of channels.
    want = cifar_state["conv1.weight"].sum(1)
    five = torch.nn.functional.conv2d(
        torch.ones(1, 5, 3, 3), wide.layers["convolution1"].weight
    )
    assert five.shape == (1, 16, 1, 1)
    assert abs(five.sum() - want.sum()) < 0.35 * want.abs().sum()


def test_what_is_not_found_is_said(cifar_state):
    state = {n: v for n, v in cifar_state.items() if not n.startswith("bn1")}
    with pytest.warns(UserWarning, match=r"batchnorm1 is not in the given state.*extra\.bias"):
        loaded = load_weights(resnet20(), {**state, "extra.bias": torch.ones(1)}, resnet20)
    assert loaded.unused == ["extra.bias"]


def test_our_own_weights_come_back(tmp_path):
    network = resnet20(5)
    network.normalize(torch.randn(10, 3, 32, 32))
    network.save(tmp_path)
    again = resnet20(5)
    load_weights(again, tmp_path / "weights.safetensors", resnet20)
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(again.eval()(x), network.eval()(x))


def test_auxiliary_heads_take_their_weights():
    models = reference.torchvision().models
    theirs = models.googlenet(weights=None, init_weights=False, aux_logits=True)
    network = googlenet(aux_heads=True)
    loaded = load_weights(network, theirs.state_dict(), googlenet)
    assert (loaded.drawn, loaded.unused) == ([], [])
    with pytest.warns(UserWarning, match="Not used: aux1"):
        load_weights(googlenet(), theirs.state_dict(), googlenet)
    with pytest.warns(UserWarning, match="1000 classes and the network 7"):
        loaded = load_weights(googlenet(7, aux_heads=True), theirs.state_dict(), googlenet)
    assert len(loaded.drawn) == 3


def test_weights_of_another_architecture_are_refused(cifar_file, cifar_state):
    with pytest.raises(ValueError, match="does not hold weights of squeezenet"):
        squeezenet(weights=cifar_file)
    network = resnet18()
    before = network.layers["convolution1"].weight.clone()
    with pytest.raises(ValueError, match=r"conv1\.weight has shape"):
        load_weights(network, cifar_state, resnet18)
    torch.testing.assert_close(network.layers["convolution1"].weight, before)


def test_bad_files_are_refused_in_one_line(cifar_file, tmp_path):
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(cifar_file.read_bytes()[:5000])
    text = tmp_path / "text.safetensors"
    text.write_text("no weights")
    for path in (cut, text):
        with pytest.raises(ValueError, match=f"{path.name} is damaged"):
            resnet20(weights=path)
    with pytest.raises(ValueError, match=r"pickle.*save_file"):
        resnet20(weights=tmp_path / "model.pth")
    with pytest.raises(FileNotFoundError, match=r"absent\.safetensors not found"):
        resnet20(weights=tmp_path / "absent.safetensors")
    with pytest.raises(ValueError, match="no known published weights"):
        resnet20(weights="imagenet")
    with pytest.raises(ValueError, match=r"a function of neuropil\.architectures"):
        load_weights(resnet20(), {}, "resnet20")


class Test_the_hub:  # noqa: N801
    """With a client that hands out a file made here."""

    @pytest.fixture(autouse=True)
    def client(self, cifar_file, tmp_path, monkeypatch):
        client = pytest.importorskip("huggingface_hub")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        self.path = Path(cifar_file)
        self.sha256 = hashlib.sha256(self.path.read_bytes()).hexdigest()
        self.asked = []

        def url(name, file, revision):
            self.asked.append((name, file, revision))
            return "an address"

        def facts(_):
            return SimpleNamespace(commit_hash="c0ffee", etag=self.sha256)

        def download(name, file, revision):
            assert (name, file, revision) == ("owner/name", "model.safetensors", "c0ffee")
            return str(self.path)

        monkeypatch.setattr(client, "hf_hub_url", url)
        monkeypatch.setattr(client, "get_hf_file_metadata", facts)
        monkeypatch.setattr(client, "hf_hub_download", download)

    def test_the_first_download_records_the_revision(self):
        with pytest.warns(UserWarning, match="c0ffee.*was recorded"):
            resnet20(weights="hub:owner/name")
        record = json.loads(hub.record_file().read_text())
        assert record == {"owner/name": {"revision": "c0ffee", "sha256": self.sha256}}
        resnet20(weights="hub:owner/name")
        resnet20(weights="hub:owner/name@other")
        assert [revision for _, _, revision in self.asked] == [None, "c0ffee", "other"]

    def test_bytes_with_another_hash_are_refused(self):
        self.sha256 = "0" * 64
        with pytest.raises(ValueError, match=r"has the SHA-256 .* but the hub's"):
            resnet20(weights="hub:owner/name")

    def test_bytes_that_changed_since_the_record_are_refused(self):
        hub.record("owner/name", {"revision": "c0ffee", "sha256": "1" * 64})
        with pytest.raises(ValueError, match="but the recorded"):
            resnet20(weights="hub:owner/name")

    @pytest.mark.parametrize("error", [OSError, RuntimeError, ValueError])
    def test_a_hub_that_does_not_answer(self, monkeypatch, error):
        def refuse(*_, **__):
            raise error("[Errno -2] Name or service not known\nand more")

        import huggingface_hub

        monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", refuse)
        said = r"owner/name could not .* hub: \[Errno -2\] Name .* known\. W"
        with pytest.raises(ValueError, match=said):
            resnet20(weights="hub:owner/name")


@pytest.mark.parametrize(
    "prefix", ["module.", "model.", "_orig_mod.", "module.model.", "_orig_mod.module.", "net."]
)
def test_a_common_prefix_is_left_out_and_said(prefix):
    theirs = resnet20().state_dict()
    wrapped = {f"{prefix}{name}": value for name, value in theirs.items()}
    wrapped["n_averaged"] = torch.tensor(3)  # torch's own averages keep this beside the names
    network = resnet20()
    with pytest.warns(UserWarning, match=f"prefix '{prefix}' .*Not used: n_averaged"):
        loaded = load_weights(network, wrapped, resnet20)
    assert loaded.drawn == []
    for name, value in network.state_dict().items():
        assert torch.equal(value, theirs[name])


def test_names_without_a_prefix_stay(recwarn):
    load_weights(resnet20(), resnet20().state_dict(), resnet20)
    assert not recwarn.list
    with pytest.raises(ValueError, match="does not hold weights of resnet20"):
        load_weights(resnet20(), {"module.a.weight": torch.ones(1)}, resnet20)


@pytest.mark.parametrize(("build", "side"), [(resnet18, 32), (googlenet, 48), (alexnet, 32)])
def test_a_small_stem_is_named_as_the_reason(build, side):
    with torch.device("meta"):
        state = build().state_dict()
        with pytest.raises(ValueError, match=f"images of {side}×{side}.* smaller stem, but"):
            build(input_shape=(3, side, side), weights=state)
        state = build(normalization="layer").state_dict()
        with pytest.raises(ValueError, match=r"shape|does not hold") as caught:
            build(normalization="instance", weights={n: v[:1] for n, v in state.items()})
        assert "stem" not in str(caught.value)


@pytest.mark.parametrize(("build", "sides"), [(vgg11, (32, 64, 320)), (alexnet, (64, 96))])
def test_pictures_of_other_sizes_take_the_same_weights(build, sides):
    with torch.device("meta"):
        state = build().state_dict()
        for side in sides:
            network = build(input_shape=(3, side, side), weights=state)
            assert network(torch.ones(1, 3, side, side)).shape == (1, 1000)
