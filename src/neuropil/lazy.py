"""Packages that load their public names on first use, and objects imported by name."""

from __future__ import annotations

import ast
import importlib
import sys
from types import ModuleType
from typing import Any

from typing_extensions import override


class LazyPackage(ModuleType):
    """A package that imports a public name from its module when the name is first used.

    The public names are the imports under ``if TYPE_CHECKING:`` in the ``__init__.py`` of the
    package, which editors and type checkers also read. They have the form that exports a name:
    ``from neuropil.core.layer import Layer as Layer``.
    """

    # The module of each public name, and the name in that module.
    homes: dict[str, tuple[str, str]]

    @override
    def __getattr__(self, name: str) -> Any:
        if name not in self.homes:
            raise AttributeError(
                f"module {self.__name__!r} has no attribute {name!r}{self.hint(name)}"
            )
        module, original = self.homes[name]
        if module == self.__name__:
            return importlib.import_module(f"{module}.{name}")
        value = getattr(importlib.import_module(module), original)
        setattr(self, name, value)
        return value

    def hint(self, name: str) -> str:
        """Return the public name here of something with another name elsewhere."""
        if name.startswith("_"):
            return ""
        from neuropil.foreign_names import our_name

        ours = our_name(name)
        return f". Neuropil calls it {ours!r}" if ours in self.homes else ""

    @override
    def __setattr__(self, name: str, value: object) -> None:
        # Importing a submodule sets it as an attribute. It must not replace a public function
        # of the same name, such as analysis.summary.
        home, _ = self.homes.get(name, (self.__name__, name))
        if home == self.__name__ or not isinstance(value, ModuleType):
            super().__setattr__(name, value)

    @override
    def __dir__(self) -> list[str]:
        return sorted({*self.homes, *(name for name in vars(self) if name.startswith("__"))})


def load_on_use(package: str, file: str) -> None:
    """Make a package load its public names lazily; called last in its ``__init__.py``.

    Args:
        package: The package's ``__name__``.
        file: The package's ``__file__``.
    """
    module = sys.modules[package]
    with open(file, encoding="utf-8") as source:  # noqa: PTH123 - pathlib takes time to load
        homes = exports(source.read())
    vars(module).update(homes=homes, __all__=sorted(homes))
    module.__class__ = LazyPackage


def public_names(package: ModuleType, part: str = "") -> list[str]:
    """Return the public names of a package without loading them.

    Args:
        package: The package.
        part: Prefix of the modules to include, such as ``".losses"``; all by default.
    """
    if not part:
        return package.__all__
    inside = package.__name__ + part
    return [name for name in package.__all__ if package.homes[name][0].startswith(inside)]


def import_name(name: str) -> Any:
    """Import and return what a table names.

    Args:
        name: Module and name in it, such as ``"neuropil.saving.network_files.save"``.
    """
    module, _, own = name.rpartition(".")
    return getattr(importlib.import_module(module), own)


def exports(source: str) -> dict[str, tuple[str, str]]:
    """Return the module and the original name of each name that a package exports."""
    return {
        alias.asname: (node.module, alias.name)
        for block in ast.parse(source).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if alias.asname
    }
