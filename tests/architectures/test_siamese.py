"""Siamese networks: embeddings of unit length from the features of any network."""

import pytest
import torch
import torch.nn.functional as F

from neuropil.architectures import lenet5, resnet20, siamese
from neuropil.core import Network, ShapeError
from neuropil.layers import (
    LSTM,
    Convolution,
    Flatten,
    GlobalPooling,
    Input,
    Linear,
    Relu,
    Sigmoid,
    Softmax,
    Tanh,
    UnitNorm,
    parallel,
)
from neuropil.vision import batch_hard_triplets, triplet_loss

IMAGE = Input(1, None, None) >> Convolution(4, 3)


def test_embeddings_are_those_of_the_features():
    torch.manual_seed(0)
    body = Input(6) >> Tanh(5)
    network = siamese(body >> Softmax(3), size=4)
    assert repr(network) == "Input(6) >> Tanh(5) >> Linear(4) >> UnitNorm()"
    x = torch.rand(7, 6)
    torch.testing.assert_close(network(x), F.normalize(network.linear1(body(x)), dim=1))


@pytest.mark.parametrize(
    ("network", "layers"),
    [
        (Input(6) >> Relu(5) >> Linear(3) >> Softmax(), [Input, Relu]),
        (Input(6) >> Relu(5) >> Linear(3), [Input, Relu, Linear]),
        (Input(6) >> Relu(5) >> Sigmoid(1), [Input, Relu, Sigmoid]),
        (Input(6) >> Relu(5) >> Linear() >> Softmax(), [Input, Relu, Linear]),
        (IMAGE, [Input, Convolution, GlobalPooling]),
        (IMAGE >> GlobalPooling() >> Softmax(), [Input, Convolution, GlobalPooling]),
        (Input(1, 4, 4) >> Flatten(), [Input, Flatten]),
        (Input(None, 4) >> LSTM(5) >> Softmax(3), [Input, LSTM]),
    ],
    ids=repr,
)
def test_only_a_last_softmax_and_its_affine_map_are_left_out(network, layers):
    found = siamese(network)
    assert [type(layer) for layer in found] == [*layers, Linear, UnitNorm]
    assert found.output_shape == (128,)


def test_architectures_give_embeddings_whose_weights_are_shared():
    for classifier in (lenet5(10), resnet20(10)):
        network = siamese(classifier, size=16).eval()
        own = {id(each) for each in network.parameters()}
        assert len(own & {id(each) for each in classifier.parameters()}) == len(own) - 2
        embeddings = network(torch.rand(3, *network.input_shape))
        torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(3))


def test_both_pictures_of_a_pair_meet_the_same_weights():
    """One network called twice, and a network of two branches, have the same gradient."""
    torch.manual_seed(0)
    network = siamese(Input(6) >> Tanh(5), size=4)
    pair = torch.rand(2, 8, 6)
    first, second = map(network, pair)
    (first - second).norm(dim=1).sum().backward()
    expected = [parameter.grad.clone() for parameter in network.parameters()]
    network.zero_grad()
    both = network(pair.flatten(0, 1)).unflatten(0, (2, 8))
    (both[0] - both[1]).norm(dim=1).sum().backward()
    torch.testing.assert_close([each.grad for each in network.parameters()], expected)


def test_it_is_saved_and_read_as_any_network(tmp_path):
    network = siamese(lenet5(10), size=8).eval()
    network.save(tmp_path)
    x = torch.rand(2, *network.input_shape)
    assert torch.equal(Network.load(tmp_path).eval()(x), network(x))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the exporter warns about its own code
def test_onnx_gives_the_same(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network, path = siamese(Input(6) >> Relu(5), size=4).eval(), tmp_path / "network.onnx"
    x = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    x[1] = 0.0  # an embedding of 0, since the bias starts there
    torch.onnx.export(network, (x,), path, dynamo=True, verbose=False)
    session = runtime.InferenceSession(path)
    (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), network(x))
    assert found[1].tolist() == [0.0] * 4


def test_training_with_mined_triplets_brings_people_together():
    generator = torch.Generator().manual_seed(0)
    centers = torch.randn(10, 20, generator=generator)
    people = torch.arange(10).repeat(8)
    pictures = centers[people] + 1.5 * torch.randn(80, 20, generator=generator)
    network = siamese(Input(20) >> Relu(32), size=8)
    network.reset_parameters(generator)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    values = []
    for _ in range(30):
        embeddings = network(pictures)
        found = batch_hard_triplets(embeddings, people)
        loss = triplet_loss(*(embeddings[each] for each in found)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[-1] < 0.5 * values[0]


def test_what_has_no_features_is_refused():
    for network, kind, message in [
        (Relu(4) >> Relu(3), ShapeError, "no parameters yet"),
        (Input(None, 4) >> LSTM(5, only_last=False), ShapeError, r"\(D\) or \(C, H, W\), got"),
        (Input(4) >> parallel(Relu(3), Relu(2)), ValueError, "one output, got 2: cut it with"),
    ]:
        with pytest.raises(kind, match=message):
            siamese(network)
    with pytest.raises(ValueError, match="siamese: size must be a whole number from 1"):
        siamese(Input(4) >> Relu(3), size=0)
