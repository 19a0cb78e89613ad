"""Pseudo labels that a trained network refines."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..images import ImageError
from ..label_maps import IGNORE, mask_of_label, read_label_png
from ..models.post_processing import DenseCRF
from ..pseudo_labels import LABELERS, PseudoLabeler, Segment
from ..pseudo_labels.refinement import refine_segment
from ..pseudo_labels.store import png_path, read_manifest
from .cross_fitted import CrossFittedNetworks

# The CRF's bi_xy, as a share of the square root of the box's area.
_CRF_REACH = 0.4


@LABELERS.register_module()
class RefinedLabels(PseudoLabeler):
    """Mixes a network's predictions with the labels it was trained on.

    The network averages out what is wrong in single labels, but its outline
    is coarse; the old labels and the dense CRF know the outline. Each box is
    refined by itself (:func:`refine_segment`), so that outside all boxes
    there is only background. All of this is our choice; docs/pseudo_labels.md
    shows what was tried.

    A network tends to repeat the errors of the labels that it was trained
    on. It should therefore label other images: give one checkpoint for each
    part of the split, trained on the other parts (``train_rounds`` does so).

    A network with a single foreground class refines boxes of any classes.

    Args:
        model_config: Config of the network: a file, or the name of an
            installed one.
        checkpoints: Its checkpoint; or several, each with the split file of
            the images that it labels.
        labels: Folder of the old labels.
        network_share: Weight of the network's probabilities, in ``[0, 1]``;
            the old label has the rest.
        confidence: Probability that an old label stands for, in
            ``[0.5, 1]``.
        gamma: The network's mean probability of a box's class, over the box,
            is raised to at least this share of the filling rate of the old
            label, in ``[0, 1]``.
        tightness: The probability of an object is raised in rows and columns
            of its box whose highest value is less than this, in ``[0, 1)``;
            0 for boxes that do not fit their objects.
        least_filling: A box keeps its old label if less than this share of
            it would have its class, in ``[0, 1]``.
        crf: Whether a :class:`DenseCRF` makes the labels, with its default
            parameters but for ``bi_xy``, which grows with the box.
        scales: As for :class:`CrossFittedNetworks`, like ``device`` and
            ``trust``.

    Raises:
        ImportError: ``crf`` is set and pydensecrf is not installed.
        UsageError: There is no such config or split file.
        ValueError: A number is out of its range, or two split files name the
            same image.
    """

    runtime_arguments = ('device', 'trust')
    default_workers: ClassVar[int | None] = 1

    def __init__(
        self,
        model_config: str,
        checkpoints: str | Mapping[str, str],
        labels: str,
        network_share: float = 0.5,
        confidence: float = 0.7,
        gamma: float = 0.9,
        tightness: float = 0.65,
        least_filling: float = 0.2,
        crf: bool = True,
        scales: Sequence[float] = (1, 1.5),
        device: str = 'cpu',
        trust: bool = False,
    ) -> None:
        for name, value, low in (
            ('network_share', network_share, 0),
            ('confidence', confidence, 0.5),
            ('gamma', gamma, 0),
            ('least_filling', least_filling, 0),
        ):
            if not low <= value <= 1:
                raise ValueError(f'{name} must be in [{low}, 1]. Got: {value}')
        if not 0 <= tightness < 1:
            raise ValueError(f'tightness must be in [0, 1). Got: {tightness}')
        self.model_config = str(model_config)
        self.checkpoints = checkpoints
        self.labels = str(labels)
        self.network_share = network_share
        self.confidence = confidence
        self.gamma = gamma
        self.tightness = tightness
        self.least_filling = least_filling
        self.crf = crf
        self.scales = list(scales)
        self.device = device
        self.trust = trust
        self._networks = CrossFittedNetworks(
            model_config, checkpoints, scales, device, trust
        )
        if crf:
            DenseCRF()  # says now if pydensecrf is missing

    @property
    def provenance(self) -> dict[str, Any]:
        """Hashes of the files, and how the old labels were made."""
        old_labels = read_manifest(self.labels)
        return {'old_labels': old_labels, **self._networks.provenance}

    def check_classes(self, classes: Sequence[str]) -> None:
        """Check that the networks know the classes of the boxes.

        Args:
            classes: The foreground classes of the boxes.

        Raises:
            UsageError: A network has other classes, and more than one.
        """
        checkpoints = self.checkpoints
        if not isinstance(checkpoints, Mapping):
            checkpoints = [checkpoints]
        for checkpoint in checkpoints:
            network = self._networks.load(checkpoint)
            network.check_box_classes(classes, allow_one_class=True)

    def warm_up(self, progress: bool = False) -> None:
        """Nothing is compiled."""

    def side_files(self, image_id: str) -> tuple[Path, ...]:
        """The old label map.

        Raises:
            ImageError: It is missing.
        """
        path = png_path(Path(self.labels), image_id)
        if not path.is_file():
            raise ImageError(f'{path}: missing; each image needs an old label')
        return (path,)

    def segment_boxes(
        self,
        image: np.ndarray,
        boxes: np.ndarray,
        labels: np.ndarray,
        image_id: str | None,
    ) -> list[Segment]:
        """See the base class.

        Raises:
            ImageError: The old label map is corrupt or has another size.
            ValueError: No split file names the image, or the network knows
                too few classes.
        """
        if not len(boxes):
            return []
        (path,) = self.side_files(image_id)
        try:
            old = read_label_png(path, IGNORE)
        except ValueError as error:
            raise ImageError(str(error)) from None
        if old.shape != image.shape[:2]:
            raise ImageError(
                f'{path}: must have the size of the image, '
                f'{image.shape[:2]}. Got: {old.shape}'
            )
        probs = self._networks.predict(image, image_id)
        # A network with one foreground class sees objects of any class.
        channels = np.ones_like(labels) if len(probs) == 2 else labels
        if channels.max() >= len(probs):
            raise ValueError(
                f'{self.model_config}: has {len(probs)} classes with the '
                f'background, but a box of {image_id} has class '
                f'{labels.max()}; use the class list of the boxes'
            )
        # Only the boxes' classes are possible.
        possible = probs[np.unique([0, *channels])].sum(0)
        segments = []
        for box, label, channel in zip(
            boxes.tolist(), labels, channels, strict=True
        ):
            x1, y1, x2, y2 = box
            side = math.sqrt((x2 - x1) * (y2 - y1))
            inside = np.s_[y1:y2, x1:x2]
            segment = refine_segment(
                image,
                tuple(box),
                probs[channel][inside] / possible[inside],
                mask_of_label(old[inside], label),
                self.network_share,
                self.confidence,
                self.gamma,
                self.tightness,
                self.least_filling,
                DenseCRF(bi_xy=_CRF_REACH * side) if self.crf else None,
            )
            segments.append(segment)
        return segments
