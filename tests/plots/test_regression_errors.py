"""Pictures of a regression."""

import numpy as np
import pytest

from neuropil.plots import error_by_decile, predicted_against_true, residuals

PREDICTED = np.array([1.0, 2.5, 2.0, 5.0])
TRUE = np.array([1.0, 2.0, 3.0, 4.0])


def test_predictions_lie_over_their_true_values():
    figure = predicted_against_true(PREDICTED, TRUE, "a price in $ or $")
    points = figure.axes[0].collections[0].get_offsets()
    np.testing.assert_allclose(points, np.c_[TRUE, PREDICTED])
    figure.canvas.draw()
    assert figure.axes[0].get_xlabel() == r"true a price in \$ or \$"


def test_residuals_lie_over_the_predictions():
    points = residuals(PREDICTED, TRUE).axes[0].collections[0].get_offsets()
    np.testing.assert_allclose(points, np.c_[PREDICTED, PREDICTED - TRUE])


def test_each_tenth_has_its_mean_error():
    generator = np.random.default_rng(0)
    true = generator.permutation(np.arange(100.0))
    predicted = true + np.where(true < 50, 3, -1)
    axes = error_by_decile(predicted, true).axes[0]
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([3] * 5 + [1] * 5)
    lean = axes.get_lines()[1].get_ydata()
    assert lean.tolist() == pytest.approx([3] * 5 + [-1] * 5)
    assert axes.get_xticklabels()[1].get_text() == "10–19"


def test_large_numbers_are_labelled_in_thousands():
    true = [120_010.0, 675_522.0, 1_269_190.0]
    figure = predicted_against_true(true, true, "price")
    figure.draw_without_rendering()
    [axes] = figure.axes
    assert axes.xaxis.get_offset_text().get_text() == ""
    assert "200k" in [text.get_text() for text in axes.get_xticklabels()]
    tenth = error_by_decile(true, true).axes[0].get_xticklabels()[0].get_text()
    assert tenth == "120k–120k"


def test_equal_values_are_never_torn_apart():
    true = np.array([0.0] * 50 + [1.0] * 50)
    axes = error_by_decile(true + 1, true).axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0–0", "1–1"]
    assert len(error_by_decile([1.0], [2.0]).axes[0].patches) == 1


@pytest.mark.parametrize("draw", [predicted_against_true, residuals, error_by_decile])
def test_what_cannot_be_compared_is_refused(draw):
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(1,\)"):
        draw([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="finite"):
        draw([np.inf], [1.0])
