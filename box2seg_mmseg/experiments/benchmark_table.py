"""The benchmark's runs as Markdown, CSV and JSON."""

import csv
import platform
import statistics
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..files import replacing, write_json
from .benchmark_rows import FAMILIES

FIGURES = ('mIoU', 'mIoU_tags')
# What the paper says, as differences of two rows.
CLAIMS = (
    ('GrabCut over Box', 'grabcut', 'box'),
    ('attention over GrabCut', 'attention', 'grabcut'),
    ('affinity over GrabCut', 'affinity', 'grabcut'),
    ('Box2Seg over GrabCut', 'box2seg', 'grabcut'),
    ('full supervision over GrabCut', 'full', 'grabcut'),
    (
        'attention on masks with missing objects',
        'missing-attention',
        'missing',
    ),
)
TOOLBOX = ('mmsegmentation', 'mmcv', 'mmengine')
PACKAGES = (
    'torch',
    'numpy',
    'opencv-python',
    *(f'onedl-{name}' for name in TOOLBOX),
    *TOOLBOX,
)


def write_tables(
    work_dir: Path, results: Iterable[dict], docs: str | Path | None = None
) -> str:
    """Write ``table.md``, ``table.csv`` and ``table.json``.

    Args:
        work_dir: The folder to write to.
        results: The runs.
        docs: A Markdown file to write the table to as well.

    Returns:
        The table in Markdown.
    """
    runs = list(results)
    rows = [_row(group) for group in _groups(runs)]
    claims = _claims(runs)
    versions = _versions()
    text = _markdown(rows, claims, versions)
    for path in (work_dir / 'table.md', docs):
        if path is not None:
            with replacing(path) as part:
                part.write_text(text)
    columns = [key for key in rows[0] if key != 'runs'] if rows else []
    with replacing(work_dir / 'table.csv') as part, part.open('w') as file:
        writer = csv.DictWriter(file, columns, extrasaction='ignore')
        writer.writeheader()
        writer.writerows(rows)
    write_json(
        work_dir / 'table.json',
        dict(rows=rows, claims=claims, versions=versions),
    )
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
    row['runs'] = runs
    return row


def _claims(runs: Sequence[dict]) -> list[dict]:
    """Differences of two rows over the seeds that both have."""
    by_run = {(r['family'], r['row'], r['seed']): r for r in runs}
    seeds = sorted({run['seed'] for run in runs})
    claims = []
    for family in FAMILIES:
        for title, a, b in CLAIMS:
            for figure in FIGURES:
                gains = [
                    by_run[family, a, seed][figure]
                    - by_run[family, b, seed][figure]
                    for seed in seeds
                    if (family, a, seed) in by_run
                    and (family, b, seed) in by_run
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


def _gap_closed(claims: Sequence[dict]) -> str | None:
    """What Box2Seg closes of the gap between GrabCut and full supervision."""
    means = {
        c['claim']: c['mean'] for c in claims if c['figure'] == FIGURES[0]
    }
    gain = means.get('Box2Seg over GrabCut')
    gap = means.get('full supervision over GrabCut')
    if gain is None or gap is None or gap <= 0:
        return None
    return (
        f'Box2Seg closes {gain / gap:.0%} of the gap between GrabCut and '
        'full supervision (means of mIoU).'
    )


def _deviation(values: Sequence[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def _versions() -> dict[str, str]:
    found = dict(python=platform.python_version())
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # the other stack's
    return found


def _markdown(
    rows: Sequence[dict], claims: Sequence[dict], versions: dict[str, str]
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
    for family, title in FAMILIES.items():
        of_family = [row for row in rows if row['family'] == family]
        if not of_family:
            continue
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
            if (sentence := _gap_closed(gains)) is not None:
                lines += ['', sentence]
    listed = ', '.join(f'{name} {text}' for name, text in versions.items())
    lines += ['', f'Versions: {listed}.']
    return '\n'.join(lines) + '\n'


def _plus_minus(value: float, deviation: float | None) -> str:
    return f'{value:.2f}' + (f' ± {deviation:.2f}' if deviation else '')
