"""Learn principal components of digits that stream by, and see what they keep.

Run it with ``python examples/oja.py``; it writes ``components.png``.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from neuropil.classic import Oja


def main(
    components: int = 16, passes: int = 4, place: Path | str = "components.png"
) -> list[float]:
    """Learn components of digits block by block; return what they keep after each pass."""
    digits = load_digits().data
    model = Oja(components, rule="sanger", random_state=0)
    kept = []
    for number in range(1, passes + 1):
        for start in range(0, len(digits), 100):  # such as a stream would bring them
            model.partial_fit(digits[start : start + 100])
        kept.append(model.score(digits))
        print(f"pass {number}: {components} components keep {kept[-1]:.1%} of the variance")

    # Above some digits, below what is left of them in so few numbers.
    some = digits[:12]
    restored = model.inverse_transform(model.transform(some))
    pictures = [np.hstack(list(rows.reshape(-1, 8, 8))) for rows in (some, restored)]
    grey = np.clip(np.vstack(pictures) * 16, 0, 255).astype(np.uint8)
    Image.fromarray(grey).resize((12 * 64, 2 * 64), Image.Resampling.NEAREST).save(place)
    print(f"digits, and what the components keep of them: {place}")
    return kept


if __name__ == "__main__":
    main()
