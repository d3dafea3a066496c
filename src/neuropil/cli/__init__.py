"""The command line, ``neuropil``: nothing here loads PyTorch before a command needs it."""

from neuropil.cli.entry import main

__all__ = ["main"]
