"""Training on an accelerator."""

import pytest
import torch
from sklearn.metrics import roc_auc_score
from tests.training.probes import whole_and_resumed
from torch import nn

from neuropil.training import Callback, NonFiniteError, Trainer

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator"),
]

X = torch.randn(300, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] * X[:, 1] > 0).long()


def fit(device, *, epochs=4, **options):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
    adam = torch.optim.Adam(net.parameters(), lr=0.01)
    options = {
        "optimizer": adam,
        "metrics": ["accuracy"],
        "seed": 0,
        "progress": False,
    } | options
    trainer = Trainer(net, device=device, threads=1, **options)
    trainer.fit((X, Y), (X[:50], Y[:50]), epochs=epochs, batch_size=16)
    return trainer


def test_it_trains_as_on_the_cpu():
    cpu, gpu = fit("cpu"), fit("cuda")
    assert gpu.device.type == next(gpu.network.parameters()).device.type == "cuda"
    for ours, theirs in zip(gpu.history, cpu.history, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-2)
        assert ours["validation_accuracy"] == pytest.approx(
            theirs["validation_accuracy"], abs=0.05
        )


def test_a_metric_of_numpy_gets_all_examples_on_the_cpu():
    def area(outputs, targets):
        return roc_auc_score(targets.numpy(), outputs[:, 1].numpy())

    trainer = fit("cuda", metrics={"area": area, "ours": "roc_auc"})
    for record in trainer.history:
        assert record["validation_area"] == pytest.approx(record["validation_ours"], abs=1e-9)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision(precision):
    history = fit(
        "cuda", mixed_precision=precision, clip_norm=1.0, ema=0.9, schedule="cosine", epochs=20
    ).history
    assert history[-1]["loss"] < history[0]["loss"]


def test_arrays_too_large_for_the_device_are_copied_part_by_part(monkeypatch):
    monkeypatch.setattr("neuropil.training.loop.batches.PART_OF_MEMORY", 0.0)
    piecewise = fit("cuda")
    monkeypatch.undo()
    whole = fit("cuda")
    assert piecewise.history["loss"] == pytest.approx(whole.history["loss"])


def test_a_loss_that_is_no_number_is_noticed_with_its_step():
    class Poison(Callback):
        def on_step(self, trainer):
            if trainer.steps == 30:
                trainer.network[0].weight.data.fill_(float("nan"))

    with pytest.raises(NonFiniteError, match=r"step 31: the loss is nan"):
        fit("cuda", callbacks=[Poison()])


def test_resuming_with_dropout_takes_the_same_random_numbers(tmp_path):
    def train(epochs, folder):
        net = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.5), nn.Linear(16, 2))
        trainer = Trainer(
            net, device="cuda", seed=0, checkpoints=folder, progress=False, threads=1
        )
        trainer.fit((X, Y), epochs=epochs, resume=folder is not None)
        return net

    torch.testing.assert_close(*whole_and_resumed(train, tmp_path))
