"""An error that shows the new form of the head's old arguments."""

from collections.abc import Iterable

# Arguments that Box2SegHead had before its losses became a list.
_REMOVED = {
    'loss_grabcut',
    'loss_attention',
    'loss_affinity',
    'attention_activation',
    'embedding_channels',
    'warmup_iters',
    'embedding_pretrain_iters',
}


def explain_arguments(unknown: Iterable[str]) -> str:
    """The message of an error: what to write in place of the arguments."""
    names = ', '.join(unknown)
    if not _REMOVED.intersection(unknown):
        return (
            f'Box2SegHead has no argument {names}; write the arguments of '
            'your head in decoder, and set _delete_=True in decode_head to '
            'drop those that the config inherits'
        )
    return (
        f'Box2SegHead no longer takes {names}: losses are a list, and each '
        "has its own options. Write losses=[dict(type='GrabCutLoss'), "
        "dict(type='AttentionWeightedLoss', warmup_iters=5000), "
        "dict(type='AffinityLoss', embedding_channels=64, "
        'pretrain_iters=5000)]'
    )
