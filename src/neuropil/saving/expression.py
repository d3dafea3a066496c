"""Parsing of network expressions, which are never evaluated."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, cast

import torch

from neuropil.checks import shown
from neuropil.core.composition import as_network
from neuropil.core.layer import Composable
from neuropil.saving.layer_catalogue import catalogue, make
from neuropil.text import nearest, reason

if TYPE_CHECKING:
    from neuropil.core.network import Network

# Limits of an expression: a thousand layers take about 30,000 characters, and VGG-16 has 138
# million parameters.
LONGEST = 100_000
MOST_PARAMETERS = 2**29
LONGEST_LINE = 1000


def parse(text: str) -> Network:
    """Return the network described by an expression, which is parsed, never evaluated.

    Raises:
        ValueError: When it is not such an expression, names an unknown layer, or exceeds the
            limits of size.
    """
    if len(text) > LONGEST:
        raise ValueError(
            f"{shown(text)} has {len(text):,} characters, and a network expression at most "
            f"{LONGEST:,}."
        )
    try:
        tree = ast.parse(text.strip(), mode="eval")
        # On the meta device first, which takes no memory.
        with torch.device("meta"):
            planned = read(tree.body)
        if torch.empty(0).is_meta and isinstance(planned, Composable):
            return as_network(planned)
        check_size(planned, text)
        return as_network(read(tree.body))
    except (SyntaxError, RecursionError, MemoryError) as error:
        if isinstance(error, MemoryError) and error.args:  # the message of a layer
            raise ValueError(f"{shown(text)}: {error}") from None
        what = getattr(error, "msg", None) or "it is nested too deeply"
        line = f"{shown(text)} is not a network expression: {what}."
        raise ValueError(line) from None
    except ValueError as error:
        if len(str(error)) <= LONGEST_LINE:
            raise
        raise type(error)(f"{reason(error)}.") from None
    except Exception as error:  # any error of a layer with unexpected arguments
        raise ValueError(f"{shown(text)} cannot be built: {reason(error)}.") from error


def check_size(planned: Any, text: str) -> None:
    """Raise an error for a value that is not a network, or for too large a network.

    Raises:
        ValueError: When it is.
    """
    if not isinstance(planned, Composable):
        raise ValueError(f"{shown(text)} is not a network: join layers with >>.")
    modules = planned if isinstance(planned, torch.nn.Module) else torch.nn.Identity()
    count = sum(parameter.numel() for parameter in modules.parameters())
    if count > MOST_PARAMETERS:
        raise ValueError(
            f"{shown(text)} has {count:,} parameters, and a network expression at most "
            f"{MOST_PARAMETERS:,}: build it in Python."
        )


def read(node: ast.expr) -> Any:
    """Return the object described by one part of an expression.

    Raises:
        ValueError: When it is not a layer, operation, initialiser or literal.
    """
    match node:
        case ast.BinOp(_, ast.RShift() | ast.BitOr(), _):
            return chain(node)
        case ast.Call(ast.Name(name), args, keywords):
            return call(name, args, keywords)
        case ast.Tuple(items) | ast.List(items):
            return tuple(map(read, items))
        case ast.Name(name):
            near = nearest(name, catalogue())
            raise ValueError(f"{shown(name)} needs brackets, as in Relu().{near}")
    return literal(node)


def literal(node: ast.expr) -> Any:
    """Return a number, a string or None.

    Raises:
        ValueError: When the part of the expression is something else, such as ``...``.
    """
    match node:
        case ast.Constant(int() | float() | str() | None as value):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
            return -value
        case ast.Constant(value) if value is ...:
            raise ValueError(
                "an array of initial values is not part of a network expression, which has "
                "... in its place: give the array in Python, or save and load the network."
            )
    raise ValueError(
        f"{shown(ast.unparse(node))} is not allowed in a network expression: only layers, "
        f">>, |, parallel, repeat, initialisers, numbers, strings and tuples are read."
    )


def chain(node: ast.BinOp) -> Any:
    """Return the networks of ``a >> b | c`` composed from the left, without recursion.

    Raises:
        ValueError: When one of them is not a network.
    """
    signs: list[Any] = []
    parts: list[ast.expr] = []
    first: ast.expr = node
    while isinstance(first, ast.BinOp) and isinstance(first.op, ast.RShift | ast.BitOr):
        signs.append(first.op)
        parts.append(first.right)
        first = first.left
    result = read(first)
    for sign, part in zip(reversed(signs), reversed(parts), strict=True):
        result = compose(result, sign, read(part))
    return result


def compose(left: Any, sign: ast.RShift | ast.BitOr, right: Any) -> Composable:
    """Return two networks in series or in parallel.

    Raises:
        ValueError: When one of the two is not a network or layer.
    """
    for side in (left, right):
        if not isinstance(side, Composable):
            raise ValueError(f"{shown(repr(side))} is not a layer and cannot be joined to one.")
    return left >> right if isinstance(sign, ast.RShift) else left | right


def call(name: str, args: list[ast.expr], keywords: list[ast.keyword]) -> Any:
    """Return the result of calling a public name.

    Raises:
        ValueError: When the name is not public or does not take these arguments.
    """
    if any(isinstance(item, ast.Starred) for item in args) or any(
        k.arg is None for k in keywords
    ):
        raise ValueError(f"{name}(…): * and ** are not allowed in a network expression.")
    values = [read(item) for item in args]
    options = {cast("str", keyword.arg): read(keyword.value) for keyword in keywords}
    return make(name, values, options)
