"""What losses and metrics promise alike, for the tests of both."""

import copy
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from torch import Tensor

from neuropil import training


def have_rows_and_are_public(kind: type, defined: dict[str, Any], rows: dict[str, Any]) -> None:
    """Hold what is defined of a kind to the rows of its test and the names of the package."""
    assert sorted(rows) == sorted(defined)
    public = {name for name in training.__all__ if isinstance(getattr(training, name), kind)}
    assert public == set(defined)


def looks_like_a_documented_function(thing: Any) -> None:
    """Hold a loss or metric to its signature, docstring, public name, copies and pickles."""
    doc, signature = inspect.getdoc(thing) or "", inspect.signature(thing)
    assert list(signature.parameters)[:2] == ["scores", "targets"]
    assert all(f"{name}:" in doc for name in signature.parameters)
    assert "Example" in doc
    assert thing.__name__ == thing.name == repr(thing)
    assert getattr(training, thing.name) is thing
    assert pickle.loads(pickle.dumps(thing)) is thing
    assert copy.deepcopy(thing) is thing


def refuses_a_target_too_few(
    name: str, call: Callable[[Tensor, Tensor], Any], scores: Tensor, targets: Tensor
) -> None:
    """Hold a call to its error where the numbers of scores and targets differ."""
    n = len(scores)
    said = f"{name} needs the same number .* scores for {n}, .* targets for {n - 1}"
    with pytest.raises(ValueError, match=said):
        call(scores, targets[: n - 1])
