"""One decode head with three decoders: classes, attention, embeddings."""

import torch
import torch.nn.functional as F  # noqa: N812
from mmengine.logging import MessageHub
from mmengine.model import BaseModule, normal_init
from mmseg.models.losses import accuracy
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.utils import ConfigType, SampleList
from torch import Tensor, nn

from ..losses.filling_rate_loss import BoxMasks


@MODELS.register_module()
class Box2SegHead(BaseModule):
    """Box2Seg's decoders and losses over a stock decode head [N].

    The decoder is built three times: ``seg_decoder`` gives the classes y,
    ``attention_decoder`` the attention alpha of each foreground class and
    ``embedding_decoder`` the pixel embeddings beta. Or it is built once, with
    three output layers (``share_decoder``, our choice). Only ``seg_decoder``
    runs at test time; its parameters are named as the stock head's.

    A run has two phases: while ``warmup_iters`` last, L_fg and L_bg wait and
    the attention only learns GrabCut's filling rate; while
    ``embedding_pretrain_iters`` last, the embeddings learn GrabCut's labels
    instead of y (the authors pre-train them; inside the run: our choice).
    Outside a runner there is no iteration and both are taken as over.

    Shapes: N images, L foreground classes, decoder output h x w, labels
    H x W. Cross entropy and attention losses are taken at H x W, like mmseg
    does; the affinity loss at h x w, its labels sampled there (our choice).

    Args:
        decoder: Config of a stock decode head with ``num_classes`` L + 1,
            of those that give one map of logits (UPerHead, FCNHead,
            DepthwiseSeparableASPPHead and most others; not DAHead, which
            gives several). Its ``loss_decode`` is not used.
        loss_grabcut: Config of L_GC.
        loss_attention: Config of L_fg + L_bg + L_fr. None, or weights of 0,
            builds no attention decoder.
        loss_affinity: Config of L_A. None, or a weight of 0, builds no
            embedding decoder.
        share_decoder: One decoder with three output layers instead of three
            decoders.
        attention_activation: ``'sigmoid'``, or ``'softmax'`` over the
            foreground classes and a background of logit 0, in which they
            compete (our choice; the same for a single class).
        embedding_channels: Size of an embedding (our choice).
        warmup_iters: Iterations before L_fg and L_bg join.
        embedding_pretrain_iters: Iterations in which the embeddings learn
            GrabCut's labels.
        ignore_index: Label of the pixels that are in no loss.

    Raises:
        ValueError: ``attention_activation`` is neither.
    """

    def __init__(
        self,
        decoder: ConfigType,
        loss_grabcut: ConfigType = dict(type='GrabCutLoss'),
        loss_attention: ConfigType | None = dict(type='AttentionWeightedLoss'),
        loss_affinity: ConfigType | None = dict(type='AffinityLoss'),
        share_decoder: bool = False,
        attention_activation: str = 'sigmoid',
        embedding_channels: int = 64,
        warmup_iters: int = 0,
        embedding_pretrain_iters: int = 0,
        ignore_index: int = 255,
    ) -> None:
        super().__init__()
        if attention_activation not in ('sigmoid', 'softmax'):
            raise ValueError(
                'attention_activation must be sigmoid or softmax. '
                f'Got: {attention_activation!r}'
            )
        self.attention_activation = attention_activation
        self.num_classes = decoder['num_classes']
        self.share_decoder = share_decoder
        self.warmup_iters = warmup_iters
        self.embedding_pretrain_iters = embedding_pretrain_iters
        self.ignore_index = ignore_index

        self.seg_decoder = _build_decoder(decoder, self.num_classes)
        self.align_corners = self.seg_decoder.align_corners
        self.out_channels = self.seg_decoder.out_channels

        self.loss_grabcut = MODELS.build(loss_grabcut)
        self.loss_attention = _build_loss(loss_attention)
        self.loss_affinity = _build_loss(loss_affinity)
        if self.loss_attention is not None:
            self._add_output('attention', decoder, self.num_classes - 1)
        if self.loss_affinity is not None:
            self._add_output('embedding', decoder, embedding_channels)

    def _add_output(
        self, name: str, decoder: ConfigType, channels: int
    ) -> None:
        if self.share_decoder:
            layer = nn.Conv2d(self.seg_decoder.channels, channels, 1)
            normal_init(layer, std=0.01)  # as stock heads do conv_seg
            self.add_module(f'{name}_conv', layer)
        else:
            layer = _build_decoder(decoder, channels)
            self.add_module(f'{name}_decoder', layer)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The classes alone, as at test time.

        Args:
            inputs: Feature maps of the backbone or neck.

        Returns:
            ``(N, L + 1, h, w)`` logits.
        """
        return self.seg_decoder(inputs)

    def forward_train(
        self, inputs: tuple[Tensor, ...]
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """All that the losses need.

        Args:
            inputs: Feature maps of the backbone or neck.

        Returns:
            Logits of the classes ``(N, L + 1, h, w)``; logits of the
            attention ``(N, L, h, w)`` and embeddings ``(N, D, h, w)``, each
            None without its loss.
        """
        wanted = dict(
            attention=self.loss_attention, embedding=self.loss_affinity
        )
        wanted = [name for name, loss in wanted.items() if loss is not None]
        if self.share_decoder:
            seg_logits, features = self._forward_shared(inputs)
            extra = {
                name: getattr(self, f'{name}_conv')(features)
                for name in wanted
            }
        else:
            seg_logits = self.seg_decoder(inputs)
            extra = {
                name: getattr(self, f'{name}_decoder')(inputs)
                for name in wanted
            }
        return seg_logits, extra.get('attention'), extra.get('embedding')

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
        return seg_logits, features[-1]

    def activate_attention(self, logits: Tensor) -> Tensor:
        """The attention that logits mean, alpha.

        Args:
            logits: ``(N, L, h, w)``, of :meth:`forward_train`.

        Returns:
            ``(N, L, h, w)`` in ``[0, 1]``.
        """
        if self.attention_activation == 'sigmoid':
            return logits.sigmoid()
        return F.pad(logits, (0, 0, 0, 0, 1, 0)).softmax(1)[:, 1:]

    def predict(
        self,
        inputs: tuple[Tensor, ...],
        batch_img_metas: list[dict],
        test_cfg: ConfigType,
    ) -> Tensor:
        """What the stock decoder predicts; see mmseg's BaseDecodeHead."""
        return self.seg_decoder.predict(inputs, batch_img_metas, test_cfg)

    def loss(
        self,
        inputs: tuple[Tensor, ...],
        batch_data_samples: SampleList,
        train_cfg: ConfigType,
    ) -> dict[str, Tensor]:
        """All losses and statistics of a batch.

        Args:
            inputs: Feature maps of the backbone or neck.
            batch_data_samples: With ``gt_sem_seg`` (int64 ``(1, H, W)`` in
                ``0..L`` or ``ignore_index``, the pseudo label), ``gt_box_map``
                (uint8 ``(1, H, W)``) and ``box_region_classes`` (bool
                ``(R + 1, L + 1)``). All of a batch, or none, have
                ``box_region_boxes`` (bool ``(R + 1, K)``) and
                ``box_region_labels`` (int64 ``(K,)``), as LoadBoxes makes
                unless ``per_box`` is off: then L_fr is taken box by box.
            train_cfg: Not used.

        Returns:
            The weighted losses; ``acc_seg``; and statistics, as told in
            :meth:`loss_by_feat`.
        """
        return self.loss_by_feat(
            self.forward_train(inputs), batch_data_samples
        )

    def loss_by_feat(
        self,
        outputs: tuple[Tensor, Tensor | None, Tensor | None],
        batch_data_samples: SampleList,
    ) -> dict[str, Tensor]:
        """Losses and statistics from the decoders' outputs.

        Args:
            outputs: As :meth:`forward_train` returns.
            batch_data_samples: As for :meth:`loss`.

        Returns:
            ``loss_gc``; ``loss_fg``, ``loss_bg``, ``loss_fr``;
            ``loss_affinity``; ``acc_seg`` in percent. Statistics:
            ``ignored`` (share of pixels), ``attention_in_boxes`` and
            ``gamma_eta`` (means over an image's boxes, or its classes where
            boxes are not told apart, and over the images that have one),
            ``attention_on_grabcut`` and ``attention_off_grabcut`` (means
            over boxed pixels whose pseudo label is, and is not, the class).
        """
        seg_logits, attention_logits, embeddings = outputs
        pseudo_label = torch.cat(
            [sample.gt_sem_seg.data for sample in batch_data_samples]
        )
        iteration = MessageHub.get_current_instance().get_info('iter')

        # Losses in float32, also under autocast.
        with torch.autocast(seg_logits.device.type, enabled=False):
            log_probs = self._resize(seg_logits, pseudo_label).log_softmax(1)
            ignored = pseudo_label == self.ignore_index
            losses = dict(
                loss_gc=self.loss_grabcut(
                    log_probs, pseudo_label, ignore_index=self.ignore_index
                ),
                acc_seg=accuracy(
                    log_probs, pseudo_label, ignore_index=self.ignore_index
                ),
                ignored=ignored.float().mean(),
            )
            if self.loss_attention is not None:
                losses.update(
                    self._attention_losses(
                        log_probs,
                        attention_logits,
                        pseudo_label,
                        batch_data_samples,
                        warmup=_within(iteration, self.warmup_iters),
                    )
                )
            if self.loss_affinity is not None:
                losses['loss_affinity'] = self._affinity_loss(
                    seg_logits,
                    embeddings,
                    pseudo_label,
                    pretrain=_within(iteration, self.embedding_pretrain_iters),
                )
        return losses

    def _attention_losses(
        self,
        log_probs: Tensor,
        attention_logits: Tensor,
        pseudo_label: Tensor,
        batch_data_samples: SampleList,
        warmup: bool,
    ) -> dict[str, Tensor]:
        """Attention-weighted losses and statistics.

        Only boxed classes count, and an image has few. So the losses see, in
        place of all L foreground classes, the K that any one image has at
        most: slot k of an image is its k-th boxed class.
        """
        ignored = pseudo_label == self.ignore_index
        box_map = _stack_box_maps(batch_data_samples, ignored.shape[1:])
        box_mask, slots = self._box_mask(box_map, batch_data_samples, ignored)
        images = torch.arange(len(slots), device=slots.device).unsqueeze(1)
        attention = self._attention(
            attention_logits, images, (slots - 1).clamp(min=0), pseudo_label
        )
        slot_of_class = slots.new_zeros(len(slots), 256)
        slot_of_class[images, slots] = torch.arange(
            1, slots.shape[1] + 1, device=slots.device
        )
        slot_of_class[:, 0] = 0
        slot_label = slot_of_class[images.unsqueeze(2), pseudo_label]
        slot_label = slot_label.masked_fill(ignored, self.ignore_index)
        single_boxes = _single_boxes(
            box_map, batch_data_samples, slot_of_class
        )
        slots = F.pad(slots, (1, 0))  # the background's

        losses = self.loss_attention(
            log_probs[images, slots],
            attention,
            box_mask,
            slot_label,
            warmup=warmup,
            ignore_index=self.ignore_index,
            single_boxes=single_boxes,
        )
        losses.update(_attention_on_and_off(attention, box_mask, slot_label))
        return losses

    def _attention(
        self, logits: Tensor, images: Tensor, classes: Tensor, label: Tensor
    ) -> Tensor:
        """``(N, K, H, W)``: alpha of the classes ``(N, K)`` of each image."""
        if self.attention_activation == 'sigmoid':  # each class by itself
            logits = self._resize(logits[images, classes], label)
            return self.activate_attention(logits)
        logits = self._resize(logits, label)
        return self.activate_attention(logits)[images, classes]

    def _affinity_loss(
        self,
        seg_logits: Tensor,
        embeddings: Tensor,
        pseudo_label: Tensor,
        pretrain: bool,
    ) -> Tensor:
        size = embeddings.shape[2:]
        label = F.interpolate(
            pseudo_label.unsqueeze(1).float(), size, mode='nearest'
        )
        label = label.squeeze(1).long()
        valid = label != self.ignore_index
        if pretrain:
            label = label.masked_fill(~valid, 0)
            probs = F.one_hot(label, self.num_classes).permute(0, 3, 1, 2)
            probs = probs.float()
        else:
            probs = seg_logits.float().softmax(1)
        return self.loss_affinity(embeddings.float(), probs, valid)

    def _resize(self, logits: Tensor, label: Tensor) -> Tensor:
        """Logits in float32, at the size of the labels ``(N, H, W)``."""
        return resize(
            logits.float(),
            size=label.shape[1:],
            mode='bilinear',
            align_corners=self.align_corners,
        )

    def _box_mask(
        self,
        box_map: Tensor,
        batch_data_samples: SampleList,
        ignored: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """The boxes of the classes that each image has in its crop.

        Args:
            box_map: ``(N, H, W)``, of :func:`_stack_box_maps`.
            batch_data_samples: As for :meth:`loss`.
            ignored: ``(N, H, W)`` bool, the pixels that are in no class.

        Returns:
            ``(N, K + 1, H, W)`` bool, background first; and ``(N, K)`` int64,
            the class in ``1..L`` of each slot. K is at least 1; a slot that
            an image does not need has class 0 and an empty mask.
        """
        height, width = ignored.shape[1:]
        table = torch.stack(
            [_of_all_ids(s.box_region_classes) for s in batch_data_samples]
        )

        regions = [m.flatten().bincount(minlength=256) > 0 for m in box_map]
        present = (table & torch.stack(regions).unsqueeze(2)).any(1)
        present[:, 0] = False
        num_slots = max(int(present.sum(1).max()), 1)
        # The classes that are present, in their order, then zeros.
        order = present.byte().argsort(dim=1, descending=True, stable=True)
        slots = (order * present.gather(1, order))[:, :num_slots]

        images = torch.arange(len(slots), device=slots.device)
        columns = table[images.unsqueeze(1), :, slots] & (slots > 0)[..., None]
        columns = torch.cat([table[:, None, :, 0], columns], 1)
        # (N, K + 1, 256) looked up at (N, 1, H * W).
        masks = columns.gather(
            2, box_map.flatten(1).unsqueeze(1).expand(-1, num_slots + 1, -1)
        )
        masks = masks.unflatten(2, (height, width))
        return masks & ~ignored.unsqueeze(1), slots


def _stack_box_maps(
    batch_data_samples: SampleList, size: torch.Size
) -> Tensor:
    """The box maps of a batch, ``(N, H, W)`` int64.

    A box map smaller than the batch, which mmseg's own padding leaves so, is
    padded with 255 at the right and the bottom, like the image.
    """
    height, width = size
    maps = []
    for sample in batch_data_samples:
        box_map = sample.gt_box_map.data[0].long()
        h, w = box_map.shape
        maps.append(F.pad(box_map, (0, width - w, 0, height - h), value=255))
    return torch.stack(maps)


def _of_all_ids(table: Tensor) -> Tensor:
    """``(256, ...)``: a table of region ids, False for those that are none."""
    return F.pad(table, (0, 0, 0, 256 - len(table)))


def _single_boxes(
    box_map: Tensor, batch_data_samples: SampleList, slot_of_class: Tensor
) -> BoxMasks | None:
    """The single boxes, where the samples tell them apart.

    Args:
        box_map: ``(N, H, W)``, of :func:`_stack_box_maps`.
        batch_data_samples: As for :meth:`Box2SegHead.loss`.
        slot_of_class: ``(N, 256)``, from 1; 0 for a class that is not there.
    """
    if 'box_region_boxes' not in batch_data_samples[0]:
        return None
    images, classes, inside = [], [], []
    for i, sample in enumerate(batch_data_samples):
        labels = sample.box_region_labels
        images.append(labels.new_full(labels.shape, i))
        # A box outside the crop has no slot, and no pixel either.
        classes.append((slot_of_class[i, labels] - 1).clamp(min=0))
        table = _of_all_ids(sample.box_region_boxes)
        inside.append(table.T[:, box_map[i]])
    return BoxMasks(torch.cat(images), torch.cat(classes), torch.cat(inside))


def _build_decoder(decoder: ConfigType, channels: int) -> nn.Module:
    # Both named, so that no head takes 1 or 2 channels for a binary task.
    cfg = dict(decoder, num_classes=channels, out_channels=channels)
    if channels == 1:
        cfg['threshold'] = 0.5
    return MODELS.build(cfg)


def _build_loss(cfg: ConfigType | None) -> nn.Module | None:
    loss = None if cfg is None else MODELS.build(cfg)
    return None if loss is None or loss.is_off else loss


def _within(iteration: int | None, num_iters: int) -> bool:
    return iteration is not None and iteration < num_iters


@torch.no_grad()
def _attention_on_and_off(
    attention: Tensor, box_mask: Tensor, pseudo_label: Tensor
) -> dict[str, Tensor]:
    inside = box_mask[:, 1:]
    classes = torch.arange(1, inside.shape[1] + 1, device=inside.device)
    own = pseudo_label.unsqueeze(1) == classes.view(1, -1, 1, 1)
    return {
        f'attention_{name}_grabcut': (attention * mask).sum()
        / mask.sum().clamp(min=1)
        for name, mask in (('on', inside & own), ('off', inside & ~own))
    }
