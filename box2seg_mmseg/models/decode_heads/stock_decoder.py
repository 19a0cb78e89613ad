"""The stock decode heads that Box2SegHead can train."""

from mmseg.models.decode_heads.cascade_decode_head import BaseCascadeDecodeHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from mmseg.utils import ConfigType
from torch import nn


def check_decoder(decoder: ConfigType, ignore_index: int) -> None:
    """Check that nothing of a decode head would be lost under Box2SegHead.

    Box2SegHead computes all losses itself, from one map of logits. Of a head
    that overrides mmseg's ``loss`` or ``loss_by_feat``, further outputs or
    losses would be left out.

    Args:
        decoder: Config of the head. An unknown ``type`` is left to the
            registry.
        ignore_index: Of Box2SegHead.

    Raises:
        TypeError: The head is of a kind that Box2SegHead cannot train.
        ValueError: An option of the head would have no effect, or
            ``num_classes`` is missing.
    """
    kind = decoder.get('type')
    kind = MODELS.get(kind) if isinstance(kind, str) else kind
    reason = None if kind is None else _reason_against(kind)
    if reason is not None:
        raise TypeError(
            f'Box2SegHead cannot train {kind.__name__}: it {reason}; use a '
            'head with one map of logits, such as UPerHead, SegformerHead, '
            'DepthwiseSeparableASPPHead, PSPHead or FCNHead'
        )
    if decoder.get('sampler') is not None:
        raise ValueError(
            'the sampler of the decoder selects pixels for its loss_decode, '
            'which Box2SegHead does not use; remove sampler from the decoder'
        )
    if 'num_classes' not in decoder:
        raise ValueError(
            'the decoder needs num_classes, with the background included'
        )
    classes = decoder['num_classes']
    outputs = decoder.get('out_channels')
    if outputs not in (None, classes):
        raise ValueError(
            'the decoder needs an output channel for each class, background '
            f'included; remove out_channels. Got: num_classes={classes}, '
            f'out_channels={outputs}'
        )
    ignored = decoder.get('ignore_index', ignore_index)
    if ignored != ignore_index:
        raise ValueError(
            'the decoder and Box2SegHead differ in ignore_index; set it in '
            f'Box2SegHead alone. Got: {ignored} and {ignore_index}'
        )


def _reason_against(kind: type) -> str | None:
    if not issubclass(kind, BaseDecodeHead):
        return "is not a subclass of mmseg's BaseDecodeHead"
    if issubclass(kind, BaseCascadeDecodeHead):
        return 'refines the output of another decode head'
    for name in ('loss', 'loss_by_feat'):
        if getattr(kind, name) is not getattr(BaseDecodeHead, name):
            return (
                f'overrides {name}, so it has outputs or losses of its own, '
                'which would be left out'
            )
    return None


def build_decoder(decoder: ConfigType, channels: int) -> nn.Module:
    """Build a decode head with another number of output channels."""
    # Both named, so that no head takes 1 or 2 channels for a binary task.
    cfg = dict(decoder, num_classes=channels, out_channels=channels)
    if channels == 1:
        cfg['threshold'] = 0.5
    return MODELS.build(cfg)


def cannot_share(decoder: nn.Module) -> ValueError:
    """The error for a head to which no output layer can be added."""
    return ValueError(
        f'{type(decoder).__name__} does not compute its logits with the layer '
        'conv_seg, beside which share_decoder=True adds output layers; set '
        'share_decoder=False'
    )
