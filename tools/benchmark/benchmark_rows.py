"""The rows of the benchmark: the paper's experiments, in miniature."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True)
class Row:
    """One experiment.

    Args:
        name: Its name on the command line, in folders and in the tables'
            files.
        title: Its name in the table.
        config: The method that its config's file name starts with.
        labels: The pseudo labels that :class:`BenchmarkData` makes for it;
            None for a row that trains on ground-truth masks.
        mask_share: Share of the images that have masks.
        missing: Trains on all masks, from which a tenth of the objects was
            removed, and on the boxes of all objects.
        noise: Kind of the noise in the boxes, and its probability.
        other_data: Trains on the boxes of coco-mini.
        clean: Trains and is tested only on the images of the lists
            ``train_clean`` and ``val_clean``.
        start: The row whose checkpoint it starts from.
        tests: The row whose checkpoint it tests; it trains nothing.
        suspects: Ignores suspicious pixels, in the networks of rounds too.
        options: What it changes in the config, as mmengine's --cfg-options.
    """

    name: str
    title: str
    config: str = 'box2seg'
    labels: str | None = 'grabcut'
    mask_share: Fraction | None = None
    missing: bool = False
    noise: tuple[str, float] | None = None
    other_data: bool = False
    clean: bool = False
    start: str | None = None
    tests: str | None = None
    suspects: bool = False
    options: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def needs(self) -> str | None:
        """The row that has to run before this one."""
        return self.start or self.tests


def share_name(share: Fraction) -> str:
    """A share in a file name: ``1-8``."""
    return str(share).replace('/', '-')


def noise_name(kind: str, share: float) -> str:
    """Noisy boxes in a file name: ``merge-30``."""
    return f'{kind}-{100 * share:.0f}'


def _semi_supervised(share: Fraction) -> tuple[Row, ...]:
    """Few masks: alone, after Box2Seg, and beside the other images' boxes."""
    suffix = share_name(share)
    return (
        Row(
            f'few-{suffix}',
            f'masks of {share} of the images alone',
            'full',
            None,
            mask_share=share,
        ),
        Row(
            f'finetune-{suffix}',
            f'Box2Seg, then masks of {share}',
            'finetune',
            None,
            mask_share=share,
            start='box2seg',
        ),
        Row(
            f'mixed-{suffix}',
            f'masks of {share}, boxes of the others',
            mask_share=share,
            options={'train_dataloader.dataset.balance_masks': True},
        ),
    )


HEAD = 'model.decode_head'
# A loss of weight 0 is off and builds no decoder.
_NO_ATTENTION = {
    f'{HEAD}.losses.1.{name}_weight': 0 for name in ('fg', 'bg', 'fr')
}
_NO_AFFINITY = {f'{HEAD}.losses.2.loss_weight': 0}
_CRF = {
    'model.type': 'CRFEncoderDecoder',
    'model.test_cfg.crf.workers': 0,
}
# The rows that are repeated with a dense CRF and on the clean lists.
_CORE = (
    ('grabcut', 'GrabCut', 'grabcut'),
    ('box2seg', 'Box2Seg', 'grabcut'),
    ('full', 'full supervision', None),
)
SHARES = (Fraction(1, 8), Fraction(1, 4))
# Labels: the name of the rows, their title and the name of the labels. An
# asterisk marks extra supervision.
LABELS = (
    ('box', 'Box (filled boxes)', 'box_fill'),
    ('box-inner', 'Box^i (inner 20 %, the rest ignored)', 'box_inner'),
    ('stable', 'GrabCut, unstable pixels ignored', 'stable'),
    ('plus', 'GrabCut+ *', 'plus'),
    ('plus-i', 'GrabCut+^i *', 'plus-i'),
    ('deep', 'Deep GrabCut', 'deep'),
    ('round1', 'one round', 'round1'),
    ('round2', 'two rounds', 'round2'),
    ('round3', 'three rounds', 'round3'),
)
_NOISY = dict(merge='merged', drop='dropped', jitter='jittered')
NOISES = tuple((kind, share) for kind in _NOISY for share in (0.1, 0.3, 0.5))


def _noise_title(noise: tuple[str, float]) -> str:
    return f'{noise[1]:.0%} of the boxes {_NOISY[noise[0]]}'


def _suspects(noise: tuple[str, float] | None, one_round: bool) -> Row:
    """Suspicious pixels are ignored, on GrabCut's labels or a round's."""
    name, title = 'suspects', 'Box2Seg'
    if noise is not None:
        name = f'{noise_name(*noise)}-{name}'
        title += f', {_noise_title(noise)}'
    title += ', suspicious pixels ignored'
    if one_round:
        name, title = f'{name}-round1', f'{title}, one round'
    labels = 'round1' if one_round else 'grabcut'
    return Row(name, title, labels=labels, noise=noise, suspects=True)


ROWS = (
    Row('grabcut', 'GrabCut: L_GC alone', 'grabcut'),
    Row('attention', 'GrabCut + attention', options=_NO_AFFINITY),
    Row('affinity', 'GrabCut + affinity', options=_NO_ATTENTION),
    Row('box2seg', 'Box2Seg: + both'),
    Row(
        'box2seg-shared',
        'Box2Seg, one decoder with three output layers',
        options={f'{HEAD}.share_decoder': True},
    ),
    Row(
        'box2seg-narrow',
        'Box2Seg, the decoders of the branches half as wide',
        options={f'{HEAD}.branch_decoder.channels': 32},
    ),
    *(
        Row(
            f'{kind}-corrected',
            f'GrabCut, its {kind} foreground corrected by the masks',
            'grabcut',
            f'{kind}-corrected',
        )
        for kind in ('wrong', 'missed')
    ),
    *(
        row
        for name, title, labels in LABELS
        for row in (
            Row(name, f'{title}: L_GC alone', 'grabcut', labels),
            Row(
                f'{name}-crf',
                f'{title}: L_GC alone, dense CRF',
                'grabcut',
                labels,
                tests=name,
                options=_CRF,
            ),
            Row(f'{name}-box2seg', f'{title}: Box2Seg', labels=labels),
            Row(
                f'{name}-box2seg-crf',
                f'{title}: Box2Seg, dense CRF',
                labels=labels,
                tests=f'{name}-box2seg',
                options=_CRF,
            ),
        )
    ),
    Row('full', 'full supervision', 'full', None),
    *(
        Row(
            f'{name}-crf',
            f'{title}, dense CRF',
            name,
            labels,
            tests=name,
            options=_CRF,
        )
        for name, title, labels in _CORE
    ),
    *(
        Row(f'{name}-clean', f'{title}, clean lists', name, labels, clean=True)
        for name, title, labels in _CORE
    ),
    Row(
        'missing',
        'full, a tenth of the objects missing',
        'grabcut',
        None,
        missing=True,
    ),
    Row(
        'missing-attention',
        'full, a tenth missing, + attention',
        labels=None,
        missing=True,
        options=_NO_AFFINITY,
    ),
    Row('pretrain', "Box2Seg on coco-mini's boxes alone", other_data=True),
    Row(
        'box2seg-pretrained',
        'the same, then Box2Seg',
        start='pretrain',
        options={'model.init_cfg.type': 'Pretrained'},
    ),
    *(row for share in SHARES for row in _semi_supervised(share)),
    *(
        Row(
            noise_name(*noise),
            f'Box2Seg, {_noise_title(noise)}',
            noise=noise,
        )
        for noise in NOISES
    ),
    *(
        _suspects(noise, one_round)
        for one_round in (False, True)
        for noise in (None, *((kind, 0.3) for kind in _NOISY))
    ),
)
