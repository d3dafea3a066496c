"""``python -m neuropil`` is the command line."""

import sys

from neuropil.cli import main

sys.exit(main())
