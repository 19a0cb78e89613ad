"""The rows of the benchmark: the paper's experiments, in miniature."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..command_line import UsageError

# The folder of a family's configs, and what it is.
FAMILIES = dict(
    miniature='20 classes (voc-mini)',
    object='one class, object against background (voc-mini)',
)


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
        start: The row whose checkpoint it starts from.
        tests: The row whose checkpoint it only tests.
    """

    name: str
    title: str
    labels: str | None = 'grabcut'
    config: str | None = None
    mask_share: float | None = None
    noise: tuple[str, float] | None = None
    other_data: bool = False
    start: str | None = None
    tests: str | None = None

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
    Row('box2seg-crf', 'Box2Seg, dense CRF', tests='box2seg'),
    Row('full', 'full supervision', None),
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


def choose_rows(only: Sequence[str] | None) -> list[tuple[str, Row]]:
    """The rows that a command line asks for, and those that they need.

    Args:
        only: Names of rows, ``box2seg`` for both families or
            ``object/box2seg`` for one; None for all.

    Returns:
        Family and row, in the order in which they have to run.

    Raises:
        UsageError: There is no such row.
    """
    every = {
        f'{family}/{row.name}': (family, row)
        for family in FAMILIES
        for row in ROWS
    }
    wanted = set(every) if only is None else set()
    for name in only or ():
        found = {full for full in every if name in (full, full.split('/')[1])}
        if not found:
            raise UsageError(
                f'{name}: no such row; there are '
                f'{", ".join(row.name for row in ROWS)}, for one family as '
                f'{next(iter(every))}'
            )
        wanted |= found
    for name in list(wanted):
        family, row = every[name]
        if row.needs is not None:
            wanted.add(f'{family}/{row.needs}')
    return [pair for name, pair in every.items() if name in wanted]
