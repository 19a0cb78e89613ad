"""Training steps of small models, with one process or several.

As a script, under torch's launcher, it writes what each process of
``CASES`` computes into the folder that it is given.
"""

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmcv.cnn import build_norm_layer
from mmengine.dist import get_dist_info, init_dist
from mmengine.logging import MessageHub
from mmengine.model import BaseModule
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

import box2seg_mmseg  # noqa: F401
from box2seg_mmseg.engine import CPUDistributedDataParallel
from box2seg_mmseg.structures import BoxRegions

SIDE, NUM_CLASSES, WARMUP = 32, 4, 3
GRABCUT = dict(type='GrabCutLoss')
ATTENTION = dict(type='AttentionWeightedLoss', warmup_iters=WARMUP)
ONLY_RATES = ATTENTION | dict(fg_weight=0, bg_weight=0)
ONLY_FOREGROUND = ATTENTION | dict(bg_weight=0, fr_weight=0)
AFFINITY = dict(
    type='AffinityLoss', embedding_channels=5, pretrain_iters=WARMUP
)
LOSSES = {
    'all': (GRABCUT, ATTENTION, AFFINITY),
    'GrabCut': (GRABCUT,),
    'no GrabCut': (GRABCUT | dict(loss_weight=0), ATTENTION, AFFINITY),
    'attention': (ATTENTION,),
    'filling rates': (ONLY_RATES, AFFINITY),
    'foreground': (ONLY_FOREGROUND,),
    'affinity': (AFFINITY,),
}
# Losses, whether decoders are shared, whether there are boxes.
CASES = list(itertools.product(LOSSES, (False, True), (True, False)))


@MODELS.register_module()
class TwoConvolutions(BaseModule):
    """A backbone of two feature maps."""

    def __init__(self, norm: str) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, 2, 1)
        norm_cfg = dict(type=norm)
        if norm == 'GN':
            norm_cfg['num_groups'] = 2
        self.norm = build_norm_layer(norm_cfg, 8)[1]
        self.second = nn.Conv2d(8, 8, 3, 2, 1)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        first = self.norm(self.first(inputs)).relu()
        return first, self.second(first).relu()


class RecordingOptimWrapper(OptimWrapper):
    """Keeps the gradients of the last step."""

    def step(self, **kwargs) -> None:
        (group,) = self.optimizer.param_groups
        self.gradients = [
            torch.zeros_like(p) if p.grad is None else p.grad.clone()
            for p in group['params']
        ]
        super().step(**kwargs)


def build_model(losses: str, share: bool, norm: str = 'GN') -> nn.Module:
    torch.manual_seed(0)
    decoder = dict(
        type='FCNHead',
        in_channels=[8, 8],
        in_index=[0, 1],
        input_transform='resize_concat',
        channels=8,
        num_convs=1,
        dropout_ratio=0,
        num_classes=NUM_CLASSES,
        norm_cfg=dict(type='GN', num_groups=2),
    )
    return MODELS.build(
        dict(
            type='EncoderDecoder',
            data_preprocessor=dict(
                type='SegDataPreProcessor',
                mean=[127.5] * 3,
                std=[60] * 3,
                size=(SIDE, SIDE),
            ),
            backbone=dict(type='TwoConvolutions', norm=norm),
            decode_head=dict(
                type='Box2SegHead',
                decoder=decoder,
                losses=list(LOSSES[losses]),
                share_decoder=share,
            ),
        )
    )


def make_batch(images: Sequence[int], boxed: bool) -> dict:
    """Images that differ in their ignored pixels; 2 and 3 have no box."""
    inputs, samples = [], []
    for i in images:
        g = torch.Generator().manual_seed(i)
        size = (SIDE, SIDE)
        inputs.append(
            torch.randint(0, 256, (3, *size), generator=g, dtype=torch.uint8)
        )
        label = torch.randint(0, NUM_CLASSES, size, generator=g)
        label[: (28, 3, 0, 9)[i]] = 255
        boxes = [[4, 20, 18, 31], [10, 2, 30, 32]] if boxed and i < 2 else []
        sample = SegDataSample(metainfo=dict(img_shape=size))
        sample.gt_sem_seg = PixelData(data=label[None])
        regions = BoxRegions.from_boxes(
            torch.tensor(boxes).reshape(-1, 4).numpy(),
            torch.tensor([1, 3])[: len(boxes)].numpy(),
            size,
        )
        sample.set_data(dict(gt_box_regions=regions))
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def train(
    model: nn.Module, images: Sequence[int], boxed: bool
) -> list[dict[str, Any]]:
    """The values, gradients and state dicts of a step in warm-up, two after.

    DistributedDataParallel finds an unused parameter one step later.
    """
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    optim_wrapper = RecordingOptimWrapper(optimizer)
    result = []
    for iteration in (WARMUP - 1, WARMUP, WARMUP + 1):
        MessageHub.get_current_instance().update_info('iter', iteration)
        batch = make_batch(images, boxed)
        values = model.train_step(batch, optim_wrapper)
        bare = getattr(model, 'module', model)
        state = {k: v.clone() for k, v in bare.state_dict().items()}
        values = {name: value.detach() for name, value in values.items()}
        result.append(
            dict(values=values, gradients=optim_wrapper.gradients, state=state)
        )
    return result


def main() -> None:
    init_default_scope('mmseg')
    init_dist('pytorch', backend='gloo')
    rank, _ = get_dist_info()
    images = (2 * rank, 2 * rank + 1)
    results = []
    for losses, share, boxed in CASES:
        model = CPUDistributedDataParallel(build_model(losses, share))
        results.append(train(model, images, boxed))
    model = CPUDistributedDataParallel(build_model('all', False, 'SyncBN'))
    results.append(train(model, images, True))
    torch.save(results, Path(sys.argv[1]) / f'{rank}.pt')


if __name__ == '__main__':
    main()
