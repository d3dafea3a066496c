"""What constructors take by `inspect.signature`, held against `__init__` and the docstring.

Run as a script it prints what is wrong, so that another interpreter can be asked.
"""

import inspect
import re
import sys
from collections.abc import Iterator

import neuropil.classic
import neuropil.init
import neuropil.layers
import neuropil.optim
import neuropil.training

MODULES = (neuropil.layers, neuropil.init, neuropil.optim, neuropil.classic, neuropil.training)


def public_classes() -> Iterator[type]:
    """Yield every class that is public."""
    for module in MODULES:
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) and not issubclass(thing, Exception):
                yield thing


def documented(cls: type) -> list[str]:
    """Return the names in the section `Args`, or for results in `Attributes`."""
    text = inspect.getdoc(cls) or ""
    section = re.search(r"^(?:Args|Attributes):\n((?:    .*\n|\n)*)", text + "\n", re.MULTILINE)
    return re.findall(r"^    \*{0,2}(\w+):", section[1], re.MULTILINE) if section else []


def complaint(cls: type) -> str:
    """Return what is wrong with the signature of a class, if anything."""
    told = inspect.signature(cls).parameters
    own = inspect.signature(cls.__init__).parameters
    taken = [] if cls.__init__ is object.__init__ else [*own.values()][1:]
    if [*told.values()] != taken:
        return f"{cls.__name__}: the signature is {[*told]}, __init__ takes {taken}"
    if [*told] != documented(cls):
        return f"{cls.__name__}: the signature is {[*told]}, documented are {documented(cls)}"
    return ""


def complaints() -> list[str]:
    """Return what is wrong with the signatures of all public classes."""
    return [*filter(None, map(complaint, public_classes()))]


if __name__ == "__main__":
    sys.stdout.write("\n".join(complaints()))
