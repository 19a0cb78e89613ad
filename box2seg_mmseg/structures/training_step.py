"""All that a training step knows, for the losses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from mmengine.dist import all_reduce, get_world_size
from mmseg.models.utils import resize
from mmseg.utils import SampleList
from torch import Tensor

from .box_regions import BatchBoxRegions, BoxRegions


@dataclass(frozen=True, eq=False)
class TrainingStep:
    """What the losses of :class:`Box2SegHead` receive.

    Shapes: N images, L foreground classes, decoder output h x w, labels
    H x W.

    Args:
        seg_logits: ``(N, L + 1, h, w)``, the decoder's output.
        branches: By name the raw outputs ``(N, D, h, w)`` of the branches
            that the losses asked for.
        data_samples: N data samples, with ``gt_sem_seg`` and all that the
            pipeline packed.
        iteration: The iteration of the run, from 0; None outside a runner.
        ignore_index: Label of the pixels that are in no loss.
        align_corners: As for the decoder.
        suspects: Takes the step and returns more pixels to ignore,
            ``(N, H, W)`` bool. It may read all but the boxes and what follows
            from ``pseudo_label``.
    """

    seg_logits: Tensor
    branches: Mapping[str, Tensor]
    data_samples: SampleList
    iteration: int | None = None
    ignore_index: int = 255
    align_corners: bool = False
    suspects: Callable[['TrainingStep'], Tensor] | None = None

    @cached_property
    def packed_label(self) -> Tensor:
        """``(N, H, W)`` int64, the label that the pipeline packed."""
        return torch.cat([one.gt_sem_seg.data for one in self.data_samples])

    @cached_property
    def pseudo_label(self) -> Tensor:
        """``(N, H, W)`` int64 in ``0..L`` or ``ignore_index``."""
        if self.suspects is None:
            return self.packed_label
        return self.packed_label.masked_fill(
            self.suspects(self), self.ignore_index
        )

    @cached_property
    def valid(self) -> Tensor:
        """``(N, H, W)`` bool, the pixels that are not ignored."""
        return self.pseudo_label != self.ignore_index

    @cached_property
    def num_valid(self) -> Tensor:
        """A scalar above 0, how many pixels of the batch are not ignored.

        With several processes it is their mean over the processes. A sum
        over valid pixels divided by it is then a process's share of the loss
        of the whole batch: the mean over the processes, which is what
        DistributedDataParallel takes of the gradients, divides the sum over
        all valid pixels by their number.
        """
        count = self.valid.sum()
        all_reduce(count)  # nothing if there is one process
        return count.clamp(min=1) / get_world_size()

    @cached_property
    def log_probs(self) -> Tensor:
        """``(N, L + 1, H, W)`` float32, log softmax of the decoder."""
        return self.resize(self.seg_logits).log_softmax(1)

    @cached_property
    def boxes(self) -> BatchBoxRegions:
        """The boxes of the batch, without the pixels that are ignored.

        Raises:
            ValueError: The pipeline packed no boxes.
        """
        return BatchBoxRegions(self.box_regions, self.valid)

    @property
    def box_regions(self) -> list[BoxRegions]:
        """The boxes of each image, as the pipeline packed them.

        Raises:
            ValueError: The pipeline packed no boxes.
        """
        if not all('gt_box_regions' in one for one in self.data_samples):
            raise ValueError(
                'the data samples have no boxes (gt_box_regions); a loss that '
                'reads them needs LoadBoxes in the training pipeline, and '
                'PackBox2SegInputs in place of PackSegInputs at its end'
            )
        return [one.gt_box_regions for one in self.data_samples]

    def before(self, num_iters: int) -> bool:
        """Whether a phase of this many iterations lasts, if in a runner."""
        return self.iteration is not None and self.iteration < num_iters

    def resize(self, maps: Tensor) -> Tensor:
        """Enlarge outputs to the size of the labels.

        Args:
            maps: ``(A, B, h, w)``, any float dtype; A or B may be 0.

        Returns:
            ``(A, B, H, W)`` float32.
        """
        size = self.packed_label.shape[1:]
        maps = maps.float()
        if maps.numel() == 0:  # interpolate refuses it
            return maps.sum() + maps.new_zeros((*maps.shape[:2], *size))
        return resize(
            maps, size, mode='bilinear', align_corners=self.align_corners
        )
