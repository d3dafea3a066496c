"""The signatures of public classes, by this interpreter and by Debian's own."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from tests import signatures

from neuropil.core.arguments import Arguments

DEBIAN = Path("/usr/bin/python3")


@pytest.mark.parametrize("cls", [*signatures.public_classes()], ids=lambda cls: cls.__name__)
def test_a_class_says_what_its_constructor_takes(cls):
    assert signatures.complaint(cls) == ""


def test_what_an_object_takes_is_not_what_its_constructor_takes():
    class Scaled(Arguments):
        def __init__(self, factor):
            self.factor = factor

        def __call__(self, value):
            return value * self.factor

    assert str(signatures.inspect.signature(Scaled)) == "(factor)"
    assert str(signatures.inspect.signature(Scaled(2))) == "(value)"


def test_the_signatures_hold_for_the_systems_python():
    """Debian 12 has 3.11.2, which reads `__new__` before `__init__`."""
    if not DEBIAN.exists():
        pytest.skip(f"no {DEBIAN}")
    version = subprocess.run(
        [DEBIAN, "-c", "import sys; print(*sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    if version != [str(part) for part in sys.version_info[:2]]:
        pytest.skip(f"{DEBIAN} is {'.'.join(version)}: the installed packages are not for it")
    source = Path(signatures.neuropil.core.arguments.__file__).parents[2]
    path = os.pathsep.join([str(source), sysconfig.get_path("purelib")])
    run = subprocess.run(
        [DEBIAN, signatures.__file__],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
