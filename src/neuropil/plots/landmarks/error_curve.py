"""The share of pictures whose landmarks are at most so wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.plots.theme import BLUE, MUTED, blank, label, quiet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The curve ends at this multiple of the error that nine of ten pictures do not exceed: a few
# lost pictures would squeeze all others into the first part of it.
MOST = 2.0


def landmark_errors(
    errors: Any, *, unit: str = "size", others: Any = None, name: str = "baseline"
) -> Figure:
    """Draw the cumulative distribution of the errors of pictures.

    The curve says for each error which share of the pictures has at most that error; the higher
    it is, the better. It is dashed for errors to compare with.

    Shape:
        `errors`, `others`: ``(N)``.

    Args:
        errors: The normalised error of each picture.
        unit: What the errors are a part of, in words.
        others: Errors to compare with, such as those of the mean of the training points.
        name: Their name.

    Raises:
        ValueError: If there are none, or they are not finite numbers from 0 up.

    Reference:
        Cootes, Taylor, Cooper, Graham use it since the 1990s; the 300-W challenge (Sagonas et
        al., 2013) made it the common picture.

    Example:
        >>> figure = landmark_errors([0.02, 0.05, 0.03])
        >>> figure.axes[0].lines[0].get_ydata()[-1]
        np.float64(1.0)
    """
    own = [sorted_errors(errors)] + ([] if others is None else [sorted_errors(others)])
    end = MOST * max(float(np.quantile(each, 0.9)) for each in own) or 1.0
    figure, [axes] = blank(4.6, 3.4)
    quiet(axes, x=f"error, as a part of {unit}", y="share of the pictures", grid="both")
    styles: list[dict[str, Any]] = [
        {"color": BLUE, "label": "network"},
        {"color": MUTED, "label": label(name), "linestyle": (0, (4, 2))},
    ]
    for values, style in zip(own, styles, strict=False):
        shares = np.arange(len(values) + 1) / len(values)
        across = np.r_[0, values, max(end, values[-1])]
        axes.plot(across, np.r_[shares, 1.0], drawstyle="steps-post", linewidth=1.8, **style)
    axes.set(xlim=(0, end), ylim=(0, 1.02))
    if len(own) > 1:
        axes.legend(loc="lower right", frameon=False, fontsize=9)
    return figure


def sorted_errors(errors: Any) -> np.ndarray[Any, Any]:
    """Return errors in order.

    Raises:
        ValueError: If there are none, or they are not finite numbers from 0 up.
    """
    values = np.sort(np.asarray(errors, np.float64), axis=None)
    if not len(values) or not np.isfinite(values).all() or values[0] < 0:
        raise ValueError(
            "landmark_errors: needs one finite error from 0 up for each picture, got "
            f"{len(values)} of them."
        )
    return values
