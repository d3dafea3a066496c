"""Detection: which things are in a picture, and where."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.vision.detection.average_precision import ap as ap
    from neuropil.vision.detection.average_precision import ap50 as ap50
    from neuropil.vision.detection.average_precision import (
        average_precision_of_boxes as average_precision_of_boxes,
    )
    from neuropil.vision.detection.box_confusion import box_confusion as box_confusion
    from neuropil.vision.detection.box_errors import BoxError as BoxError
    from neuropil.vision.detection.box_errors import box_errors as box_errors
    from neuropil.vision.detection.box_errors import box_mistakes as box_mistakes
    from neuropil.vision.detection.box_f1 import f1_intervals as f1_intervals
    from neuropil.vision.detection.detection_metrics import (
        detection_metrics as detection_metrics,
    )
    from neuropil.vision.detection.localisation_metrics import (
        localisation_accuracy as localisation_accuracy,
    )
    from neuropil.vision.detection.localisation_metrics import mean_iou as mean_iou
    from neuropil.vision.detection.matching import match_boxes as match_boxes
    from neuropil.vision.detection.score_thresholds import fit_thresholds as fit_thresholds
    from neuropil.vision.detection.score_thresholds import keep_above as keep_above

load_on_use(__name__, __file__)
