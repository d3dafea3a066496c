"""What the hash of a state covers."""

import pytest
import torch

from neuropil.digest import digest_of


def test_every_part_of_a_state_counts():
    state = {
        "numbers": [1, 2.5, True, None],
        "tensors": {"a": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(0)},
        "text": "x",
    }
    states = [
        state,
        state | {"text": "y"},
        state | {"numbers": [1, 2.5, 1, None]},
        state | {"numbers": [1, 2.5, True]},
        state | {"tensors": {"a": torch.arange(6.0).reshape(3, 2), "b": torch.zeros(0)}},
        state | {"tensors": {"a": torch.arange(6).reshape(2, 3), "b": torch.zeros(0)}},
        state | {"tensors": {"b": torch.arange(6.0).reshape(2, 3), "a": torch.zeros(0)}},
    ]
    assert len({digest_of(each) for each in states}) == len(states)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor(1.5),
        torch.ones(3, dtype=torch.bfloat16),
        torch.tensor([True, False]),
        torch.tensor([1 + 2j]).conj(),
        torch.ones(2, 3).to_sparse(),
        torch.arange(6.0).reshape(2, 3).T,
        torch.nn.Parameter(torch.ones(2)),
    ],
)
def test_any_kind_of_tensor_is_hashed_by_its_numbers(tensor):
    assert digest_of(tensor) == digest_of(tensor.detach().clone())
    assert digest_of(tensor) != digest_of(torch.zeros_like(tensor))
