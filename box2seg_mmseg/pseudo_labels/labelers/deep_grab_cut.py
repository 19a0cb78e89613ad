"""Deep GrabCut: a network segments the object in each box."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...boxes import BoxCrop
from ...files import hash_of
from ...installed import find_config
from ...option import Option
from .box_crf import label_box
from .builder import LABELERS
from .pseudo_labeler import PseudoLabeler
from .segment import Segment

if TYPE_CHECKING:
    from ...models.box_network import BoxNetwork
    from ...models.post_processing import DenseCRF


@LABELERS.register_module()
class DeepGrabCut(PseudoLabeler):
    """Segments each box with a trained network (Deep GrabCut).

    After Xu et al., "Deep GrabCut for Object Selection", BMVC 2017; the
    configs in ``configs/deep_grabcut`` train the network. A box without a
    foreground pixel is filled (our choice).

    Args:
        model_config: Config of the network: a file, or the name of an
            installed one, such as ``deep_grabcut/deep-grabcut_....py``.
        checkpoint: Its checkpoint.
        device: A torch device, such as ``'cuda'``.
        batch_size: Number of boxes that the network segments at once.
        threshold: The probability from which on a pixel is foreground, in
            ``(0, 1)``.
        crf_iterations: Iterations of a dense CRF that refines each crop, with
            the parameters of :class:`DenseCRF`; 0 leaves it out. The
            threshold counts where the CRF leaves no foreground in a box.

    Raises:
        ValueError: ``model_config`` or ``checkpoint`` is missing, there is no
            such checkpoint, or a number is out of range.
        UsageError: There is no such config.
    """

    method = 'deep_grabcut'
    options = (
        Option('model_config', str, 'config of the network', '--config'),
        Option('checkpoint', str, 'checkpoint of the network'),
        Option('device', str, 'torch device, such as cuda (default: cpu)'),
        Option('batch_size', int, 'number of boxes at once (default: 8)'),
        Option(
            'threshold',
            float,
            'a pixel is foreground from this probability on (default: 0.5)',
        ),
        Option(
            'crf_iterations',
            int,
            'iterations of a dense CRF in each crop, such as 10 (default: 0, '
            'no CRF)',
        ),
    )
    runtime_arguments = ('device', 'batch_size')
    default_workers = 1

    def __init__(
        self,
        model_config: str | None = None,
        checkpoint: str | None = None,
        device: str = 'cpu',
        batch_size: int = 8,
        threshold: float = 0.5,
        crf_iterations: int = 0,
    ) -> None:
        if model_config is None or checkpoint is None:
            raise ValueError(
                'model_config (--config) and checkpoint must be given. '
                f'Got: {model_config}, {checkpoint}'
            )
        find_config(model_config)
        if not Path(checkpoint).is_file():
            raise ValueError(f'{checkpoint}: no such checkpoint')
        if batch_size < 1:
            raise ValueError(f'batch_size must be >= 1. Got: {batch_size}')
        if not 0 < threshold < 1:
            raise ValueError(f'threshold must be in (0, 1). Got: {threshold}')
        if crf_iterations < 0:
            raise ValueError(
                f'crf_iterations must be >= 0. Got: {crf_iterations}'
            )
        self.model_config = model_config
        self.checkpoint = checkpoint
        self.device = device
        self.batch_size = batch_size
        self.threshold = threshold
        self.crf_iterations = crf_iterations
        self._network: BoxNetwork | None = None
        self._crf: DenseCRF | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the network, which each process loads for itself."""
        return vars(self) | {'_network': None, '_crf': None}

    @property
    def provenance(self) -> dict[str, Any]:
        """The network and the crops behind the two paths."""
        return {
            'checkpoint_hash': hash_of(Path(self.checkpoint).read_bytes()),
            'crop': self._load().crop_options,
        }

    def segment_boxes(
        self,
        image: np.ndarray,
        boxes: np.ndarray,
        labels: np.ndarray,
        image_id: str | None,
    ) -> list[Segment]:
        """See the base class; the classes do not matter."""
        network, size = self._load(), image.shape[:2]
        crops = [network.crop(box, size) for box in boxes]
        segments: list[Segment] = []
        for start in range(0, len(crops), self.batch_size):
            batch = crops[start : start + self.batch_size]
            for crop, probs in zip(batch, network(image, batch), strict=True):
                segments.append(self._segment(image, crop, probs))
        return segments

    def _load(self) -> 'BoxNetwork':
        if self._network is None:
            from ...models.box_network import BoxNetwork

            self._network = BoxNetwork(
                find_config(self.model_config), self.checkpoint, self.device
            )
        if self.crf_iterations and self._crf is None:
            from ...models.post_processing import DenseCRF

            self._crf = DenseCRF(self.crf_iterations)
        return self._network

    def _segment(
        self, image: np.ndarray, crop: BoxCrop, probs: np.ndarray
    ) -> Segment:
        """The segment of a box from the probabilities of its crop."""
        probs = crop.inside(probs)
        values = probs >= self.threshold
        if self._crf is not None:
            refined = label_box(self._crf, image, crop.window, crop.box, probs)
            # It can remove an object of a few pixels altogether.
            values = refined if refined.any() else values
        if not values.any():
            return Segment(np.ones_like(values, np.uint8), 'no foreground')
        return Segment(values.astype(np.uint8))
