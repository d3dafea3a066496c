"""Pavlov's dog learns the bell and forgets it; an instar learns what an orange feels like.

Run it with ``python examples/hebb.py``.
"""

import numpy as np

from neuropil.classic import HebbRule, Instar

BELL, SILENCE = [[1.0]], [[0.0]]


def main() -> tuple[list[int], list[float]]:
    """Return when the dog responds to the bell, and the orange as the instar knows it."""
    dog = HebbRule(lr=0.2, decay=0.1)
    responds = []
    for day in range(1, 21):
        fed = day <= 8  # on later days, the bell rings for nothing
        dog.partial_fit(BELL, [1.0 if fed else 0.0])
        responds.append(int(dog.predict(BELL)[0]))
        print(
            f"day {day:2}: {'bell and food' if fed else 'bell alone':13}  "
            f"weight {dog.weights_.item():.2f}  {'drools' if responds[-1] else '-'}"
        )
    print(f"without a bell: {'drools' if dog.predict(SILENCE)[0] else '-'}")

    # Round, rough and light, each felt with some noise; another fruit in between.
    rng = np.random.default_rng(0)
    orange, apple = np.array([1.0, -1.0, -1.0]), np.array([1.0, 1.0, -1.0])
    felt = np.repeat([orange, apple], 20, axis=0) + 0.1 * rng.normal(size=(40, 3))
    told = np.repeat([1, 0], 20)  # "this is an orange"
    instar = Instar(lr=0.2, bias=-2.0).fit(felt, told)
    known = instar.weights_.ravel().round(2).tolist()
    print(f"an orange feels like {known}; {instar.score(felt, told):.0%} of fruits told right")
    return responds, known


if __name__ == "__main__":
    main()
