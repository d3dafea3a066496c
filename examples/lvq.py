"""Tell handwritten digits apart with fifty prototypes, by each rule of the LVQ family.

A prototype is a picture: fifty of them, five a digit, are all that the classifier is. Run it
with ``python examples/lvq.py``, which also draws the prototypes of GLVQ in ``lvq.png``.
"""

from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from neuropil.classic import GLVQ, GMLVQ, LVQ, LVQ2, LVQ3, LVQ21
from neuropil.plots.theme import blank, label


def main(epochs: int = 10, picture: str | None = "lvq.png") -> dict[str, float]:
    """Train each rule on three quarters of the digits, return accuracies on the others."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
    accuracies = {}
    for kind in (LVQ, LVQ2, LVQ21, LVQ3, GMLVQ, GLVQ):
        model = kind(prototypes_per_class=5, n_epochs=epochs, random_state=0).fit(X, y)
        accuracies[kind.__name__] = float(model.score(X_test, y_test))
        print(f"{kind.__name__:6} {accuracies[kind.__name__]:.4f}")
    if picture:
        figure, axes = blank(6, 3.4, columns=10, rows=5)
        for k, (prototype, digit) in enumerate(
            zip(model.prototypes_, model.prototype_labels_, strict=True)
        ):
            place = axes[10 * (k % 5) + k // 5]
            place.imshow(prototype.reshape(8, 8), cmap="gray_r")
            place.set_axis_off()
            if k % 5 == 0:
                place.set_title(label(digit), fontsize=9)
        figure.savefig(Path(picture))
    return accuracies


if __name__ == "__main__":
    main()
