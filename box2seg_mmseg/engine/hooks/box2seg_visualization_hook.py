"""Pictures of what the attention and the embeddings have learned."""

from copy import deepcopy
from dataclasses import replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from mmseg.structures import SegDataSample
from torch import Tensor

from ...models import Box2SegHead
from ...structures import BatchBoxRegions
from ...visualization import overlay_heat, overlay_labels
from ..bare_model import bare_model


@HOOKS.register_module()
class Box2SegVisualizationHook(Hook):
    """Draws attention maps and affinities into the visualizer's backends.

    Of the first images of a training batch it draws side by side: the crop
    under its pseudo label; for each boxed class its attention in the boxes;
    and how similar the embedding of one pixel, marked with a cross, is to
    those of all others (their cosine; 0 and less is dark). A branch that no
    loss asks for is left out, and so is the attention of an image without
    boxes, as of one that PackSegInputs packed.

    The pictures are named ``box2seg_0``, ``box2seg_1``, ...; mmengine's
    LocalVisBackend writes them to ``vis_data/vis_image``. The training is not
    changed.

    Args:
        interval: Iterations between two pictures.
        num_images: Images of a batch.
        pixel: Place of the pixel, shares of the crop's height and width in
            ``[0, 1)``; None is the pixel of most attention in a box.

    Raises:
        TypeError: The model's decode head is not a Box2SegHead.
    """

    priority = 'LOW'

    def __init__(
        self,
        interval: int = 100,
        num_images: int = 2,
        pixel: tuple[float, float] | None = None,
    ) -> None:
        self.interval = interval
        self.num_images = num_images
        self.pixel = pixel

    def before_train(self, runner: Runner) -> None:
        """Check the model."""
        head = bare_model(runner.model).decode_head
        if not isinstance(head, Box2SegHead):
            raise TypeError(
                'Box2SegVisualizationHook needs a Box2SegHead. '
                f'Got: {type(head).__name__}'
            )

    @torch.no_grad()
    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Draw, every ``interval`` iterations."""
        if not self.every_n_train_iters(runner, self.interval):
            return
        model = bare_model(runner.model)
        first = {
            key: values[: self.num_images]
            for key, values in data_batch.items()
        }
        model.eval()
        data = model.data_preprocessor(deepcopy(first), training=True)
        head, padded = model.decode_head, data['inputs'].shape[2:]
        _, branches = head.forward_train(model.extract_feat(data['inputs']))
        model.train()
        branches = {
            name: F.interpolate(maps.float(), padded, mode='bilinear')
            for name, maps in branches.items()
        }
        for i, (crop, sample) in enumerate(
            zip(first['inputs'], first['data_samples'], strict=True)
        ):
            own = {name: maps[i] for name, maps in branches.items()}
            picture = _draw(crop, sample, own, self.pixel)
            runner.visualizer.add_image(
                f'box2seg_{i}', picture, runner.iter + 1
            )


def _draw(
    crop: Tensor,
    sample: SegDataSample,
    branches: dict[str, Tensor],
    pixel: tuple[float, float] | None,
) -> np.ndarray:
    """The panels of one image, side by side: ``(H, W, 3)`` uint8, RGB.

    The branches are those of the padded image; the sample's maps may be
    smaller than the crop (SegRescale).
    """
    height, width = crop.shape[1:]
    # From OpenCV's BGR.
    image = crop.flip(0).permute(1, 2, 0).contiguous().cpu().numpy()
    label = _enlarged(sample.gt_sem_seg.data[0], (height, width))
    panels = [overlay_labels(image, label.cpu().numpy())]

    y, x = (0.5, 0.5) if pixel is None else pixel
    row, column = int(y * height), int(x * width)
    regions = sample.get('gt_box_regions')
    if 'attention' in branches and regions is not None:
        box_map = _enlarged(regions.map, (height, width))
        pairs = BatchBoxRegions(
            [replace(regions, map=box_map)], torch.ones_like(box_map)[None] > 0
        )
        boxed = pairs.by_class()
        maps = branches['attention'][boxed.classes - 1, :height, :width]
        maps = maps.sigmoid() * boxed.inside.to(maps.device)
        panels += [overlay_heat(image, m.cpu().numpy()) for m in maps]
        if pixel is None and len(maps):
            row, column = divmod(int(maps.amax(0).argmax()), width)
    if 'embedding' in branches:
        maps = F.normalize(branches['embedding'], dim=0)[:, :height, :width]
        alike = torch.einsum('dhw,d->hw', maps, maps[:, row, column])
        panel = overlay_heat(image, alike.cpu().numpy())
        cross = (0, 255, 255), cv2.MARKER_CROSS, 15, 2
        panels.append(cv2.drawMarker(panel, (column, row), *cross))
    return np.hstack(panels)


def _enlarged(one: Tensor, size: tuple[int, int]) -> Tensor:
    """A map ``(h, w)`` in another size, uint8."""
    return F.interpolate(one[None, None].float(), size)[0, 0].to(torch.uint8)
