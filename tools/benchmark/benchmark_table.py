"""The benchmark's runs as Markdown, CSV and JSON."""

import csv
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import nan
from pathlib import Path

from benchmark_rows import FAMILIES, NOISES, SHARES, noise_name, share_name
from benchmark_runs import LOG_LINES, STATISTICS

from box2seg_mmseg.files import replacing, write_json

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
        runs: The runs, as :func:`write_run` wrote them, in the order of the
            rows.

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
    row['machines'] = '; '.join(dict.fromkeys(map(_machine, runs)))
    row['runs'] = runs
    return row


def _machine(run: dict) -> str:
    """Where a run was made, and with what."""
    versions = ', '.join(f'{k} {v}' for k, v in run['versions'].items())
    return f'{run["machine"]}, with {versions}'


def _claims(runs: Sequence[dict]) -> list[dict]:
    """Differences of two rows over the seeds that both have."""
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


def _gaps_closed(runs: Sequence[dict]) -> dict[str, list[str]]:
    """What Box2Seg closes of the gap between GrabCut and full supervision.

    Returns:
        Sentences for each family; each is about the seeds that all its rows
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
            shares = []
            for figure in FIGURES:
                better, base, full = (
                    statistics.mean(row[seed][figure] for seed in seeds)
                    for row in rows
                )
                share = (better - base) / (full - base) if full > base else nan
                shares.append(f'{share:.0%}')
            sentences[family].append(
                f'{title} closes {shares[0]} of the gap between GrabCut and '
                f'full supervision (tags known: {shares[1]}; of means; seeds: '
                f'{len(seeds)}).'
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
        'Written by `tools/benchmark/run.py`. mIoU in percent on the '
        'photographs of `val`, mean and standard deviation over the seeds; '
        'single scale, no CRF unless named; EfficientNet-Lite2 from '
        'ImageNet, frozen; 800 iterations of 8 whole photographs at 256 px. '
        '"Tags known": the argmax runs over the background and the classes '
        'that the image has; after a CRF only where it chose another class. '
        'Training reads the '
        "frozen backbone's features from files. Memory is the most that one "
        'process of any seed took, training or test; time is to be compared '
        'between runs of one machine (see the end). The parameters include '
        'those of decoders that only training uses.',
        '',
        'The commands; those of every single run are in the JSON file beside '
        'this page:',
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
        lines += _statistics_table(of_family)
        lines += _claims_table(family, claims)
        for sentence in gaps[family]:
            lines += ['', sentence]
    lines += ['', *_where(rows)]
    return '\n'.join(lines) + '\n'


def _commands(rows: Sequence[dict]) -> Iterator[str]:
    """What makes the rows, a command for each number of seeds."""
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
            'python tools/benchmark/run.py --data-root .../voc-mini '
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
            '† The two rows were made on unlike machines (see the end): '
            'another rounding is another training.',
        ]
    return lines


def _where(rows: Sequence[dict]) -> Iterator[str]:
    """How many runs were made on which machine, with which versions.

    With their rows, but for the machine that made most.
    """
    by_machine: dict[str, list[dict]] = {}
    for row in rows:
        for run in row['runs']:
            by_machine.setdefault(_machine(run), []).append(run)
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
