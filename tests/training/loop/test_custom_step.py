"""Trainings with a step of their own."""

import pytest
import torch
from torch import nn

from neuropil.training import Trainer

X = torch.linspace(-1, 1, 64).reshape(16, 4)


def trainer_of(network, step, **options):
    return Trainer(network, step=step, **({"seed": 0, "progress": False} | options))


def reconstruct(trainer, batch):
    loss = (trainer.network(batch) - batch).square().mean()
    return {"loss": loss, "size": torch.tensor(float(len(batch)))}


def test_the_returned_loss_is_minimised_and_the_values_are_averaged():
    net = nn.Linear(4, 4)
    trainer = trainer_of(net, reconstruct, optimizer=torch.optim.Adam(net.parameters(), 0.05))
    history = trainer.fit(X, X, epochs=60, batch_size=6)
    assert history.columns == [
        "epoch", "steps", "loss", "size", "validation_loss", "validation_size", "lr", "seconds",
    ]  # fmt: skip
    assert history[-1]["loss"] < 0.01 * history[0]["loss"]
    assert history[0]["size"] == pytest.approx((6 * 6 + 6 * 6 + 4 * 4) / 16)


def test_it_is_the_usual_step_when_it_does_the_same():
    def usual(trainer, batch):
        inputs, targets = batch
        return {"loss": (trainer.network(inputs) - targets).square().mean()}

    nets = []
    for options in ({"step": usual}, {"loss": "squared_error"}):
        torch.manual_seed(0)
        net = nn.Linear(4, 2)
        trainer = Trainer(
            net,
            seed=0,
            progress=False,
            threads=1,
            accumulate=2,
            clip_norm=0.5,
            ema=0.9,
            **options,
        )
        trainer.fit((X, X[:, :2]), epochs=3, batch_size=3)
        nets.append(net.weight)
    torch.testing.assert_close(*nets, rtol=1e-5, atol=1e-6)


def adversarial(trainer, batch):
    maker, critic = trainer.network["maker"], trainer.network["critic"]
    made = maker(torch.randn(len(batch), 2))
    fooled = critic(made.detach()).mean() - critic(batch).mean()
    trainer.minimize(fooled, "critic")
    trainer.minimize(-critic(made).mean(), "maker")
    return {"distance": -fooled}


def pair():
    torch.manual_seed(0)
    networks = {"maker": nn.Linear(2, 4), "critic": nn.Linear(4, 1)}
    optimizers = {k: torch.optim.SGD(n.parameters(), lr=0.1) for k, n in networks.items()}
    return networks, optimizers


def test_two_networks_are_trained_in_turn_and_each_by_its_own_loss():
    networks, optimizers = pair()
    hand, own = pair()
    torch.manual_seed(1)
    trainer = trainer_of(networks, adversarial, optimizer=optimizers, seed=None)
    state = torch.get_rng_state()
    trainer.fit(X, epochs=1, batch_size=16)
    torch.set_rng_state(state)
    made = hand["maker"](torch.randn(16, 2))
    (hand["critic"](made.detach()).mean() - hand["critic"](X).mean()).backward()
    own["critic"].step()
    own["maker"].zero_grad()
    (-hand["critic"](made).mean()).backward()
    own["maker"].step()
    for name, network in networks.items():
        torch.testing.assert_close(network.weight, hand[name].weight)


def test_accumulation_keeps_the_gradients_of_two_networks_apart():
    def step(trainer, batch):
        maker, critic = trainer.network["maker"], trainer.network["critic"]
        made = maker(batch[:, :2])
        trainer.minimize(critic(made.detach()).square().mean(), "critic")
        trainer.minimize(-critic(made).mean(), "maker")
        return {}

    results = []
    for options in ({"accumulate": 4, "batch_size": 4}, {"accumulate": 1, "batch_size": 16}):
        networks, optimizers = pair()
        batch_size = options.pop("batch_size")
        trainer = trainer_of(networks, step, optimizer=optimizers, **options)
        trainer.fit(X, epochs=1, batch_size=batch_size)
        results.append(networks["critic"].weight.detach())
    torch.testing.assert_close(*results)


def test_an_algorithm_may_take_several_steps_in_one():
    def step(trainer, batch):
        for _ in range(3):
            trainer.minimize((trainer.network.weight - 1).square().sum())
        return {}

    net = nn.Linear(1, 1, bias=False)
    net.weight.data.fill_(0.0)
    sgd = torch.optim.SGD(net.parameters(), lr=0.25)
    trainer_of(net, step, optimizer=sgd).fit(X[:4], epochs=1)
    assert net.weight.item() == pytest.approx(1 - 0.5**3)


def test_what_a_step_may_not_do_is_said():
    net = nn.Linear(4, 4)
    with pytest.raises(TypeError, match="a dict of scalars by name, got a Tensor"):
        trainer_of(net, lambda t, b: net(b).mean()).fit(X, epochs=1)
    with pytest.raises(TypeError, match=r"scalar tensors; 'loss' is \(16, 4\)"):
        trainer_of(net, lambda t, b: {"loss": net(b)}).fit(X, epochs=1)
    networks, optimizers = pair()
    with pytest.raises(ValueError, match=r"one of \['maker', 'critic'\], got 'crtic'"):
        trainer_of(
            networks, lambda t, b: t.minimize(b.mean(), "crtic"), optimizer=optimizers
        ).fit(X, epochs=1)

    def twice(trainer, batch):
        for _ in range(2):
            trainer.minimize(net(batch).mean())
        return {}

    with pytest.raises(ValueError, match="can minimise only one loss with 'network'"):
        trainer_of(net, twice, accumulate=2).fit(X, epochs=1, batch_size=4)
    with pytest.raises(ValueError, match="a dict of networks needs a custom step"):
        Trainer(networks, optimizer=optimizers)


def test_two_networks_are_resumed_together(tmp_path):
    results = []
    for folder, epochs in ((None, (4,)), (tmp_path, (2, 4))):
        for end in epochs:
            networks, optimizers = pair()
            trainer = trainer_of(
                networks, adversarial, optimizer=optimizers, checkpoints=folder
            )
            trainer.fit(X, epochs=end, batch_size=4, resume=folder is not None)
        results.append([n.weight for n in networks.values()])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize(
    "optimizer", ["quasi_newton", "levenberg_marquardt", torch.optim.LBFGS]
)
def test_a_search_is_not_for_a_step_that_gives_the_loss_once(optimizer):
    network = nn.Linear(4, 4)
    with pytest.raises(ValueError, match="evaluates the loss several times per step"):
        trainer_of(network, reconstruct, optimizer=optimizer).fit(X, epochs=1)


def test_a_step_that_calls_backward_is_refused_in_a_line():
    network = nn.Linear(4, 4)

    def own(trainer, batch):
        loss = (trainer.network(batch) - batch).square().mean()
        loss.backward()
        return {"loss": loss}

    with pytest.raises(TypeError, match=r"backward was already called on the loss"):
        trainer_of(network, own).fit(X, epochs=1)

    def loss(outputs, targets):
        values = (outputs - targets).square().mean(1)
        values.mean().backward()
        return values

    with pytest.raises(TypeError, match="the loss function called backward"):
        Trainer(network, loss=loss, progress=False).fit((X, X), epochs=1)
