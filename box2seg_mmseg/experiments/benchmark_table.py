"""The benchmark's runs as Markdown, CSV and JSON."""

import csv
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..files import replacing, write_json
from .benchmark_rows import FAMILIES
from .benchmark_runs import STATISTICS

FIGURES = ('mIoU', 'mIoU_tags')
# What the paper says, as differences of two rows.
CLAIMS = (
    ('GrabCut over Box', 'grabcut', 'box'),
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
    (
        'attention on masks with missing objects',
        'missing-attention',
        'missing',
    ),
    ('Box2Seg over GrabCut, clean lists', 'box2seg-clean', 'grabcut-clean'),
    (
        'full supervision over GrabCut, clean lists',
        'full-clean',
        'grabcut-clean',
    ),
)
# A gain as a share of a gap. The last is as the paper's figures stand: its
# Box2Seg has a CRF, by the context in which it is cited.
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


def write_tables(stems: Iterable[str | Path], runs: Sequence[dict]) -> str:
    """Write the tables as Markdown, CSV and JSON.

    Args:
        stems: Where to: paths of the files without their suffixes.
        runs: The runs, as :func:`write_run` wrote them.

    Returns:
        The table in Markdown.
    """
    rows = [_row(group) for group in _groups(runs)]
    claims = _claims(runs)
    text = _markdown(rows, claims, _gaps_closed(runs))
    columns = [key for key in rows[0] if key != 'runs'] if rows else []
    for stem in map(str, stems):
        with replacing(f'{stem}.md') as part:
            part.write_text(text)
        with replacing(f'{stem}.csv') as part, part.open('w') as file:
            writer = csv.DictWriter(file, columns, extrasaction='ignore')
            writer.writeheader()
            writer.writerows(rows)
        write_json(f'{stem}.json', dict(rows=rows, claims=claims))
    return text


def _groups(runs: Sequence[dict]) -> list[list[dict]]:
    groups: dict[tuple[str, str], list[dict]] = {}
    for run in runs:
        groups.setdefault((run['family'], run['row']), []).append(run)
    return list(groups.values())


def _row(runs: Sequence[dict]) -> dict:
    """Mean and standard deviation over the seeds of a row."""
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
    row['runs'] = runs
    return row


def _claims(runs: Sequence[dict]) -> list[dict]:
    """Differences of two rows over the seeds that both have."""
    by_run = {((r['family'], r['row']), r['seed']): r for r in runs}
    seeds = sorted({run['seed'] for run in runs})
    claims = []
    for family in FAMILIES:
        for title, a, b in _differences(family):
            for figure in FIGURES:
                gains = [
                    by_run[a, seed][figure] - by_run[b, seed][figure]
                    for seed in seeds
                    if (a, seed) in by_run and (b, seed) in by_run
                ]
                if gains:
                    claims.append(
                        dict(
                            family=family,
                            claim=title,
                            figure=figure,
                            seeds=len(gains),
                            mean=statistics.mean(gains),
                            sd=_deviation(gains),
                        )
                    )
    return claims


def _differences(family: str) -> list[tuple[str, tuple, tuple]]:
    """A title and two rows, each as family and name."""
    default = FAMILIES[family].default
    if default is not None:
        return [
            (
                f'{row.title}, over the default',
                (family, row.name),
                (default, 'box2seg'),
            )
            for row in FAMILIES[family].rows
        ]
    return [(title, (family, a), (family, b)) for title, a, b in CLAIMS]


def _gaps_closed(runs: Sequence[dict]) -> dict[str, list[str]]:
    """What Box2Seg closes of the gap between GrabCut and full supervision.

    Returns:
        Sentences for each family; each is about the seeds that all its rows
        have.
    """
    scores: dict[tuple[str, str], dict[int, float]] = {}
    for run in runs:
        of_row = scores.setdefault((run['family'], run['row']), {})
        of_row[run['seed']] = run[FIGURES[0]]
    sentences = {}
    for family in FAMILIES:
        sentences[family] = []
        for title, *names in GAPS:
            rows = [scores.get((family, name), {}) for name in names]
            seeds = set.intersection(*map(set, rows))
            if not seeds:
                continue
            better, base, full = (
                statistics.mean(row[seed] for seed in seeds) for row in rows
            )
            if full > base:
                sentences[family].append(
                    f'{title} closes {(better - base) / (full - base):.0%} '
                    'of the gap between GrabCut and full supervision (means '
                    f'of mIoU; seeds: {len(seeds)}).'
                )
    return sentences


def _deviation(values: Sequence[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def _markdown(
    rows: Sequence[dict],
    claims: Sequence[dict],
    gaps: Mapping[str, Sequence[str]],
) -> str:
    lines = [
        '# Benchmark',
        '',
        'Written by `tools/benchmark.py`. mIoU in percent on the photographs '
        'of `val`, mean and standard deviation over the seeds; single scale, '
        'no CRF unless named; EfficientNet-Lite2 from ImageNet, frozen. '
        '"Tags known": the argmax runs over the background and the classes '
        'that the image has.',
    ]
    for family in FAMILIES:
        of_family = [row for row in rows if row['family'] == family]
        if not of_family:
            continue
        title = FAMILIES[family].title
        lines += [
            '',
            f'## {title[0].upper()}{title[1:]}',
            '',
            '| trained on | seeds | mIoU | tags known | training, s | '
            'memory, MiB | parameters, M |',
            '|---|---:|---:|---:|---:|---:|---:|',
        ]
        for row in of_family:
            figures = [
                _plus_minus(row[name], row[f'{name}_sd']) for name in FIGURES
            ]
            seconds, parameters = row['train_seconds'], row['parameters']
            cells = [
                row['title'],
                row['seeds'],
                *figures,
                '-' if seconds is None else f'{seconds:.0f}',
                f'{row["peak_mib"]:.0f}',
                '-' if parameters is None else f'{parameters / 1e6:.2f}',
            ]
            lines.append(f'| {" | ".join(map(str, cells))} |')
        lines += _statistics_table(of_family)
        gains = [c for c in claims if c['family'] == family]
        if gains:
            lines += [
                '',
                '| difference, seed by seed | seeds | mIoU | tags known |',
                '|---|---:|---:|---:|',
            ]
            for a, b in zip(gains[::2], gains[1::2], strict=True):
                lines.append(
                    f'| {a["claim"]} | {a["seeds"]} | '
                    f'{_plus_minus(a["mean"], a["sd"])} | '
                    f'{_plus_minus(b["mean"], b["sd"])} |'
                )
        for sentence in gaps[family]:
            lines += ['', sentence]
    lines += ['', *_where(rows)]
    return '\n'.join(lines) + '\n'


def _where(rows: Sequence[dict]) -> Iterator[str]:
    """How many runs were made on which machine, with which versions."""
    counts = Counter(
        (run['machine'], tuple(run['versions'].items()))
        for row in rows
        for run in row['runs']
    )
    for (machine, versions), count in counts.items():
        listed = ', '.join(f'{name} {text}' for name, text in versions)
        yield f'Runs on {machine}: {count}, with {listed}.'


def _statistics_table(rows: Sequence[dict]) -> list[str]:
    """The attention and the affinity at the end of training."""
    rows = [row for row in rows if any(row[name] for name in STATISTICS)]
    if not rows:
        return []
    lines = [
        '',
        f'| at the end of training | {" | ".join(STATISTICS.values())} |',
        f'|---|{"---:|" * len(STATISTICS)}',
    ]
    for row in rows:
        values = [row[name] for name in STATISTICS]
        cells = ['-' if v is None else f'{v:.3f}' for v in values]
        lines.append(f'| {row["title"]} | {" | ".join(cells)} |')
    return lines


def _plus_minus(value: float, deviation: float | None) -> str:
    return f'{value:.2f}' + (f' ± {deviation:.2f}' if deviation else '')
