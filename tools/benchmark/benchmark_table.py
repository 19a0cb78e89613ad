"""The benchmark's runs as Markdown, CSV and JSON."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isnan
from pathlib import Path

from benchmark_families import FAMILIES
from benchmark_runs import LOG_LINES, STATISTICS
from benchmark_summary import (
    FIGURES,
    compare_labels,
    gaps_closed,
    machine_of,
    summarise_claims,
    summarise_rows,
)

from box2seg_mmseg.files import replacing, write_json


def write_tables(stems: Iterable[str | Path], runs: Sequence[dict]) -> str:
    """Write the tables as Markdown, CSV and JSON.

    Args:
        stems: Where to: paths of the files without their suffixes.
        runs: The runs, as :func:`write_run` wrote them, in the order of the
            rows.

    Returns:
        The table in Markdown.
    """
    rows = summarise_rows(runs)
    claims = summarise_claims(runs)
    text = _markdown(rows, claims, gaps_closed(runs))
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


def _markdown(
    rows: Sequence[dict],
    claims: Sequence[dict],
    gaps: Mapping[str, Sequence[str]],
) -> str:
    lines = [
        '# Benchmark',
        '',
        '`tools/benchmark/run_benchmark.py` writes this page. mIoU is in '
        'percent on the '
        'photographs of `val`, mean and standard deviation over the seeds; '
        'single scale, no CRF unless named; EfficientNet-Lite2 from '
        'ImageNet, frozen; 800 iterations of 8 whole photographs at 256 px. '
        '"Tags known": the argmax is over the background and the classes '
        'that the image contains; after a CRF, only where the CRF chose '
        "another class. Training reads the frozen backbone's features from "
        'files. Memory is the most that one process of any seed took, in '
        'training or test. Compare times only between runs of one machine '
        '(see the end). The parameters include those of decoders that only '
        'training uses.',
        '',
        'These commands make the rows. The JSON file beside this page has '
        'the commands of every single run, with the commit that ran them, '
        'whose configs may have other names; commands without a commit run '
        'at commit 1d8b41d:',
        '',
        '```shell',
        *_commands(rows),
        '```',
    ]
    for family in FAMILIES:
        of_family = [row for row in rows if row['family'] == family]
        if not of_family:
            continue
        title = FAMILIES[family].title
        lines += ['', f'## {title[0].upper()}{title[1:]}', '']
        lines += _figures_table(_default_row(family, rows) + of_family)
        lines += _labels_table(family, rows)
        lines += _statistics_table(of_family)
        lines += _claims_table(family, claims)
        for sentence in gaps[family]:
            lines += ['', sentence]
    lines += ['', *_where(rows)]
    return '\n'.join(lines) + '\n'


def _commands(rows: Sequence[dict]) -> Iterator[str]:
    """Commands that make the rows, one for each number of seeds."""
    by_seeds: dict[int, list[tuple[str, str]]] = {}
    for row in rows:
        found = by_seeds.setdefault(row['seeds'], [])
        found.append((row['family'], row['row']))
    for seeds, found in sorted(by_seeds.items(), reverse=True):
        names = []
        for family, content in FAMILIES.items():
            own = [f'{family}/{row}' for f, row in found if f == family]
            names += [family] if len(own) == len(content.rows) else own
        yield (
            'python tools/benchmark/run_benchmark.py --data-root .../voc-mini '
            '--work-dir work_dirs/benchmark --docs docs/benchmark.md '
            f'--seeds {seeds} --only {" ".join(names)}'
        )


def _default_row(family: str, rows: Sequence[dict]) -> list[dict]:
    """For a sweep, the row with the settings' default values."""
    default = (FAMILIES[family].default, 'box2seg')
    return [
        row | dict(title='Box2Seg, the defaults')
        for row in rows
        if (row['family'], row['row']) == default
    ]


def _figures_table(rows: Sequence[dict]) -> Iterator[str]:
    yield (
        '| trained on | seeds | mIoU | tags known | training, s | '
        'memory, MiB | parameters, M |'
    )
    yield '|---|---:|---:|---:|---:|---:|---:|'
    for row in rows:
        seconds, parameters = row['train_seconds'], row['parameters']
        cells = [
            row['title'],
            row['seeds'],
            *_plus_minus(row),
            '-' if seconds is None else f'{seconds:.0f}',
            f'{row["peak_mib"]:.0f}',
            '-' if parameters is None else f'{parameters / 1e6:.2f}',
        ]
        yield f'| {" | ".join(map(str, cells))} |'


def _labels_table(family: str, rows: Sequence[dict]) -> list[str]:
    """All labels, with both kinds of losses, without and with the CRF."""
    kinds = compare_labels(rows, family)
    if len(kinds) < 2:
        return []
    lines = [
        '',
        'Networks by their labels. In brackets, the share of the gap between '
        "L_GC on GrabCut's labels and full supervision, all with the CRF in "
        'the columns with CRF; then the number of seeds. An asterisk marks '
        'extra supervision:',
        '',
        '| labels | L_GC | L_GC, CRF | Box2Seg | Box2Seg, CRF |',
        '|---|---:|---:|---:|---:|',
    ]
    for kind in kinds:
        cells = []
        for cell in kind['cells']:
            if cell is None:
                cells.append('-')
                continue
            miou, seeds, share = cell
            closed = '' if isnan(share) else f' ({share:.0%})'
            cells.append(f'{miou:.2f}{closed}; {seeds}')
        lines.append(f'| {kind["title"]} | {" | ".join(cells)} |')
    return lines


def _claims_table(family: str, claims: Sequence[dict]) -> list[str]:
    claims = [claim for claim in claims if claim['family'] == family]
    if not claims:
        return []
    sweep = FAMILIES[family].default is not None
    what = 'over the defaults' if sweep else 'difference'
    lines = [
        '',
        f'| {what}, seed by seed | seeds | mIoU | tags known |',
        '|---|---:|---:|---:|',
    ]
    for claim in claims:
        mark = '' if claim['one_machine'] else ' †'
        title, seeds = f'{claim["claim"]}{mark}', str(claim['seeds'])
        lines.append(f'| {" | ".join([title, seeds, *_plus_minus(claim)])} |')
    if not all(claim['one_machine'] for claim in claims):
        lines += [
            '',
            '† The two rows were made on different machines (see the end), '
            'which round differently and so train differently.',
        ]
    return lines


def _where(rows: Sequence[dict]) -> Iterator[str]:
    """How many runs were made on which machine, with which versions.

    All machines but the one with most runs list their rows.
    """
    by_machine: dict[str, list[dict]] = {}
    for row in rows:
        for run in row['runs']:
            by_machine.setdefault(machine_of(run), []).append(run)
    by_count = sorted(by_machine.items(), key=lambda i: -len(i[1]))
    for number, (machine, runs) in enumerate(by_count):
        names = dict.fromkeys(f'{run["family"]}/{run["row"]}' for run in runs)
        of = f' ({", ".join(names)})' if number else ''
        yield f'{len(runs)} runs{of} on {machine}.'


def _statistics_table(rows: Sequence[dict]) -> list[str]:
    """The attention and the affinity at the end of training."""
    rows = [row for row in rows if any(row[name] for name in STATISTICS)]
    if not rows:
        return []
    lines = [
        '',
        f'| last {LOG_LINES} lines of the training log | '
        f'{" | ".join(STATISTICS.values())} |',
        f'|---|{"---:|" * len(STATISTICS)}',
    ]
    for row in rows:
        values = [row[name] for name in STATISTICS]
        cells = ['-' if v is None else f'{v:.3f}' for v in values]
        lines.append(f'| {row["title"]} | {" | ".join(cells)} |')
    return lines


def _plus_minus(content: dict) -> Iterator[str]:
    """Mean and deviation of each figure."""
    for name in FIGURES:
        deviation = content[f'{name}_sd']
        more = '' if deviation is None else f' ± {deviation:.2f}'
        yield f'{content[name]:.2f}{more}'
