"""The command line, ``neuropil``; PyTorch is imported only when a command needs it."""

from neuropil.cli.entry import main

__all__ = ["main"]
