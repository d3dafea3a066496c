"""A training whose numbers stop being numbers stops and says where."""

import math
import pickle

import pytest
import torch
from torch import nn

from neuropil.layers import Input, Linear, Relu
from neuropil.training import Callback, NonFiniteError, Trainer

X = torch.linspace(-1, 1, 80).reshape(20, 4)
Y = X[:, :1]


class Poison(Callback):
    """Makes one parameter NaN after a step."""

    def __init__(self, step, layer):
        self.step, self.layer = step, layer

    def on_step(self, trainer):
        if trainer.steps == self.step:
            dict(trainer.network.named_parameters())[self.layer].data[0] = math.nan


def network():
    return Input(4) >> Relu(8) >> Relu(8) >> Linear(1)


def fit(net, *, data=(X, Y), epochs=3, **options):
    trainer = Trainer(net, seed=0, threads=1, progress=False, **options)
    trainer.fit(data, epochs=epochs, batch_size=4)


def test_the_first_layer_that_fails_and_the_step_are_named():
    with pytest.raises(
        NonFiniteError,
        match=r"epoch 2, step 8: the loss is nan. The first layer with a non-finite output is "
        r"relu2 \(its weight is not finite\). A lower lr or clip_norm may help",
    ) as caught:
        fit(network(), callbacks=[Poison(7, "relu2.weight")])
    assert (caught.value.epoch, caught.value.step, caught.value.layer) == (2, 8, "relu2")


def test_the_error_survives_another_process():
    error = NonFiniteError("what", epoch=1, step=2, layer="relu1")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.epoch, copy.step, copy.layer) == ("what", 1, 2, "relu1")


def test_an_exploding_rate_is_noticed_before_the_weights_are_lost():
    net = network()
    sgd = torch.optim.SGD(net.parameters(), lr=1e8)
    with pytest.raises(NonFiniteError, match=r"the loss is (nan|inf)"):
        fit(net, optimizer=sgd, epochs=50)


def test_a_layer_that_overflows_is_named_though_its_weights_are_good():
    class Overflow(nn.Module):
        def forward(self, x):
            return x / (x * 0)

    net = nn.Sequential(nn.Linear(4, 4), Overflow(), nn.Linear(4, 1))
    with pytest.raises(NonFiniteError, match="first layer with a non-finite output is 1"):
        fit(net, loss="squared_error")


def test_a_bad_row_in_a_stream_is_named():
    bad = X.clone()
    bad[2, 0] = math.inf
    with pytest.raises(NonFiniteError, match=r"step 2: .* Row 2 of the inputs in this batch"):
        fit(network(), data=[(X, Y), (bad, Y)])


def test_a_loss_that_fails_by_itself_is_named():
    def roots(scores, targets):
        return (scores - targets - 1e6).sqrt().flatten(1).mean(1)

    with pytest.raises(
        NonFiniteError, match="All layers have finite outputs: the cause is the loss"
    ) as caught:
        fit(network(), loss=roots)
    assert caught.value.layer is None


def test_the_last_good_checkpoint_stays(tmp_path):
    with pytest.raises(NonFiniteError, match=r"The last good state is .*step-000000006\.pt"):
        fit(
            network(),
            callbacks=[Poison(7, "relu1.weight")],
            checkpoints=tmp_path,
            checkpoint_every=2,
        )
    good = Trainer(network(), progress=False)
    assert good.resume(tmp_path)
    assert good.steps == 6
    assert all(torch.isfinite(p).all() for p in good.network.parameters())


@pytest.mark.parametrize("step", [5, 15])
def test_weights_lost_in_the_last_step_of_an_epoch_are_noticed_at_its_end(tmp_path, step):
    with pytest.raises(NonFiniteError, match=rf"step {step}: linear1.bias is not finite"):
        fit(network(), callbacks=[Poison(step, "linear1.bias")], checkpoints=tmp_path)


def test_a_custom_step_is_looked_at_as_well():
    def step(trainer, batch):
        return {"loss": trainer.network(batch).square().mean()}

    with pytest.raises(NonFiniteError, match="first layer with a non-finite output is relu1"):
        fit(network(), data=X, step=step, callbacks=[Poison(2, "relu1.bias")])
