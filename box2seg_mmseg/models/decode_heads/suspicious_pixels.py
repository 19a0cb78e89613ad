"""Pixels outside the boxes that may belong to an object without a box."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ...structures import TrainingStep


class SuspiciousPixels:
    """Finds what the network takes for an object, far from all boxes.

    If some objects have no box, not everything outside the boxes is
    background: L_GC and L_bg would teach the network to miss such objects.
    The network itself finds many of them, because most objects have a box.
    All of this is our choice; docs/box_audit.md shows what was tried.

    Args:
        threshold: A pixel is suspicious if the probability of all foreground
            classes together is above this, in ``[0, 1]``.
        halo: Pixels this near to a box, as a share of the longer side of the
            label, are never suspicious: the network's outlines are coarse.
        warmup_iters: For this many first iterations no pixel is suspicious.

    Raises:
        ValueError: ``threshold`` or ``halo`` is not in ``[0, 1]``.
    """

    def __init__(
        self,
        threshold: float = 0.2,
        halo: float = 0.1,
        warmup_iters: int = 200,
    ) -> None:
        for name, value in (('threshold', threshold), ('halo', halo)):
            if not 0 <= value <= 1:
                raise ValueError(f'{name} must be in [0, 1]. Got: {value}')
        self.threshold = threshold
        self.halo = halo
        self.warmup_iters = warmup_iters

    def __call__(self, step: TrainingStep) -> Tensor:
        """``(N, H, W)`` bool, the suspicious pixels of a batch.

        Raises:
            ValueError: The pipeline packed no boxes.
        """
        label, regions = step.packed_label, step.box_regions
        if step.before(self.warmup_iters):
            return torch.zeros_like(label, dtype=torch.bool)
        size = label.shape[1:]
        maps = [one.padded_map(size) for one in regions]
        maps = torch.stack(maps).to(label.device, non_blocking=True)
        near = (maps > 0) & (maps < 255)
        radius = round(self.halo * max(size))
        # A window of 2r + 1 pixels, first along x, then along y.
        near = near.unsqueeze(1).float()
        for window in ((1, 2 * radius + 1), (2 * radius + 1, 1)):
            padding = tuple(side // 2 for side in window)
            near = F.max_pool2d(near, window, 1, padding)
        foreground = 1 - step.log_probs[:, 0].detach().exp()
        return (near[:, 0] == 0) & (foreground > self.threshold)
