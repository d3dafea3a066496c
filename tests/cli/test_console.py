"""Messages of the library as a user of the command line reads them."""

import pytest

from neuropil.cli.console import as_typed


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("set task= to override", "set --task to override"),
        ("set image_size=, for example", "set --image-size, for example"),
        ("set header= to override", "set --header to override"),
        ("set encoding=, for example to 'cp1252'", "set --encoding, for example to 'cp1252'"),
        ("`encoding` 'utf-99' is not known", "--encoding 'utf-99' is not known"),
        ("choose image_size='buckets'.", "choose --image-size 'buckets'."),
        ("1 comment skipped: '# seed=42'", "1 comment skipped: '# seed=42'"),
    ],
)
def test_parameters_are_shown_as_options(message, shown):
    assert as_typed(message) == shown
