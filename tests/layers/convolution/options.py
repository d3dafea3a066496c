"""Options that tests of convolution and of its transpose draw alike."""

from typing import Any


def layer_options(
    stride: tuple[int, ...], padding: tuple[Any, ...], dilation: tuple[int, ...], groups: int
) -> dict[str, Any]:
    """Return the options that have one value per axis; alone, a padding stands by itself."""
    return {
        "stride": stride,
        "padding": padding if len(padding) > 1 else padding[0],
        "dilation": dilation,
        "groups": groups,
    }
