"""First-order optimisers against torch's own, step by step."""

import copy
import inspect
import io
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neuropil import optim
from neuropil.optim import Adagrad, Adam, AdamW, GradientDescent, Momentum
from neuropil.optim.optimizer_table import optimizers

PEERS: dict[type, type] = {
    GradientDescent: torch.optim.SGD,
    Momentum: torch.optim.SGD,
    Adam: torch.optim.Adam,
    AdamW: torch.optim.AdamW,
    optim.Adamax: torch.optim.Adamax,
    optim.RMSProp: torch.optim.RMSprop,
    optim.Adadelta: torch.optim.Adadelta,
    Adagrad: torch.optim.Adagrad,
}
TORCHS = [
    kind
    for kind in vars(torch.optim).values()
    if isinstance(kind, type) and kind is not torch.optim.Optimizer
]
DIRECT = (GradientDescent, Momentum, Adam, AdamW, Adagrad)
SETTINGS: list[tuple[type, dict[str, Any]]] = [
    *((kind, {}) for kind in PEERS),
    *((kind, {"weight_decay": 0.1}) for kind in PEERS),
    *((kind, {"maximize": True}) for kind in PEERS),
    *((kind, {"foreach": True}) for kind in PEERS),
    *((kind, {"fused": True}) for kind in DIRECT),
    *((kind, {"fused": False}) for kind in DIRECT),
    (Momentum, {"nesterov": True}),
    (Momentum, {"dampening": 0.5, "momentum": 0.3}),
    (Adam, {"amsgrad": True, "betas": (0.5, 0.6)}),
    (AdamW, {"amsgrad": True, "eps": 1e-2}),
    (Adagrad, {"lr_decay": 0.1, "initial_accumulator_value": 0.5}),
    (optim.RMSProp, {"momentum": 0.9, "centered": True, "alpha": 0.5}),
    (optim.Adadelta, {"rho": 0.5}),
]
every_algorithm = pytest.mark.parametrize("kind", PEERS)
every_direct = pytest.mark.parametrize("kind", DIRECT)


def network(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).to(dtype)


def peer(kind: type, params: Any, **options: Any) -> torch.optim.Optimizer:
    if kind is Momentum:
        options.setdefault("momentum", 0.9)
    return PEERS[kind](params, **options)


def train(
    model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 6, seed: int = 0
) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    dtype = next(model.parameters()).dtype
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(7, 4, generator=generator).to(dtype)).square().mean().backward()
        optimizer.step()
    return [parameter.detach().clone() for parameter in model.parameters()]


def files_of_calls(call: Callable[[], object]) -> list[str]:
    files: list[str] = []

    def trace(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            files.append(Path(frame.f_code.co_filename).name)

    sys.setprofile(trace)
    try:
        call()
    finally:
        sys.setprofile(None)
    return files


def test_every_optimizer_of_torchs_stands_beside_its_peer():
    own = {kind for kind in optimizers().values() if kind.needs == "gradient"}
    torchs = {kind for kind in own if any(base in kind.__mro__ for base in TORCHS)}
    assert torchs == {*PEERS, optim.RPROP}  # which stands beside torch's in a test of its own


@pytest.mark.parametrize(("kind", "options"), SETTINGS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_same_steps_as_torch(kind: type, options: dict[str, Any], dtype: torch.dtype):
    ours, theirs = network(dtype), network(dtype)
    lr = 0.05
    got = train(ours, kind(ours.parameters(), lr=lr, **options))
    expected = train(theirs, peer(kind, theirs.parameters(), lr=lr, **options))
    for mine, other, start in zip(got, expected, network(dtype).parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-6)
        assert not torch.equal(mine, start)


@every_algorithm
def test_defaults_are_torchs_but_for_the_rate_of_descent(kind: type):
    ours = kind([nn.Parameter(torch.ones(2))])
    theirs = peer(kind, [nn.Parameter(torch.ones(2))])
    own = {"lr": 0.01} if PEERS[kind] is torch.optim.SGD else {}
    assert ours.defaults == theirs.defaults | own
    assert ours.needs == "gradient"
    assert isinstance(ours, PEERS[kind])


@every_algorithm
def test_groups_keep_their_options_and_frozen_parameters_their_values(kind: type):
    def make(choose: Callable[..., Any]) -> list[Tensor]:
        model = network()
        model[0].bias.requires_grad_(requires_grad=False)
        groups = [
            {"params": model[0].parameters(), "lr": 0.1},
            {"params": model[2].parameters(), "weight_decay": 0.3},
        ]
        return train(model, choose(groups, lr=0.01))

    got = make(kind)
    expected = make(lambda groups, lr: peer(kind, groups, lr=lr))
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)
    assert torch.equal(got[1], network()[0].bias)


@every_algorithm
def test_a_parameter_may_come_in_late(kind: type):
    def make(choose: Callable[..., Any]) -> list[Tensor]:
        first, second = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(2, 2))
        optimizer = choose([first, second], lr=0.1)
        for step in range(5):
            first.grad = torch.full((3,), 1.0 + step)
            second.grad = torch.full((2, 2), 2.0 - step) if step > 2 else None
            optimizer.step()
        return [first.detach(), second.detach()]

    torch.testing.assert_close(
        make(kind), make(lambda params, lr: peer(kind, params, lr=lr)), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(("kind", "options"), SETTINGS)
def test_a_loaded_state_continues_exactly(kind: type, options: dict[str, Any]):
    whole = network()
    optimizer = kind(whole.parameters(), lr=0.05, **options)
    train(whole, optimizer, seed=1)
    file = io.BytesIO()
    torch.save([whole.state_dict(), optimizer.state_dict()], file)
    expected = train(whole, optimizer, seed=2)

    file.seek(0)
    weights, state = torch.load(file, weights_only=True)
    resumed = network()
    resumed.load_state_dict(weights)
    again = kind(resumed.parameters(), lr=0.7, **options)
    again.load_state_dict(state)
    for mine, other in zip(train(resumed, again, seed=2), expected, strict=True):
        assert torch.equal(mine, other)


@every_algorithm
def test_state_goes_to_torch_and_back(kind: type):
    ours, theirs = network(), network()
    mine = kind(ours.parameters(), lr=0.05)
    other = peer(kind, theirs.parameters(), lr=0.05)
    train(ours, mine)
    theirs.load_state_dict(ours.state_dict())
    other.load_state_dict(copy.deepcopy(mine.state_dict()))
    torch.testing.assert_close(train(ours, mine), train(theirs, other), rtol=1e-5, atol=1e-6)
    mine.load_state_dict(copy.deepcopy(other.state_dict()))
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(train(ours, mine), train(theirs, other), rtol=1e-5, atol=1e-6)


@every_algorithm
def test_copies_and_pickles_work(kind: type):
    model = network()
    optimizer = kind(model.parameters())
    train(model, optimizer)
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        for parameter in twin.param_groups[0]["params"]:
            parameter.grad = torch.ones_like(parameter)
        before = twin.param_groups[0]["params"][0].detach().clone()
        twin.step()
        assert not torch.equal(twin.param_groups[0]["params"][0], before)


@every_direct
@pytest.mark.parametrize(
    ("parameter", "gradient"),
    [
        (torch.ones(3, 4), torch.arange(12.0).reshape(4, 3).T),
        (torch.ones(3, 4), torch.arange(3.0).reshape(3, 1).expand(3, 4)),
        (torch.ones(4, 3).T, torch.arange(12.0).reshape(3, 4)),
        (torch.ones(3, 8)[:, ::2], torch.arange(12.0).reshape(3, 4)),
        (torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last), torch.randn(2, 3, 4, 5)),
    ],
    ids=["transposed", "expanded", "transposed parameter", "gaps", "channels last"],
)
def test_strides_make_no_difference(kind: type, parameter: Tensor, gradient: Tensor):
    strided, plain = nn.Parameter(parameter), nn.Parameter(parameter.clone().contiguous())
    ours, theirs = kind([strided], lr=0.1), peer(kind, [plain], lr=0.1, foreach=False)
    for _ in range(4):
        strided.grad, plain.grad = gradient, gradient.contiguous()
        ours.step()
        theirs.step()
    torch.testing.assert_close(strided, plain, rtol=1e-5, atol=1e-6)


@every_direct
def test_precisions_may_be_mixed_in_a_group(kind: type):
    def make(choose: Callable[..., Any]) -> list[Tensor]:
        params = [
            nn.Parameter(torch.ones(3, dtype=dtype))
            for dtype in (torch.float32, torch.float64, torch.bfloat16)
        ]
        optimizer = choose(params, lr=0.1)
        for _ in range(4):
            for parameter in params:
                parameter.grad = torch.full_like(parameter, 0.5)
            optimizer.step()
        return [parameter.detach() for parameter in params]

    torch.testing.assert_close(make(kind), make(lambda p, lr: peer(kind, p, lr=lr)))


@pytest.mark.filterwarnings("ignore:Sparse invariant checks:UserWarning")  # torch's Adagrad
@pytest.mark.parametrize("kind", [GradientDescent, Momentum, Adagrad])
def test_sparse_gradients_work_where_torchs_do(kind: type):
    def make(choose: Callable[..., Any]) -> Tensor:
        torch.manual_seed(0)
        table = nn.Embedding(5, 2, sparse=True)
        optimizer = choose(table.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            table(torch.tensor([1, 3, 1])).sum().backward()
            optimizer.step()
        return table.weight.detach()

    torch.testing.assert_close(make(kind), make(lambda p, lr: peer(kind, p, lr=lr)))


@every_direct
def test_a_default_dtype_of_doubles_works(kind: type):
    torch.set_default_dtype(torch.float64)
    try:
        ours, theirs = network(torch.float64), network(torch.float64)
        got = train(ours, kind(ours.parameters(), lr=0.05))
        expected = train(theirs, peer(kind, theirs.parameters(), lr=0.05))
    finally:
        torch.set_default_dtype(torch.float32)
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("kind", [Adam, AdamW, Momentum])
def test_a_rate_in_a_tensor_works(kind: type):
    ours, theirs = network(), network()
    options = {"lr": torch.tensor(0.05), "foreach": False}
    got = train(ours, kind(ours.parameters(), **options))
    expected = train(theirs, peer(kind, theirs.parameters(), **options))
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)


@every_direct
def test_gradient_scaling_skips_infinite_steps(kind: type):
    parameter = nn.Parameter(torch.ones(3))
    optimizer = kind([parameter], lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    parameter.grad = torch.tensor([torch.inf, 4.0, 4.0])
    scaler.scale(torch.ones(()))
    scaler.step(optimizer)
    scaler.update()
    assert torch.equal(parameter, torch.ones(3))
    for _ in range(2):
        parameter.grad = torch.full((3,), 4.0)
        scaler.scale(torch.ones(()))
        scaler.step(optimizer)
        scaler.update()
    assert (parameter < 1).all()


@pytest.mark.parametrize("kind", [Adam, AdamW, Momentum, Adagrad])
def test_a_fused_step_under_gradient_scaling_equals_torchs(kind: type):
    def make(choose: Callable[..., Any]) -> Tensor:
        parameter = nn.Parameter(torch.ones(3))
        optimizer = choose([parameter], lr=0.1, fused=True)
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        for value in (1.0, torch.inf, 2.0, 3.0):
            parameter.grad = torch.full((3,), value)
            scaler.scale(torch.ones(()))
            scaler.step(optimizer)
            scaler.update()
        return parameter.detach()

    torch.testing.assert_close(make(kind), make(lambda p, **k: peer(kind, p, **k)))


@every_direct
def test_hooks_run_once_a_step_and_change_nothing(kind: type):
    ours, theirs = network(), network()
    # A torch optimiser of the same class has wrapped that class's `step` by now.
    peer(kind, theirs.parameters())
    optimizer = kind(ours.parameters(), lr=0.05)
    calls: list[str] = []
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    got = train(ours, optimizer, steps=3)
    assert calls == ["before", "after"] * 3
    plain = network()
    expected = train(plain, kind(plain.parameters(), lr=0.05), steps=3)
    for mine, other in zip(got, expected, strict=True):
        assert torch.equal(mine, other)


@every_direct
def test_a_profiler_sees_the_step(kind: type):
    model = network()
    optimizer = kind(model.parameters())
    train(model, optimizer, steps=2)
    with torch.profiler.profile() as profile:
        train(model, optimizer, steps=2)
    seen = {event.key: event.count for event in profile.key_averages()}
    assert seen[f"Optimizer.step#{kind.__name__}.step"] == 2


@every_direct
def test_a_closure_gives_the_loss(kind: type):
    ours, theirs = network(), network()
    inputs = torch.ones(2, 4)

    def closure_of(model: nn.Module, optimizer: torch.optim.Optimizer) -> Callable[[], Tensor]:
        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = model(inputs).square().mean()
            loss.backward()
            return loss

        return closure

    mine, other = kind(ours.parameters(), lr=0.1), peer(kind, theirs.parameters(), lr=0.1)
    for _ in range(3):
        got = mine.step(closure_of(ours, mine))
        expected = other.step(closure_of(theirs, other))
        torch.testing.assert_close(got, expected)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # raised inside torch.compile
@pytest.mark.parametrize("kind", [Momentum, Adam])
def test_a_step_compiles(kind: type):
    ours, theirs = network(), network()
    mine, other = kind(ours.parameters(), lr=0.1), kind(theirs.parameters(), lr=0.1)
    for model, step in (
        (ours, torch.compile(mine.step, backend="eager")),
        (theirs, other.step),
    ):
        for _ in range(3):
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
            step()
    torch.testing.assert_close(list(ours.parameters()), list(theirs.parameters()))


@every_direct
def test_a_step_goes_past_torchs_optimisers(kind: type):
    ours, theirs = network(), network()
    mine, other = kind(ours.parameters()), peer(kind, theirs.parameters())
    train(ours, mine)
    train(theirs, other)
    direct, usual = files_of_calls(mine.step), files_of_calls(other.step)
    assert "optimizer.py" in usual
    assert "optimizer.py" not in direct
    assert len(direct) < len(usual)


@every_algorithm
def test_gradients_are_dropped_or_zeroed(kind: type):
    parameter = nn.Parameter(torch.ones(2))
    optimizer = kind([parameter])
    parameter.grad = torch.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert parameter.grad.tolist() == [0, 0]
    optimizer.zero_grad()
    assert parameter.grad is None
    optimizer.step()
    assert parameter.tolist() == [1, 1]


@every_algorithm
@pytest.mark.parametrize("lr", [-1, 0, 0.0, float("nan"), float("inf"), "fast", None])
def test_a_wrong_rate_is_refused(kind: type, lr: Any):
    parameter = nn.Parameter(torch.ones(2))
    message = rf"{kind.__name__}: `lr` must be a number in \(0, inf\), got {lr!r}"
    with pytest.raises(ValueError, match=message):
        kind([parameter], lr=lr)
    with pytest.raises(ValueError, match=message):
        kind([{"params": [parameter], "lr": lr}])


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (Momentum, {"momentum": 1.0}, r"`momentum` must be a number in \[0, 1\), got 1.0"),
        (Momentum, {"dampening": 2}, r"`dampening` must be a number in \[0, 1\], got 2"),
        (Momentum, {"momentum": 0, "nesterov": True}, "`nesterov` needs momentum above 0"),
        (Momentum, {"dampening": 0.1, "nesterov": True}, ".* no dampening, got momentum=0.9"),
        (
            Adam,
            {"betas": (0.9, 1.0)},
            r"`betas` must be two numbers in \[0, 1\), got \(0.9, 1.0\)",
        ),
        (Adam, {"betas": 0.9}, "`betas` must be two numbers in .*, got 0.9"),
        (AdamW, {"eps": -1}, r"`eps` must be a number in \[0, inf\), got -1"),
        (
            optim.Adamax,
            {"weight_decay": -0.1},
            r"`weight_decay` must be a number in \[0, inf\)",
        ),
        (optim.RMSProp, {"alpha": 1}, r"`alpha` must be a number in \[0, 1\), got 1"),
        (optim.Adadelta, {"rho": -0.5}, r"`rho` must be a number in \[0, 1\), got -0.5"),
        (Adagrad, {"lr_decay": float("nan")}, r"`lr_decay` must be a number in \[0, inf\)"),
        (Adagrad, {"initial_accumulator_value": -1}, "`initial_accumulator_value` must be"),
    ],
)
def test_a_wrong_option_is_refused(kind: type, options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=f"{kind.__name__}: {message}"):
        kind([nn.Parameter(torch.ones(2))], **options)


def test_options_that_do_not_fit_together_are_refused_in_a_group_too():
    weights = [nn.Parameter(torch.ones(2)) for _ in range(2)]
    optimizer = Momentum(weights[:1], nesterov=True)
    with pytest.raises(ValueError, match="Momentum: `nesterov` needs momentum above 0"):
        optimizer.add_param_group({"params": weights[1:], "momentum": 0.0})


@every_algorithm
def test_no_parameters_is_an_error_that_says_why(kind: type):
    with pytest.raises(
        ValueError, match=f"{kind.__name__} got no parameters. A network has them"
    ):
        kind(nn.Identity().parameters())


@every_algorithm
def test_an_unknown_option_is_refused(kind: type):
    with pytest.raises(TypeError, match="unexpected keyword argument 'momentun'"):
        kind([nn.Parameter(torch.ones(2))], momentun=0.9)


@every_algorithm
def test_every_option_is_documented(kind: type):
    doc = inspect.getdoc(kind) or ""
    for name in inspect.signature(kind).parameters:
        assert f"{name}:" in doc


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((kind.__name__, kind) for kind in PEERS),
        *((kind.__name__.lower(), kind) for kind in PEERS),
        ("gradient_descent", GradientDescent),
        ("sgd", GradientDescent),
        ("rms_prop", optim.RMSProp),
        ("adam-w", AdamW),
    ],
)
def test_algorithms_are_found_by_name(name: str, kind: type):
    assert optim.by_name(name) is kind


def test_an_unknown_name_is_answered_with_the_nearest():
    message = r"There is no optimiser 'momentun'\. Did you mean 'momentum'\? Known: adadelta, "
    with pytest.raises(ValueError, match=message):
        optim.by_name("momentun")
    with pytest.raises(ValueError, match=r"no optimiser 'xyz'\. Known: adadelta"):
        optim.by_name("xyz")


def test_the_rate_grows_with_the_batch():
    assert optim.scale_lr(0.2, 512) == pytest.approx(0.4)
    assert optim.scale_lr(0.2, 32, base_batch_size=64) == pytest.approx(0.1)
    with pytest.raises(ValueError, match=r"`batch_size` must be a number in .*, got 0"):
        optim.scale_lr(0.1, 0)
    with pytest.raises(ValueError, match=r"`base_batch_size` must be a .*, got -2"):
        optim.scale_lr(0.1, 8, -2)
    with pytest.raises(ValueError, match=r"scale_lr: `lr` must be a number in .*, got -1"):
        optim.scale_lr(-1, 8)


@pytest.mark.parametrize("kind", [Adam, AdamW])
def test_amsgrad_corrects_the_bias_of_the_largest_moment_by_the_present_step(kind):
    """After gradients 10, 1, 1, 1, 1 as written out; the largest v̂ would give −2.43."""
    w = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = kind([w], lr=1.0, eps=0.0, weight_decay=0.0, amsgrad=True)
    expected = m = v = largest = 0.0
    for t, gradient in enumerate((10.0, 1.0, 1.0, 1.0, 1.0), 1):
        w.grad = torch.full_like(w, gradient)
        optimizer.step()
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        largest = max(largest, v)
        expected -= m / (1 - 0.9**t) / (largest / (1 - 0.999**t)) ** 0.5
    assert w.item() == pytest.approx(expected, rel=1e-9)
    assert w.item() == pytest.approx(-3.48334, abs=1e-5)
