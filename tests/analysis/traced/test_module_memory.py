"""Memory of modules against PyTorch's allocator, as its profiler reports it."""

import weakref

import pytest
import torch
import torch.nn.functional as F
from tests.agreement import Does
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from neuropil import ShapeError
from neuropil.analysis import cost, peak_memory, summary
from neuropil.layers import GRU, LSTM, Convolution, Input, Relu


class Residual(nn.Module):
    def __init__(self, channels, stride=1, *, inplace=False):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(inplace=inplace),
            nn.Conv2d(2 * channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.shortcut = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


class Dense(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(channels * n, channels, 3, 1, 1) for n in (1, 2, 3)
        )

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, F.silu(layer(x))], 1)
        return x


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 48, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, 48))
        layer = nn.TransformerEncoderLayer(48, 4, 96, 0.0, batch_first=True)
        self.layers = nn.ModuleList([layer, nn.Identity()])
        self.attention = nn.MultiheadAttention(48, 4, batch_first=True)
        self.head = nn.Linear(48, 5)

    def forward(self, x):
        x = self.patches(x).flatten(2).mT
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1)
        for layer in self.layers:
            x = layer(x)
        x = x + self.attention(x, x, x, need_weights=False)[0]
        return self.head(x[:, 0])


MODULES = {
    "chain": lambda: nn.Sequential(
        *(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.5)),
        *(nn.Conv2d(16, 32, 3), nn.GELU(), nn.Flatten(), nn.LazyLinear(10), nn.LogSoftmax(1)),
    ),
    "residual": lambda: nn.Sequential(Residual(3), Residual(3, 2), Residual(3)),
    "in place": lambda: nn.Sequential(
        *(Residual(3, inplace=True), nn.BatchNorm2d(3), nn.ReLU6(inplace=True))
    ),
    "dense": lambda: Dense(3),
    "transformer": Transformer,
    "grouped": lambda: nn.Sequential(
        *(nn.Conv2d(3, 12, 5, groups=3), nn.GroupNorm(4, 12), nn.Hardswish()),
        *(nn.ConvTranspose2d(12, 3, 2, 2), nn.PReLU(), nn.Upsample(scale_factor=2)),
    ),
}


@pytest.fixture(params=MODULES)
def module(request):
    torch.manual_seed(0)
    module = MODULES[request.param]()
    module(torch.zeros(2, 3, 32, 32))
    return module


class Counter(TorchDispatchMode):
    """Counts the bytes of storages from the operation that makes them until they are freed."""

    def __init__(self, *held):
        super().__init__()
        self.alive, self.now, self.most = {}, 0, 0
        for tensor in held:
            self.see(tensor.untyped_storage())
        self.held = [tensor.untyped_storage() for tensor in held]

    def see(self, storage):
        place, size = storage.data_ptr(), storage.nbytes()
        if not size or place in self.alive:
            return
        self.now += size
        self.most = max(self.most, self.now)
        self.alive[place] = weakref.finalize(storage, self.free, place, size)

    def free(self, place, size):
        self.now -= size
        del self.alive[place]

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(output):
            if isinstance(leaf, torch.Tensor):
                self.see(leaf.untyped_storage())
        return output


def allocated(run):
    """Return the most bytes that the CPU's allocator gave out at once while something ran."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        run()
    events = [e for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return most


def step(module, x):
    torch.autograd.backward([out.sum() for out in tree_leaves(module.train()(x))])


def test_peak_memory_is_what_is_alive_at_once(module, monkeypatch):
    x = torch.randn(8, 3, 32, 32)
    held = [*module.parameters(), *module.buffers()]
    module.zero_grad(set_to_none=True)
    found = peak_memory(module, (3, 32, 32), batch_size=8)
    assert found == peak_memory(module, x)
    assert found.parameters == sum(tensor.nbytes for tensor in held)
    with Counter(*held, x) as training:
        step(module, x)
    assert found.training == pytest.approx(training.most, rel=0.01)
    # What a fused kernel takes inside nobody sees from outside.
    monkeypatch.setattr(torch.backends.mha, "get_fastpath_enabled", lambda: False)
    with torch.no_grad(), Counter(*held, x) as inference:
        module.eval()(x)
    assert found.inference == pytest.approx(inference.most, rel=0.01)


def test_peak_memory_is_what_the_allocator_gives():
    # No convolutions: their kernels take working memory that differs from machine to machine.
    layers = [nn.Linear(64, 512), nn.GELU(), nn.LayerNorm(512), nn.Linear(512, 64), nn.Tanh()]
    block = nn.TransformerEncoderLayer(64, 4, 256, 0.0, batch_first=True)
    module = nn.Sequential(*layers, block, nn.BatchNorm1d(20), nn.Linear(64, 3))
    x = torch.randn(8, 20, 64)
    held = sum(tensor.nbytes for tensor in (*module.parameters(), *module.buffers()))
    training = held + x.nbytes + allocated(lambda: step(module, x))
    assert peak_memory(module, x).training == pytest.approx(training, rel=0.05)


def saved_bytes(module, x):
    """Return the bytes that a real pass saves for its backward pass, beside the parameters."""
    saved = []
    with saved_tensors_hooks(lambda tensor: saved.append(tensor) or tensor, lambda t: t):
        outputs = module.train()(x)
    own = {t.untyped_storage().data_ptr() for t in (*module.parameters(), *module.buffers())}
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in saved}
    del outputs
    return sum(size for place, size in storages.items() if place not in own)


def test_training_keeps_what_torch_saves(module):
    x = torch.randn(3, 3, 32, 32)
    found = cost(module, x)
    assert found.training_bytes == saved_bytes(module, x)
    assert sum(layer.training_bytes for layer in found.layers) == found.training_bytes


def test_our_networks_peak_as_their_operations_do():
    network = Input(3, 16, 16) >> Convolution(8, 3) >> Relu() >> Convolution(4, 3)
    plain = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3))
    for batch_size in (1, 5):
        ours = peak_memory(network, batch_size=batch_size)
        theirs = peak_memory(plain, torch.zeros(batch_size, 3, 16, 16))
        assert ours.training == theirs.training
        # A network lets go of what its next layer no longer needs.
        assert ours.inference <= theirs.inference
    free = Input(3, None, None) >> Convolution(8, 3) >> Relu() >> Convolution(4, 3)
    assert peak_memory(free, (3, 16, 16)) == peak_memory(network)
    with pytest.raises(ShapeError, match="'input1' has a free length"):
        peak_memory(free)


def test_the_arithmetic_of_our_networks_equals_their_run(small_networks):
    for network in small_networks.values():
        plain = nn.ModuleList([network])
        plain.forward = network.forward
        run = cost(plain, tuple(torch.zeros(1, *shape) for shape in network.input_shapes))
        found = cost(network)
        assert found.training_bytes == run.training_bytes
        assert found.inference_bytes == run.inference_bytes
        assert found.multiply_adds == run.multiply_adds


def test_one_sample_may_be_too_few_for_training():
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3), nn.Flatten())
    found = cost(module, (3, 8, 8))
    more, fewer = (saved_bytes(module, torch.randn(n, 3, 8, 8)) for n in (5, 4))
    assert found.training_bytes == fewer - 3 * (more - fewer)
    table = summary(module, torch.zeros(1, 3, 8, 8))
    assert table.totals.training_bytes is None
    assert "fails in training mode" in table.notes[0]
    assert "kept in training" not in str(table)
    with pytest.raises(ShapeError, match="in training mode, Expected more than 1 value"):
        peak_memory(module, (3, 8, 8))


def test_frozen_weights_keep_less():
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3)).requires_grad_(False)
    assert cost(module, (3, 8, 8)).training_bytes == 0
    assert peak_memory(module, (3, 8, 8)).training == peak_memory(module, (3, 8, 8)).inference


def test_batches_must_be_whole():
    with pytest.raises(ValueError, match="batch_size must be a whole number from 1"):
        peak_memory(nn.Linear(3, 2), (3,), batch_size=0)


RECURRENT = {
    "lstm": lambda: nn.LSTM(32, 64, batch_first=True),
    "lstm, both ways": lambda: nn.LSTM(48, 16, num_layers=2, bidirectional=True, dropout=0.1),
    "lstm, deep": lambda: nn.LSTM(32, 64, 3, batch_first=True),
    "lstm, wide input": lambda: nn.LSTM(256, 24),
    "lstm, no bias": lambda: nn.LSTM(32, 64, bias=False),
    "lstm, projected": lambda: nn.LSTM(32, 64, proj_size=16),
    "lstm, double": lambda: nn.LSTM(32, 64).double(),
    "lstm, half": lambda: nn.LSTM(32, 64).bfloat16(),
    "gru": lambda: nn.GRU(32, 64, batch_first=True),
    "gru, deep": lambda: nn.GRU(16, 48, num_layers=2, bias=False),
    "gru, both ways": lambda: nn.GRU(32, 64, 2, bidirectional=True),
    "rnn": lambda: nn.RNN(32, 64, nonlinearity="relu"),
    "rnn, both ways": lambda: nn.RNN(32, 64, bidirectional=True, batch_first=True),
    "ours": lambda: Input(40, 32) >> LSTM(64, only_last=False) >> GRU(32),
    "among others": lambda: nn.Sequential(
        *(nn.Linear(32, 48), nn.ReLU(), nn.LSTM(48, 32)),
    ),
}


def recurrent(name):
    """Return a module, what it takes, and the bytes that it and this take."""
    torch.manual_seed(0)
    module = RECURRENT[name]()
    weight = next(module.parameters())
    columns = module.input_size if isinstance(module, nn.RNNBase) else 32
    x = torch.randn(20, 40, columns, dtype=weight.dtype)
    tensors = (*module.parameters(), *module.buffers(), x)
    return module, x, sum(tensor.nbytes for tensor in tensors)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_layers_peak_as_the_allocator_says(name):
    if "half" in name and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("this processor has no instructions for half precision")
    module, x, held = recurrent(name)
    found = peak_memory(module, x)
    module.eval()
    with torch.inference_mode():
        module(x)
        assert found.inference == pytest.approx(held + allocated(lambda: module(x)), rel=0.02)
    step(module, x)
    module.zero_grad(set_to_none=True)
    training = held + allocated(lambda: step(module, x))
    assert found.training == pytest.approx(training, rel=0.05)


@pytest.mark.parametrize("make", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_cells_peak_as_the_allocator_says(make):
    module, x = make(32, 64), torch.randn(20, 32)
    held = x.nbytes + sum(tensor.nbytes for tensor in module.parameters())
    found = peak_memory(module, x)
    with torch.inference_mode():
        module(x)
        assert found.inference == pytest.approx(held + allocated(lambda: module(x)), rel=0.01)


@torch.library.custom_op("neuropil_tests::halved", mutates_args=())
def halved(x: torch.Tensor) -> torch.Tensor:
    return x / 2


def test_an_operator_without_gradients_takes_what_its_forward_pass_does():
    halving = Does(torch.ops.neuropil_tests.halved)
    found = peak_memory(nn.Sequential(nn.Linear(4, 4), halving), (4,))
    assert found.parameters == 80
    assert found.inference == 80 + 3 * 16
    assert found.training >= found.inference


def test_a_bilinear_map_is_counted_on_its_way_back():
    found = peak_memory(nn.Bilinear(3, 4, 5), ((3,), (4,)), batch_size=7)
    assert found.training > found.inference
    assert cost(nn.Bilinear(3, 4, 5), ((3,), (4,))).multiply_adds == 5 * 3 * (4 + 1)
