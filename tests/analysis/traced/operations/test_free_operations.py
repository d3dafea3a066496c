"""Every operation of PyTorch is counted, known to be cheap, or named in a note."""

import contextlib
import functools
import re
from collections.abc import Iterator

import torch
from torch.utils.flop_counter import flop_registry

from neuropil.analysis.traced.operations.formula_table import formula_of
from neuropil.analysis.traced.operations.free_operations import FREE, may_multiply
from neuropil.analysis.traced.operations.operation_names import name_of
from neuropil.analysis.traced.receptive.rule_table import BY_NAME

# What multiplies, by its name; and what only sounds like it.
MULTIPLYING = re.compile(
    r"mm(?![a-z])|matmul|conv(?!ert)|linear|dot|bilinear|attention|rnn|lstm|gru|fft|linalg|cdist|solve"
    r"|inv|chol|(?<!w)eig|svd|(?<!s)qr(?!t)|(^|_)lu(_|$)|kron|outer|det(?!ach)|matrix|mv$|euclid|addr|addb|stft|_tbc"
)
CHEAP = {
    *("upsample_bilinear2d", "upsample_linear1d", "upsample_trilinear3d", "erfinv"),
    *("_upsample_bilinear2d_aa", "linalg_vector_norm", "_thnn_fused_gru_cell", "index_put"),
    *("_thnn_fused_lstm_cell", "special_erfinv", "_convert_indices_from_coo_to_csr"),
    *("_convert_indices_from_csr_to_coo", "deg2rad"),
}


@functools.cache
def operations():
    """Return every operation of PyTorch that a module can run."""
    return tuple(found_operations())


def found_operations() -> Iterator[torch._ops.OpOverload]:
    for schema in torch._C._jit_get_all_schemas():
        space, _, name = schema.name.partition("::")
        packet = getattr(getattr(torch.ops, space), name, None)
        operation = getattr(packet, schema.overload_name or "default", None)
        if isinstance(operation, torch._ops.OpOverload):
            # Those of TorchScript alone are nothing that a module runs.
            with contextlib.suppress(RuntimeError):
                is_taken_apart(operation)
                yield operation


def is_taken_apart(operation):
    return torch._C._dispatch_has_kernel_for_dispatch_key(
        operation.name(), "CompositeImplicitAutograd"
    )


def test_what_sounds_like_products_is_never_free():
    free, counted, named = set(), set(), set()
    for operation in operations():
        name = name_of(operation)
        if name.space != "aten" or is_taken_apart(operation):
            continue
        if formula_of(operation) is not None:
            counted.add(name.name)
            assert not may_multiply(operation)
        elif may_multiply(operation):
            named.add(name.name)
        else:
            free.add(name.name)
    suspicious = {name for name in free if MULTIPLYING.search(name)}
    assert suspicious <= CHEAP
    assert len(counted) > 50
    assert {"_fft_r2c", "linalg_inv_ex", "_linalg_svd", "_cudnn_rnn"} <= named
    assert {"add", "relu", "cat", "sum", "native_batch_norm", "max_pool2d_with_indices"} <= free


def test_what_another_counter_counts_is_counted_or_named():
    for packet in flop_registry:
        for overload in packet.overloads() if hasattr(packet, "overloads") else ():
            operation = getattr(packet, overload)
            assert formula_of(operation) is not None or may_multiply(operation)


def test_no_name_is_misspelt():
    known = {name_of(operation).name for operation in operations()}
    assert known >= FREE


def test_what_is_never_taken_apart_is_counted_or_cheap():
    whole = [o for o in operations() if o.namespace == "aten" and name_of(o).name in BY_NAME]
    assert not {name_of(o).name for o in whole if formula_of(o) is None and may_multiply(o)}


def test_operations_that_nobody_knows_are_named():
    with torch.library._scoped_library("neuropil_products", "DEF") as library:
        library.define("new(Tensor x) -> Tensor")
        assert may_multiply(torch.ops.neuropil_products.new.default)
    with torch.library._scoped_library("aten", "FRAGMENT") as library:
        library.define("neuropil_new_product(Tensor x) -> Tensor")
        assert may_multiply(torch.ops.aten.neuropil_new_product.default)
