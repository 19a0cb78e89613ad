"""Means, deviations and differences of the benchmark's runs."""

import statistics
from collections.abc import Sequence
from math import nan, sqrt

from benchmark_families import FAMILIES
from benchmark_rows import LABELS, NOISES, SHARES, noise_name, share_name
from benchmark_runs import STATISTICS

FIGURES = ('mIoU', 'mIoU_tags')
# What the paper says, as differences of two rows.
CLAIMS = (
    ('GrabCut over Box', 'grabcut', 'box'),
    ('Box^i over Box', 'box-inner', 'box'),
    ('attention over GrabCut', 'attention', 'grabcut'),
    ('affinity over GrabCut', 'affinity', 'grabcut'),
    ('Box2Seg over GrabCut', 'box2seg', 'grabcut'),
    ('Box2Seg with one decoder over GrabCut', 'box2seg-shared', 'grabcut'),
    ('full supervision over GrabCut', 'full', 'grabcut'),
    ('Box2Seg over GrabCut, both with CRF', 'box2seg-crf', 'grabcut-crf'),
    (
        'full supervision over GrabCut, both with CRF',
        'full-crf',
        'grabcut-crf',
    ),
    ('Box2Seg with CRF over GrabCut without', 'box2seg-crf', 'grabcut'),
    *(
        (
            f'GrabCut, its {kind} foreground corrected, over GrabCut',
            f'{kind}-corrected',
            'grabcut',
        )
        for kind in ('wrong', 'missed')
    ),
    (
        'attention on masks with missing objects',
        'missing-attention',
        'missing',
    ),
    ('Box2Seg pre-trained over Box2Seg', 'box2seg-pretrained', 'box2seg'),
    *(
        (
            f'{title} {share} over these alone',
            f'{name}-{share_name(share)}',
            f'few-{share_name(share)}',
        )
        for share in SHARES
        for name, title in (
            ('finetune', 'Box2Seg, then masks of'),
            ('mixed', 'boxes beside masks of'),
        )
    ),
    *(
        (
            f'{share:.0%} {kind} over Box2Seg',
            noise_name(kind, share),
            'box2seg',
        )
        for kind, share in NOISES
    ),
    ('Box2Seg over GrabCut, clean lists', 'box2seg-clean', 'grabcut-clean'),
    (
        'full supervision over GrabCut, clean lists',
        'full-clean',
        'grabcut-clean',
    ),
)
# A gain as a share of a gap. The third is counted as in the paper, whose
# Box2Seg has a CRF, to judge by the context in which it is cited.
GAPS = (
    ('Box2Seg', 'box2seg', 'grabcut', 'full'),
    (
        'With CRF on all three, Box2Seg',
        'box2seg-crf',
        'grabcut-crf',
        'full-crf',
    ),
    ('With CRF on Box2Seg alone, it', 'box2seg-crf', 'grabcut', 'full'),
    (
        'On the clean lists, Box2Seg',
        'box2seg-clean',
        'grabcut-clean',
        'full-clean',
    ),
)


def summarise_rows(runs: Sequence[dict]) -> list[dict]:
    """Mean and standard deviation over the seeds of each row.

    Args:
        runs: The runs, in the order of the rows.

    Returns:
        For each row its figures, and under ``runs`` its runs.
    """
    groups: dict[tuple[str, str], list[dict]] = {}
    for run in runs:
        groups.setdefault((run['family'], run['row']), []).append(run)
    return [_row(group) for group in groups.values()]


def _row(runs: Sequence[dict]) -> dict:
    first = runs[0]
    row = {key: first[key] for key in ('family', 'row', 'title')}
    row['seeds'] = len(runs)
    for name in FIGURES:
        values = [run[name] for run in runs]
        row[name] = statistics.mean(values)
        row[f'{name}_sd'] = _deviation(values)
    tools = [tool for run in runs for tool in run['runs'].values()]
    times = [
        run['runs']['train']['seconds']
        for run in runs
        if run['runs'].get('train', {}).get('seconds') is not None
    ]
    row['train_seconds'] = statistics.mean(times) if times else None
    row['peak_mib'] = max(tool['peak_mib'] for tool in tools)
    row['parameters'] = first['parameters']
    for name in STATISTICS:
        values = [
            run['statistics'][name]
            for run in runs
            if name in run['statistics']
        ]
        row[name] = statistics.mean(values) if values else None
    row['machines'] = '; '.join(dict.fromkeys(map(machine_of, runs)))
    row['runs'] = runs
    return row


def machine_of(run: dict) -> str:
    """The machine of a run, and its versions."""
    versions = ', '.join(f'{k} {v}' for k, v in run['versions'].items())
    return f'{run["machine"]}, with {versions}'


def summarise_claims(runs: Sequence[dict]) -> list[dict]:
    """Differences of two rows over the seeds that both have.

    Args:
        runs: The runs.

    Returns:
        One dict for each claim that has a pair of runs.
    """
    by_run = {((r['family'], r['row']), r['seed']): r for r in runs}
    seeds = sorted({run['seed'] for run in runs})
    claims = []
    for family in FAMILIES:
        for title, a, b in _differences(family):
            pairs = [
                (by_run[a, seed], by_run[b, seed])
                for seed in seeds
                if (a, seed) in by_run and (b, seed) in by_run
            ]
            if not pairs:
                continue
            claim = dict(family=family, claim=title, seeds=len(pairs))
            claim['one_machine'] = all(
                one['machine'] == other['machine'] for one, other in pairs
            )
            for name in FIGURES:
                gains = [one[name] - other[name] for one, other in pairs]
                claim[name] = statistics.mean(gains)
                claim[f'{name}_sd'] = _deviation(gains)
            claims.append(claim)
    return claims


def _differences(family: str) -> list[tuple[str, tuple, tuple]]:
    """A title and two rows, each as family and name."""
    default = FAMILIES[family].default
    if default is not None:
        return [
            (
                row.title,
                (family, row.name),
                (default, 'box2seg'),
            )
            for row in FAMILIES[family].rows
        ]
    return [(title, (family, a), (family, b)) for title, a, b in CLAIMS]


def gaps_closed(runs: Sequence[dict]) -> dict[str, list[str]]:
    """How much of the gap to full supervision Box2Seg closes.

    Args:
        runs: The runs.

    Returns:
        Sentences for each family. Each covers the seeds that all of its rows
        have.
    """
    by_row: dict[tuple[str, str], dict[int, dict]] = {}
    for run in runs:
        by_row.setdefault((run['family'], run['row']), {})[run['seed']] = run
    sentences = {}
    for family in FAMILIES:
        sentences[family] = []
        for title, *names in GAPS:
            rows = [by_row.get((family, name), {}) for name in names]
            seeds = set.intersection(*map(set, rows))
            if not seeds:
                continue
            shares = [
                _share_closed(
                    *(
                        statistics.mean(row[seed][figure] for seed in seeds)
                        for row in rows
                    )
                )
                for figure in FIGURES
            ]
            sentences[family].append(
                f'{title} closes {shares[0]:.0%} of the gap between GrabCut '
                f'and full supervision (tags known: {shares[1]:.0%}; of '
                f'means; seeds: {len(seeds)}).'
            )
    return sentences


def compare_labels(rows: Sequence[dict], family: str) -> list[dict]:
    """What networks reach with each kind of labels.

    Args:
        rows: What :func:`summarise_rows` returned.
        family: The family.

    Returns:
        For each kind of labels its title, and under ``cells``, for L_GC and
        for Box2Seg, both without and with the CRF: None, or the mean mIoU,
        the number of seeds and the share of the gap between L_GC on
        GrabCut's labels and full supervision that is closed, all with or all
        without the CRF. The share is NaN where one of these was not run.
    """
    by_name = {row['row']: row for row in rows if row['family'] == family}

    def cell(name: str, crf: str) -> tuple[float, int, float] | None:
        row, base, full = (
            by_name.get(f'{one}{crf}') for one in (name, 'grabcut', 'full')
        )
        if row is None:
            return None
        share = nan
        if base is not None and full is not None:
            share = _share_closed(row['mIoU'], base['mIoU'], full['mIoU'])
        return row['mIoU'], row['seeds'], share

    names = [
        ('GrabCut', 'grabcut', 'box2seg'),
        *((title, name, f'{name}-box2seg') for name, title, _ in LABELS),
    ]
    result = []
    for title, *both in names:
        cells = [cell(name, crf) for name in both for crf in ('', '-crf')]
        if any(cells):
            result.append(dict(title=title, cells=cells))
    return result


def _share_closed(better: float, base: float, full: float) -> float:
    return (better - base) / (full - base) if full > base else nan


def _deviation(values: Sequence[float]) -> float | None:
    # statistics.stdev rounds differently from Python 3.11 on.
    return sqrt(statistics.variance(values)) if values[1:] else None
