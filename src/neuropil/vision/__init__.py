"""Vision: boxes, detectors and the rest of the sheet on what pictures show."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.layers.detection.roi_features import roi_align as roi_align
    from neuropil.layers.detection.roi_features import roi_pool as roi_pool
    from neuropil.vision.boxes.anchor_grid import anchor_grid as anchor_grid
    from neuropil.vision.boxes.box_forms import to_centers as to_centers
    from neuropil.vision.boxes.box_forms import to_corners as to_corners
    from neuropil.vision.boxes.box_forms import to_pixels as to_pixels
    from neuropil.vision.boxes.box_forms import to_relative as to_relative
    from neuropil.vision.boxes.iou import complete_iou as complete_iou
    from neuropil.vision.boxes.iou import distance_iou as distance_iou
    from neuropil.vision.boxes.iou import generalized_iou as generalized_iou
    from neuropil.vision.boxes.iou import iou as iou
    from neuropil.vision.boxes.kmeans_anchors import AnchorFit as AnchorFit
    from neuropil.vision.boxes.kmeans_anchors import kmeans_anchors as kmeans_anchors
    from neuropil.vision.boxes.kmeans_anchors import measure_anchors as measure_anchors
    from neuropil.vision.boxes.non_max_suppression import (
        batched_non_max_suppression as batched_non_max_suppression,
    )
    from neuropil.vision.boxes.non_max_suppression import (
        non_max_suppression as non_max_suppression,
    )
    from neuropil.vision.boxes.soft_non_max_suppression import (
        soft_non_max_suppression as soft_non_max_suppression,
    )
    from neuropil.vision.detection.detection_loss import detection_loss as detection_loss
    from neuropil.vision.detection.encoding import decode_boxes as decode_boxes
    from neuropil.vision.detection.encoding import encode_boxes as encode_boxes
    from neuropil.vision.detection.figures.average_precision import ap as ap
    from neuropil.vision.detection.figures.average_precision import ap50 as ap50
    from neuropil.vision.detection.figures.average_precision import (
        average_precision_of_boxes as average_precision_of_boxes,
    )
    from neuropil.vision.detection.figures.box_confusion import box_confusion as box_confusion
    from neuropil.vision.detection.figures.box_errors import BoxError as BoxError
    from neuropil.vision.detection.figures.box_errors import box_errors as box_errors
    from neuropil.vision.detection.figures.matching import match_boxes as match_boxes
    from neuropil.vision.detection.figures.score_thresholds import (
        fit_thresholds as fit_thresholds,
    )
    from neuropil.vision.detection.figures.score_thresholds import keep_above as keep_above
    from neuropil.vision.detection.grid_head import GridHead as GridHead
    from neuropil.vision.detection.selection import detect_boxes as detect_boxes
    from neuropil.vision.faces.contrastive_loss import contrastive_loss as contrastive_loss
    from neuropil.vision.faces.distance_threshold import Threshold as Threshold
    from neuropil.vision.faces.distance_threshold import fit_threshold as fit_threshold
    from neuropil.vision.faces.distance_threshold import (
        smallest_false_accept_rate as smallest_false_accept_rate,
    )
    from neuropil.vision.faces.gallery.face_gallery import FaceGallery as FaceGallery
    from neuropil.vision.faces.gallery.face_gallery import Verification as Verification
    from neuropil.vision.faces.rank_identification import (
        rank1_identification as rank1_identification,
    )
    from neuropil.vision.faces.triplet_loss import triplet_loss as triplet_loss
    from neuropil.vision.faces.triplet_mining import batch_hard_triplets as batch_hard_triplets
    from neuropil.vision.faces.triplet_mining import semi_hard_triplets as semi_hard_triplets
    from neuropil.vision.faces.verification_curve import VerificationCurve as VerificationCurve
    from neuropil.vision.faces.verification_curve import (
        verification_curve as verification_curve,
    )
    from neuropil.vision.landmarks.landmark_loss import decode_landmarks as decode_landmarks
    from neuropil.vision.landmarks.landmark_loss import landmark_loss as landmark_loss
    from neuropil.vision.landmarks.landmark_net import LandmarkNet as LandmarkNet
    from neuropil.vision.landmarks.normalized_error import (
        normalized_mean_error as normalized_mean_error,
    )
    from neuropil.vision.localisation.localisation_loss import (
        decode_location as decode_location,
    )
    from neuropil.vision.localisation.localisation_loss import (
        localisation_loss as localisation_loss,
    )
    from neuropil.vision.localisation.localisation_metrics import (
        localisation_accuracy as localisation_accuracy,
    )
    from neuropil.vision.localisation.localisation_metrics import mean_iou as mean_iou
    from neuropil.vision.regions.graph_segmentation import (
        graph_segmentation as graph_segmentation,
    )
    from neuropil.vision.regions.region_detection import detect_regions as detect_regions
    from neuropil.vision.regions.region_head import RegionHead as RegionHead
    from neuropil.vision.regions.region_loss import region_loss as region_loss
    from neuropil.vision.regions.selective_search import selective_search as selective_search
    from neuropil.vision.segmentation.dense_prediction import (
        dense_prediction as dense_prediction,
    )
    from neuropil.vision.segmentation.mask_metrics import mask_dice as mask_dice
    from neuropil.vision.segmentation.mask_metrics import mask_iou as mask_iou
    from neuropil.vision.segmentation.run_lengths import decode_runs as decode_runs
    from neuropil.vision.segmentation.run_lengths import encode_runs as encode_runs
    from neuropil.vision.segmentation.segmentation_loss import (
        segmentation_loss as segmentation_loss,
    )
    from neuropil.vision.segmentation.tiles import predict_in_tiles as predict_in_tiles
    from neuropil.vision.segmentation.tiles import tiles as tiles

load_on_use(__name__, __file__)
