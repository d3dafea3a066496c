"""A PyTorch module in a Python file, named as ``file.py:Net``."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import re
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, cast

from neuropil.checks import shown
from neuropil.text import nearest, reason

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from torch import nn

NAMED = re.compile(r"(?P<file>.+\.py)(?::(?P<name>\w+))?", re.IGNORECASE)


def is_python_file(text: str) -> bool:
    """Return whether a text is a Python file, with the name of what it holds or without.

    Example:
        >>> is_python_file("nets/unet.py:UNet"), is_python_file("Input(3) >> Relu(4)")
        (True, False)
    """
    return NAMED.fullmatch(text) is not None


def parts_of(text: str) -> tuple[str, str | None]:
    """Return the file and the name in it, None without one."""
    found = NAMED.fullmatch(text)
    return (text, None) if found is None else (found["file"], found["name"])


def module_in_file(text: str) -> nn.Module:
    """Return the module that a file holds, or that a class or function in it makes.

    The file is run, as by ``import``: its name is the user's own request.

    Args:
        text: The file and the name, as in ``"unet.py:UNet"``.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: When the file fails, or has no module of that name.
    """
    path, name = parts_of(text)
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"file not found: {file}.")
    with printing_to_stderr(), folder_importable(file.parent):
        thing = named(run_file(file), name, file)
        return made(thing, f"{file}:{name}", file)


def run_file(file: Path) -> ModuleType:
    """Return a Python file as a module.

    Raises:
        ValueError: When it fails.
    """
    loader = SourceFileLoader(f"neuropil_user_{file.stem}", str(file))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    module = importlib.util.module_from_spec(cast("ModuleSpec", spec))
    sys.modules[module.__name__] = module  # dataclasses and pickles look there
    with naming_the_line(file, f"{file} cannot be imported"):
        loader.exec_module(module)
    return module


def named(module: ModuleType, name: str | None, file: Path) -> Any:
    """Return the object of a name in a file.

    Raises:
        ValueError: If the file does not define the name.
    """
    if name is not None and hasattr(module, name):
        return getattr(module, name)
    own = [n for n, thing in vars(module).items() if makes_module(thing, module.__name__)]
    known = f" It has {', '.join(own[:10])}." if own else " It has no module of PyTorch."
    if name is None:
        example = own[0] if own else "Net"
        raise ValueError(f"name what to show, as in {file}:{example}.{known}")
    raise ValueError(f"{file} has no {name!r}.{nearest(name, own)}{known}")


def makes_module(thing: object, home: str) -> bool:
    """Return whether something is a module, or may make one and is defined in this file."""
    from torch import nn

    if isinstance(thing, type):
        return issubclass(thing, nn.Module) and thing.__module__ == home
    made_here = getattr(thing, "__module__", None) == home
    return isinstance(thing, nn.Module) or (inspect.isfunction(thing) and made_here)


def made(thing: Any, what: str, file: Path) -> nn.Module:
    """Return a module as it is, or the one that a class or function makes without arguments.

    Raises:
        ValueError: When it needs arguments, fails, or makes something else.
    """
    from torch import nn

    if not isinstance(thing, nn.Module) and callable(thing):
        try:
            inspect.signature(thing).bind()
        except TypeError as error:
            raise ValueError(
                f"{what} needs arguments: {reason(error)}. Write a function in the file that "
                f"takes none and returns the module, and name it."
            ) from None
        with naming_the_line(file, f"{what} cannot be called"):
            thing = thing()
    if not isinstance(thing, nn.Module):
        raise ValueError(
            f"{what} must be a torch.nn.Module, or a class or function that makes one, got "
            f"{shown(thing)}."
        )
    return thing


@contextlib.contextmanager
def naming_the_line(file: Path, what: str) -> Any:
    """Turn any error of a user's code into one that names the line.

    Raises:
        ValueError: With the error and its line in the file.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        lines = [f.lineno for f in extract_tb(error.__traceback__) if Path(f.filename) == file]
        if isinstance(error, SyntaxError):
            lines = [error.lineno]
        where = f", line {lines[-1]}" if lines else ""
        kind = type(error).__name__
        raise ValueError(f"{what}{where}: {kind}: {reason(error)}.") from error


@contextlib.contextmanager
def folder_importable(folder: Path) -> Any:
    """Let a file import its neighbours, as when Python runs it."""
    place = str(folder.resolve())
    sys.path.insert(0, place)
    try:
        yield
    finally:
        sys.path.remove(place)


def printing_to_stderr() -> contextlib.AbstractContextManager[Any]:
    """Send what a file prints to stderr, so that the command's own output stays readable."""
    return contextlib.redirect_stdout(sys.stderr)
