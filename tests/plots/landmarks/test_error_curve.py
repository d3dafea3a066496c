"""The numbers that the curve of errors shows."""

import pytest

from neuropil.plots import landmark_errors


def test_the_curve_steps_up_at_each_error():
    axes = landmark_errors([0.3, 0.1, 0.2, 0.2]).axes[0]
    (line,) = axes.lines
    shown = dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
    assert shown[0.1] == 0.25
    assert shown[0.2] == 0.75
    assert shown[0.3] == 1.0
    assert line.get_drawstyle() == "steps-post"


def test_others_are_dashed_and_have_their_name():
    axes = landmark_errors([0.1], others=[0.2], name="mean shape", unit="pixels").axes[0]
    assert axes.get_legend().texts[1].get_text() == "mean shape"
    assert axes.get_xlabel() == "error, as a part of pixels"


@pytest.mark.parametrize("errors", [[], [float("nan")], [-0.1]])
def test_what_is_not_errors_is_refused(errors):
    with pytest.raises(ValueError, match="one finite error from 0 up"):
        landmark_errors(errors)
