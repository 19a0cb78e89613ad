"""A stock decode head, the branches that losses add to it, and the losses."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.logging import MessageHub
from mmengine.model import BaseModule, normal_init
from mmengine.structures import PixelData
from mmseg.models.losses import accuracy
from mmseg.registry import MODELS
from mmseg.utils import ConfigType, SampleList
from torch import Tensor, nn

from ...structures import TrainingStep
from ..losses import Box2SegLoss
from .processes import average_over_processes
from .removed_arguments import explain_arguments
from .stock_decoder import build_decoder, cannot_share, check_decoder
from .suspicious_pixels import SuspiciousPixels


@MODELS.register_module()
class Box2SegHead(BaseModule):
    """Box2Seg's decoders and losses over a stock decode head [N].

    The decoder of classes y is the stock head. Each loss names the branches
    that it needs beside it, such as ``attention`` or ``embedding``; a branch
    is the stock head again with other output channels or, with
    ``share_decoder``, one more output layer (our choice). Only the decoder of
    classes runs at test time, and its parameters are named as the stock
    head's.

    Args:
        decoder: Config of a stock decode head with ``num_classes`` L + 1, of
            those that give one map of logits (UPerHead, SegformerHead,
            DepthwiseSeparableASPPHead and most others; docs/own_project.md
            lists them). Its ``loss_decode`` is not used.
        losses: Configs of :class:`Box2SegLoss` modules. A loss whose weights
            are 0 is not built and costs nothing.
        share_decoder: Add output layers to one decoder instead of building a
            decoder for each branch.
        branch_decoder: Options in which the decoders of the branches differ
            from ``decoder``, such as ``dict(channels=320)``. Three UPerNet
            decoders of full width take nearly three times as long as one
            (our choice).
        ignore_index: Label of the pixels that are in no loss.
        ignore_suspects: Options of :class:`SuspiciousPixels`, ``dict()`` for
            its defaults: where the network sees an object far from all boxes,
            no loss says that there is none, also none of an auxiliary head.
            For data in which objects have no box (our choice); None turns it
            off.

    Raises:
        TypeError: An argument is unknown. For an argument that the head had
            before ``losses``, the message shows the new form. Or a loss is
            no :class:`Box2SegLoss`, or the decoder has outputs or losses
            that would be left out (DAHead, EncHead, OCRHead, MaskFormerHead).
        ValueError: Two losses ask for a branch of one name with different
            channels, an option would have no effect, or the decoder cannot be
            shared.
    """

    def __init__(
        self,
        decoder: ConfigType,
        losses: Sequence[ConfigType] = (
            dict(type='GrabCutLoss'),
            dict(type='AttentionWeightedLoss'),
            dict(type='AffinityLoss'),
        ),
        share_decoder: bool = False,
        branch_decoder: ConfigType | None = None,
        ignore_index: int = 255,
        ignore_suspects: ConfigType | None = None,
        **unknown: Any,
    ) -> None:
        super().__init__()
        if unknown:
            raise TypeError(explain_arguments(unknown))
        check_decoder(decoder, ignore_index)
        self.num_classes = decoder['num_classes']
        self.share_decoder = share_decoder
        self.ignore_index = ignore_index
        self.suspects = None
        if ignore_suspects is not None:
            self.suspects = SuspiciousPixels(**ignore_suspects)

        self.seg_decoder = build_decoder(decoder, self.num_classes)
        if share_decoder and not hasattr(self.seg_decoder, 'conv_seg'):
            raise cannot_share(self.seg_decoder)
        self.align_corners = self.seg_decoder.align_corners
        self.out_channels = self.seg_decoder.out_channels

        built = [MODELS.build(loss) for loss in losses]
        for loss in built:
            if not isinstance(loss, Box2SegLoss):
                raise TypeError(
                    'losses must be subclasses of Box2SegLoss, which receive '
                    f'a TrainingStep. Got: {type(loss).__name__}'
                )
        self.losses = nn.ModuleList(loss for loss in built if not loss.is_off)
        self.branch_channels = self._collect_branches()
        if share_decoder and branch_decoder:
            raise ValueError(
                'branch_decoder has no effect with share_decoder=True, which '
                'builds no decoders for branches; remove one of the two'
            )
        branch_decoder = dict(decoder, **(branch_decoder or {}))
        for name, channels in self.branch_channels.items():
            self._add_branch(name, branch_decoder, channels)

    def _collect_branches(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for loss in self.losses:
            wanted = loss.branch_channels(self.num_classes)
            for name, channels in wanted.items():
                if found.setdefault(name, channels) != channels:
                    raise ValueError(
                        f'two losses need a branch {name!r}, with '
                        f'{found[name]} and {channels} channels; give one of '
                        'the two another name'
                    )
        return found

    def _add_branch(
        self, name: str, decoder: ConfigType, channels: int
    ) -> None:
        if self.share_decoder:
            width = self.seg_decoder.conv_seg.in_channels
            layer = nn.Conv2d(width, channels, 1)
            normal_init(layer, std=0.01)  # as stock heads do conv_seg
            self.add_module(f'{name}_conv', layer)
        else:
            layer = build_decoder(decoder, channels)
            self.add_module(f'{name}_decoder', layer)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """``(N, L + 1, h, w)`` logits of the classes, as at test time."""
        return self.seg_decoder(inputs)

    def forward_train(
        self, inputs: tuple[Tensor, ...]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the classes and all branches.

        Returns:
            Logits of the classes ``(N, L + 1, h, w)``, and by name the raw
            outputs ``(N, D, h, w)`` of the branches.
        """
        if not self.share_decoder:
            return self.seg_decoder(inputs), {
                name: getattr(self, f'{name}_decoder')(inputs)
                for name in self.branch_channels
            }
        seg_logits, features = self._forward_shared(inputs)
        return seg_logits, {
            name: getattr(self, f'{name}_conv')(features)
            for name in self.branch_channels
        }

    def _forward_shared(
        self, inputs: tuple[Tensor, ...]
    ) -> tuple[Tensor, Tensor]:
        """Logits, and the features that every stock head gives conv_seg."""
        features = []
        handle = self.seg_decoder.conv_seg.register_forward_pre_hook(
            lambda _, args: features.append(args[0])
        )
        try:
            seg_logits = self.seg_decoder(inputs)
        finally:
            handle.remove()
        if not features:
            raise cannot_share(self.seg_decoder)
        return seg_logits, features[-1]

    def predict(
        self,
        inputs: tuple[Tensor, ...],
        batch_img_metas: list[dict],
        test_cfg: ConfigType,
    ) -> Tensor:
        """Predict with the stock decoder; see mmseg's BaseDecodeHead."""
        return self.seg_decoder.predict(inputs, batch_img_metas, test_cfg)

    def loss(
        self,
        inputs: tuple[Tensor, ...],
        batch_data_samples: SampleList,
        train_cfg: ConfigType,
    ) -> dict[str, Tensor]:
        """Compute all losses and statistics of a batch.

        Args:
            inputs: Feature maps.
            batch_data_samples: With ``gt_sem_seg`` (int64 ``(1, H, W)`` in
                ``0..L`` or ``ignore_index``, the pseudo label) and, for losses
                that read boxes, ``gt_box_regions`` (:class:`BoxRegions`), as
                PackBox2SegInputs packs them.
            train_cfg: Not used.

        Returns:
            What the losses return; ``acc_seg`` in percent; ``ignored``, the
            share of ignored pixels.

        Raises:
            ValueError: The dataset and the head differ in their number of
                classes.
        """
        for sample in batch_data_samples:
            found = sample.metainfo.get('num_classes', self.num_classes)
            if found != self.num_classes:
                raise ValueError(
                    f'the decode head has {self.num_classes} classes with the '
                    f'background, the training dataset {found}; set '
                    "num_classes of the head's decoder, or metainfo.classes "
                    'of the dataset'
                )
        return self.loss_by_feat(
            self.forward_train(inputs), batch_data_samples
        )

    def loss_by_feat(
        self,
        outputs: tuple[Tensor, dict[str, Tensor]],
        batch_data_samples: SampleList,
    ) -> dict[str, Tensor]:
        """See :meth:`loss`; ``outputs`` are of :meth:`forward_train`.

        With several processes the values are means over the processes; see
        :func:`average_over_processes`.
        """
        seg_logits, branches = outputs
        step = TrainingStep(
            seg_logits,
            branches,
            batch_data_samples,
            MessageHub.get_current_instance().get_info('iter'),
            self.ignore_index,
            self.align_corners,
            self.suspects,
        )
        # Losses in float32, also under autocast.
        with torch.autocast(seg_logits.device.type, enabled=False):
            results = dict(
                acc_seg=accuracy(
                    step.log_probs,
                    step.pseudo_label,
                    ignore_index=self.ignore_index,
                ),
                ignored=(~step.valid).float().mean(),
            )
            for loss in self.losses:
                results.update(loss(step))
            if self.suspects is not None:  # for an auxiliary head
                for sample, label in zip(
                    batch_data_samples, step.pseudo_label, strict=True
                ):
                    sample.gt_sem_seg = PixelData(data=label[None])
            return average_over_processes(
                results, [seg_logits, *branches.values()]
            )
