"""The rows of the benchmark: the paper's experiments, in miniature."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..command_line import UsageError


@dataclass(frozen=True)
class Row:
    """One experiment.

    Args:
        name: The prefix of its config's file in every family.
        title: What the table calls it.
        labels: What :class:`BenchmarkData` has to make for it; None for what
            trains on ground-truth masks.
        config: The prefix of the config's file, where it is not the name.
        mask_share: Share of the images that have masks.
        noise: Kind and probability of the noise in the boxes.
        other_data: Trains on the boxes of coco-mini.
        clean: Trains and is tested on the images of the lists
            ``train_clean`` and ``val_clean`` alone.
        start: The row whose checkpoint it starts from.
        tests: The row whose checkpoint it only tests.
        options: What it changes in the config, as mmengine's --cfg-options.
    """

    name: str
    title: str
    labels: str | None = 'grabcut'
    config: str | None = None
    mask_share: float | None = None
    noise: tuple[str, float] | None = None
    other_data: bool = False
    clean: bool = False
    start: str | None = None
    tests: str | None = None
    options: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def needs(self) -> str | None:
        """The row that has to run before."""
        return self.start or self.tests


def _semi_supervised(name: str, share: float) -> tuple[Row, ...]:
    """Few masks alone, after Box2Seg, and beside the other images' boxes."""
    suffix = name.replace('/', '-')
    return (
        Row(
            f'few-{suffix}',
            f'masks of {name} of the images alone',
            None,
            config='few',
            mask_share=share,
        ),
        Row(
            f'finetune-{suffix}',
            f'Box2Seg, then masks of {name}',
            None,
            config='finetune',
            mask_share=share,
            start='box2seg',
        ),
        Row(
            f'mixed-{suffix}',
            f'masks of {name}, boxes of the others',
            config='mixed',
            mask_share=share,
        ),
    )


ROWS = (
    Row('box', 'Box: filled boxes', 'box_fill'),
    Row('box-inner', 'Box^i: inner 20 %, the rest ignored', 'box_inner'),
    Row('grabcut', 'GrabCut: L_GC alone'),
    Row('attention', 'GrabCut + attention'),
    Row('affinity', 'GrabCut + affinity'),
    Row('box2seg', 'Box2Seg: + both'),
    Row('box2seg-shared', 'Box2Seg, one decoder with three output layers'),
    *(
        Row(
            f'{kind}-corrected',
            f'GrabCut, its {kind} foreground corrected by the masks',
            f'{kind}-corrected',
            config='grabcut',
        )
        for kind in ('wrong', 'missed')
    ),
    Row('full', 'full supervision', None),
    Row('grabcut-crf', 'GrabCut, dense CRF', tests='grabcut'),
    Row('box2seg-crf', 'Box2Seg, dense CRF', tests='box2seg'),
    Row('full-crf', 'full supervision, dense CRF', None, tests='full'),
    *(
        Row(
            f'{name}-clean',
            f'{title}, clean lists',
            labels,
            config=name,
            clean=True,
        )
        for name, title, labels in (
            ('grabcut', 'GrabCut', 'grabcut'),
            ('box2seg', 'Box2Seg', 'grabcut'),
            ('full', 'full supervision', None),
        )
    ),
    Row('missing', 'full, a tenth of the objects missing', 'missing'),
    Row('missing-attention', 'full, a tenth missing, + attention', 'missing'),
    Row('pretrain', "Box2Seg on coco-mini's boxes alone", other_data=True),
    Row('box2seg-pretrained', 'the same, then Box2Seg', start='pretrain'),
    *(
        row
        for name, share in (('1/8', 1 / 8), ('1/4', 1 / 4))
        for row in _semi_supervised(name, share)
    ),
    *(
        Row(
            f'{kind}-{share:.0%}'.replace('%', ''),
            f'Box2Seg, {share:.0%} of the boxes {done}',
            config='box2seg-noisy',
            noise=(kind, share),
        )
        for kind, done in (
            ('merge', 'merged'),
            ('drop', 'dropped'),
            ('jitter', 'jittered'),
        )
        for share in (0.1, 0.3, 0.5)
    ),
)
# What the sweeps change in Box2Seg's configs, one at a time.
_HEAD = 'model.decode_head'
SETTINGS = {
    'gamma': (f'{_HEAD}.loss_attention.gamma', (0.5, 0.9)),
    'w_fg': (f'{_HEAD}.loss_attention.fg_weight', (0.2, 1.0)),
    'w_bg': (f'{_HEAD}.loss_attention.bg_weight', (1.0, 10.0)),
    'w_fr': (f'{_HEAD}.loss_attention.fr_weight', (2.0, 15.0)),
    # The fourth step of the pipeline is LoadBoxes.
    'per-box': ('train_dataloader.dataset.pipeline.3.per_box', (True,)),
    'w_A': (f'{_HEAD}.loss_affinity.loss_weight', (1.0, 20.0)),
    'detached': (f'{_HEAD}.loss_affinity.detach_probs', (True,)),
    'warmup': (f'{_HEAD}.warmup_iters', (0, 200)),
    'embedding-pretrain': (f'{_HEAD}.embedding_pretrain_iters', (0, 200)),
    'embedding-size': (f'{_HEAD}.embedding_channels', (16, 128)),
}
# With one class these change nothing.
CLASS_SETTINGS = {
    'attention': (f'{_HEAD}.attention_activation', ('softmax',)),
    'classes': (f'{_HEAD}.loss_attention.class_reduction', ('sum',)),
}


def _sweep(
    settings: Mapping[str, tuple[str, Sequence[object]]],
) -> tuple[Row, ...]:
    return tuple(
        Row(
            f'{name}-{value}',
            f'{name} = {value}',
            config='box2seg',
            options={key: value},
        )
        for name, (key, values) in settings.items()
        for value in values
    )


@dataclass(frozen=True)
class Family:
    """Rows on the same data, one table.

    Args:
        title: What the table is called.
        configs: The folder of the rows' configs in ``configs``.
        rows: The rows.
        default: Of a sweep, the family whose row box2seg its rows are
            compared with.
    """

    title: str
    configs: str
    rows: tuple[Row, ...]
    default: str | None = None


FAMILIES = dict(
    miniature=Family('20 classes (voc-mini)', 'miniature', ROWS),
    object=Family(
        'one class, object against background (voc-mini)', 'object', ROWS
    ),
    sweep=Family(
        "Box2Seg's settings, each changed alone, one class (voc-mini)",
        'object',
        _sweep(SETTINGS),
        default='object',
    ),
    class_sweep=Family(
        "Box2Seg's settings for several classes, each changed alone, 20 "
        'classes (voc-mini)',
        'miniature',
        _sweep(CLASS_SETTINGS),
        default='miniature',
    ),
)


def choose_rows(only: Sequence[str] | None) -> list[tuple[str, Row]]:
    """The rows that a command line asks for, and those that they need.

    Args:
        only: Names of rows, ``box2seg`` for every family that has it or
            ``object/box2seg`` for one; names of families; None for all.

    Returns:
        Family and row, in the order in which they have to run.

    Raises:
        UsageError: There is no such row.
    """
    every = {
        f'{name}/{row.name}': (name, row)
        for name, family in FAMILIES.items()
        for row in family.rows
    }
    wanted = set(every) if only is None else set()
    for name in only or ():
        found = {full for full in every if name in (full, *full.split('/'))}
        if not found:
            rows = dict.fromkeys(row.name for _, row in every.values())
            raise UsageError(
                f'{name}: no such row; there are {", ".join(rows)}, for one '
                f'family as {next(iter(every))}'
            )
        wanted |= found
    for name in list(wanted):
        family, row = every[name]
        if row.needs is not None:
            wanted.add(f'{family}/{row.needs}')
    return [pair for name, pair in every.items() if name in wanted]
