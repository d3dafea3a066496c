"""Detection: which things are in a picture, and where."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.vision.detection.average_precision import ap as ap
    from neuropil.vision.detection.average_precision import ap50 as ap50
    from neuropil.vision.detection.average_precision import (
        average_precision_of_boxes as average_precision_of_boxes,
    )

load_on_use(__name__, __file__)
