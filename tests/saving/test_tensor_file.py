"""Tensors enter into memory that starts where torch's own does, so that sums round alike."""

import json
import os
import struct

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from neuropil.architectures import load_weights, resnet20
from neuropil.core import Network
from neuropil.core.prediction import align
from neuropil.layers import Input, Linear
from neuropil.saving.tensor_file import read_arrays, read_tensors

OFFSETS = range(16)


def at_offset(tensor: torch.Tensor, offset: int) -> torch.Tensor:
    """Return the same numbers in memory that starts so many numbers after torch's own."""
    room = torch.empty(tensor.numel() + 32)
    start = (-room.data_ptr() // 4) % 16 + offset
    place = room[start : start + tensor.numel()].view(tensor.shape)
    return place.copy_(tensor)


def write_at(path, tensors: dict[str, torch.Tensor], offset: int) -> None:
    """Write a safetensors file whose data begin at `offset` bytes past a multiple of 64."""
    header, end = {}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * 4
        shape = list(tensor.shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    text += b" " * ((offset - 8 - len(text)) % 64)
    body = b"".join(tensor.contiguous().numpy().tobytes() for tensor in tensors.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


@pytest.fixture
def example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    sizes = ((5, 128), (1, 128), (1,))
    return tuple(torch.randn(size, generator=draw) for size in sizes)


def test_the_processor_rounds_otherwise_at_other_offsets(example):
    """Why all this: where it holds, the tests below show something."""
    x, weight, bias = example
    whole = F.linear(x, weight, bias)
    if all(torch.equal(F.linear(at_offset(x, k), weight, bias), whole) for k in OFFSETS):
        pytest.skip("this processor and its library round alike at every offset")


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_network_read_from_any_offset_gives_the_same_bits(tmp_path, example, offset):
    x, weight, bias = example
    network = Input(128) >> Linear(1)
    network.save(tmp_path)
    file = tmp_path / "weights.safetensors"
    names = list(network.state_dict())
    write_at(file, dict(zip(names, (weight, bias), strict=True)), 4 * offset)
    for tensor in [*read_tensors(file).values(), *Network.load(tmp_path).state_dict().values()]:
        assert tensor.data_ptr() % 64 == 0
    expected = F.linear(x, weight, bias)
    assert torch.equal(Network.load(tmp_path)(x), expected)
    # Training on from there goes through the same bits.
    assert torch.equal(Network.load(tmp_path).predict(at_offset(x, offset)), expected)


@pytest.mark.parametrize("offset", [1, 6])
def test_published_weights_enter_aligned_and_apart(tmp_path, offset):
    with torch.device("meta"):
        network = resnet20()
    state = {k: v for k, v in resnet20().state_dict().items() if v.is_floating_point()}
    state = {k: at_offset(v, offset) for k, v in state.items()}
    load_weights(network, state, resnet20)
    for name, value in network.state_dict().items():
        if name in state:
            assert value.data_ptr() % 64 == 0
            assert value.data_ptr() != state[name].data_ptr()
            assert torch.equal(value, state[name])


def test_aligned_copies_only_what_must_be_copied(example):
    x, *_ = example
    assert align(x) is x
    moved = align(at_offset(x, 1))
    assert moved.data_ptr() % 64 == 0
    assert torch.equal(moved, x)
    empty = torch.empty(3, device="meta")
    assert align(empty) is empty


@pytest.mark.parametrize("content", [b"", b"\x00" * 20, b"hello" * 9])
def test_a_file_that_is_no_such_thing_is_named(tmp_path, content):
    file = tmp_path / "w.safetensors"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"w\.safetensors is damaged"):
        read_tensors(file)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="pipe is a pipe, not a file"):
        read_tensors(tmp_path / "pipe")


def test_arrays_are_read_and_nothing_is_unpickled(tmp_path):
    arrays = {"one.weight": np.arange(6.0).reshape(2, 3), "two": np.float32([1, 2])}
    np.savez(tmp_path / "weights.npz", **arrays)
    read = read_arrays(tmp_path / "weights.npz")
    assert list(read) == list(arrays)
    assert all(np.array_equal(read[name].numpy(), arrays[name]) for name in arrays)
    np.savez(tmp_path / "objects.npz", weight=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match=r"objects\.npz is damaged: .*allow_pickle=False"):
        read_arrays(tmp_path / "objects.npz")
    (tmp_path / "text.npz").write_text("not arrays")
    with pytest.raises(ValueError, match=r"text\.npz is damaged"):
        read_arrays(tmp_path / "text.npz")
