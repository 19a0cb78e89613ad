"""The rows of the benchmark: the paper's experiments, in miniature."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from box2seg_mmseg.errors import UsageError


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
        noise: Kind of the noise in the boxes, and its probability.
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
    mask_share: Fraction | None = None
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


def share_name(share: Fraction) -> str:
    """A share in a file's name: ``1-8``."""
    return str(share).replace('/', '-')


def noise_name(kind: str, share: float) -> str:
    """Harmed boxes in a file's name: ``merge-30``."""
    return f'{kind}-{100 * share:.0f}'


def _semi_supervised(share: Fraction) -> tuple[Row, ...]:
    """Few masks alone, after Box2Seg, and beside the other images' boxes."""
    suffix = share_name(share)
    return (
        Row(
            f'few-{suffix}',
            f'masks of {share} of the images alone',
            None,
            config='few',
            mask_share=share,
        ),
        Row(
            f'finetune-{suffix}',
            f'Box2Seg, then masks of {share}',
            None,
            config='finetune',
            mask_share=share,
            start='box2seg',
        ),
        Row(
            f'mixed-{suffix}',
            f'masks of {share}, boxes of the others',
            config='mixed',
            mask_share=share,
        ),
    )


# The baselines that a dense CRF and the clean lists are run on.
_CORE = (
    ('grabcut', 'GrabCut', 'grabcut'),
    ('box2seg', 'Box2Seg', 'grabcut'),
    ('full', 'full supervision', None),
)
_CRF = {
    'model.type': 'CRFEncoderDecoder',
    'model.test_cfg.crf.workers': 0,
}
SHARES = (Fraction(1, 8), Fraction(1, 4))
NOISES = tuple(
    (kind, share)
    for kind in ('merge', 'drop', 'jitter')
    for share in (0.1, 0.3, 0.5)
)
_HARMED = dict(merge='merged', drop='dropped', jitter='jittered')
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
    *(
        Row(
            f'{name}-crf',
            f'{title}, dense CRF',
            labels,
            config=name,
            tests=name,
            options=_CRF,
        )
        for name, title, labels in _CORE
    ),
    *(
        Row(
            f'{name}-clean',
            f'{title}, clean lists',
            labels,
            config=name,
            clean=True,
        )
        for name, title, labels in _CORE
    ),
    Row('missing', 'full, a tenth of the objects missing', 'missing'),
    Row('missing-attention', 'full, a tenth missing, + attention', 'missing'),
    Row('pretrain', "Box2Seg on coco-mini's boxes alone", other_data=True),
    Row('box2seg-pretrained', 'the same, then Box2Seg', start='pretrain'),
    *(row for share in SHARES for row in _semi_supervised(share)),
    *(
        Row(
            noise_name(kind, share),
            f'Box2Seg, {share:.0%} of the boxes {_HARMED[kind]}',
            config='box2seg-noisy',
            noise=(kind, share),
        )
        for kind, share in NOISES
    ),
)
_HEAD = 'model.decode_head'


@dataclass(frozen=True)
class Setting:
    """A setting of Box2Seg that a sweep changes.

    Args:
        name: The prefix of its rows' names.
        title: What the table calls it.
        key: Its place in the config.
        default: Its value in Box2Seg's configs.
        values: Those to try beside it.
    """

    name: str
    title: str
    key: str
    default: object
    values: tuple[object, ...]

    def rows(self) -> Iterator[Row]:
        """A row a value."""
        for value in self.values:
            yield Row(
                f'{self.name}-{value}',
                f'{self.title} = {value} (default {self.default})',
                config='box2seg',
                options={self.key: value},
            )


SETTINGS = (
    Setting(
        'gamma', 'gamma', f'{_HEAD}.loss_attention.gamma', 0.7, (0.5, 0.9)
    ),
    Setting(
        'w_fg', 'w_fg', f'{_HEAD}.loss_attention.fg_weight', 0.5, (0.2, 1.0)
    ),
    Setting(
        'w_bg', 'w_bg', f'{_HEAD}.loss_attention.bg_weight', 3.0, (1.0, 10.0)
    ),
    Setting(
        'w_fr', 'w_fr', f'{_HEAD}.loss_attention.fr_weight', 5.0, (2.0, 15.0)
    ),
    Setting(
        'per-box',
        'filling rates per box',
        # The fourth step of the pipeline is LoadBoxes.
        'train_dataloader.dataset.pipeline.3.per_box',
        True,
        (False,),
    ),
    Setting(
        'w_A', 'w_A', f'{_HEAD}.loss_affinity.loss_weight', 5.0, (1.0, 20.0)
    ),
    Setting(
        'detached',
        'no gradient of L_A into y',
        f'{_HEAD}.loss_affinity.detach_probs',
        False,
        (True,),
    ),
    Setting(
        'warmup',
        'iterations before L_fg',
        f'{_HEAD}.warmup_iters',
        100,
        (0, 200),
    ),
    Setting(
        'embedding-pretrain',
        'iterations that pre-train embeddings',
        f'{_HEAD}.embedding_pretrain_iters',
        100,
        (0, 200),
    ),
    Setting(
        'embedding-size',
        'embedding size',
        f'{_HEAD}.embedding_channels',
        64,
        (16, 128),
    ),
)
# With one class these change nothing.
CLASS_SETTINGS = (
    Setting(
        'attention',
        'alpha by',
        f'{_HEAD}.attention_activation',
        'sigmoid',
        ('softmax',),
    ),
    Setting(
        'classes',
        'attention loss over classes',
        f'{_HEAD}.loss_attention.class_reduction',
        'mean',
        ('sum',),
    ),
)


@dataclass(frozen=True)
class Family:
    """Rows on the same data, one table.

    Args:
        title: What the table is called.
        configs: The folder of the rows' configs in ``configs``.
        rows: The rows.
        default: Of a sweep, the family whose row box2seg has the settings'
            default values.
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
        tuple(row for one in SETTINGS for row in one.rows()),
        default='object',
    ),
    class_sweep=Family(
        "Box2Seg's settings for several classes, each changed alone, 20 "
        'classes (voc-mini)',
        'miniature',
        tuple(row for one in CLASS_SETTINGS for row in one.rows()),
        default='miniature',
    ),
)


def choose_rows(only: Sequence[str] | None) -> list[tuple[str, Row]]:
    """The rows that a command line asks for, and those that they need.

    A sweep's rows need the row that they are compared with.

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
        default = FAMILIES[family].default
        if default is not None:
            wanted.add(f'{default}/box2seg')
    return [pair for name, pair in every.items() if name in wanted]
