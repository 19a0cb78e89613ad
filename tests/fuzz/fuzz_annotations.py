"""Damage annotation files at random and read them.

Each case damages one file and reads it in a process of its own, twice: with
errors raised and with bad entries skipped. Every case must end in an error of
this package that names the file, or in boxes that pass independent checks.
Exit status: 0 all cases passed, 1 some failed (each is listed with its
number; --only NUMBER shows one again).
"""

import json
import multiprocessing
import os
import resource
import sys
import tempfile
import traceback
import warnings
from argparse import ArgumentParser
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from random import Random
from typing import NamedTuple

from clean_data import (
    BOXES,
    CLASSES,
    ENTRIES,
    FILES,
    SIZES,
    SOURCES,
    write_data,
)
from mutations import (
    ENTRY_MUTATIONS,
    FILE_MUTATIONS,
    head,
    json_value,
    yaml_end,
)

from box2seg_mmseg.boxes import (
    AnnotationError,
    ReadingReport,
    build_box_source,
)
from box2seg_mmseg.errors import UsageError

SECONDS = 20  # of one case, on a busy machine
MEMORY = 2**29  # bytes that one case may add
LONGEST = 2000  # characters of a message
CHECK_EVERY = 20  # of so many cases one runs check_dataset too

KEYED = ('.json', '.xml', '.yaml')  # where no key may occur twice


class Case(NamedTuple):
    """A damaged file.

    ``others`` are the boxes that the damage did not touch, and ``num_extra``
    is how many more there may be; None if it may have touched all.
    """

    format: str
    file: str
    mutation: str
    data: bytes
    others: list | None
    num_extra: int


def make_case(root: Path, seed: int, number: int) -> Case:
    rng = Random(f'{seed} {number}')
    format = rng.choice(list(SOURCES))
    # One of the files of each kind, so that rare kinds are common here.
    suffix = rng.choice(sorted({Path(name).suffix for name in FILES[format]}))
    file = rng.choice([n for n in FILES[format] if n.endswith(suffix)])
    data = (root / file).read_bytes()
    kinds = dict(FILE_MUTATIONS)
    if suffix == '.xml':
        kinds['entities'] = head
    elif suffix == '.yaml':
        kinds['other YAML'] = yaml_end
    elif suffix == '.json':
        kinds['other value'] = json_value
    is_boxes = file not in ('class-descriptions.csv', 'detections/images.json')
    if is_boxes and suffix in ENTRY_MUTATIONS:
        kinds['one entry'] = None
    # Half of the cases damage one entry, if that is possible.
    name = rng.choice([*kinds, *['one entry'] * 6 * ('one entry' in kinds)])
    own = Path(file).with_suffix('').as_posix().partition('/')[2]
    if name == 'one entry':
        data, place = ENTRY_MUTATIONS[suffix](rng, data)
        entries = list(ENTRIES)
        if own in SIZES:
            place += [entry[0] for entry in ENTRIES].index(own)
        del entries[place]
        kept = [(i, c, tuple(map(float, b))) for i, c, b in entries]
        others = [
            (i, CLASSES.index(c) + 1, b) for i, c, b in kept if c in CLASSES
        ]
        return Case(format, file, name, data, others, 1)
    data = kinds[name](rng, data)
    others = [b for b in BOXES if b[0] != own] if own in SIZES else None
    return Case(format, file, name, data, others, 10**6)


def read(root: Path, case: Case, skip_bad: bool) -> tuple[str, list, list]:
    """Outcome, boxes and skipped lines; an AssertionError tells a failure."""
    report = ReadingReport(skip_bad=skip_bad)
    try:
        source = build_box_source(
            SOURCES[case.format]
            | dict(data_root=root, classes=CLASSES, image_dir='images')
        )
        is_yaml = case.file == 'data.yaml'
        split = 'train' if is_yaml else root / 'ids.txt'
        ids = source.image_ids(split)
        items = list(source.read(ids, report))
    except (AnnotationError, UsageError) as error:
        check_message(str(error), root)
        return 'error', [], []
    except ValueError as error:
        assert type(error) is ValueError, repr(error)  # such as in a list
        check_message(str(error), root)
        return 'error', [], []
    for text in report.skipped:
        check_message(text, root)
    assert len({item.image_id for item in items}) == len(items), 'image twice'
    boxes = []
    for item in items:
        height, width = item.size
        assert item.image_id in ids, f'image {item.image_id}'
        assert 0 < height < 2**31 and 0 < width < 2**31, f'size {item.size}'
        for label, box in zip(item.labels, item.boxes.tolist(), strict=True):
            x1, y1, x2, y2 = box
            assert 0 <= x1 < x2 <= width, f'box {box} in {item.size}'
            assert 0 <= y1 < y2 <= height, f'box {box} in {item.size}'
            assert 1 <= label <= len(CLASSES), f'label {label}'
            boxes.append((item.image_id, int(label), tuple(box)))
        if item.scores is not None:
            assert ((item.scores >= 0) & (item.scores <= 1)).all(), 'scores'
    other = report.num_other_classes + report.num_other_images
    counts = f'counts {report}'
    assert report.num_used == len(boxes), counts
    assert report.num_read == len(boxes) + other + len(report.skipped), counts
    assert skip_bad or not report.skipped, counts
    outcome = 'some skipped' if report.skipped else 'read'
    return outcome, boxes, report.skipped


def check_message(text: str, root: Path) -> None:
    assert str(root) in text, f'the message names no file: {text[:300]!r}'
    assert len(text) < LONGEST, f'a message of {len(text)} characters'
    assert len(text.splitlines()) == 1, f'several lines: {text[:300]!r}'


def run_case(root: Path, case: Case, with_tool: bool) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        warnings.filterwarnings('ignore', '.*reached outside')
        warnings.filterwarnings('ignore', '.*has no class named')
        strict, strict_boxes, _ = read(root, case, skip_bad=False)
        outcome, boxes, skipped = read(root, case, skip_bad=True)
    if strict == 'read':
        assert outcome == 'read' and boxes == strict_boxes, 'depends on skip'
    else:
        assert outcome == 'error' or skipped, 'the error vanishes if skipped'
    if case.mutation == 'key twice' and Path(case.file).suffix in KEYED:
        extra = Counter(boxes) - Counter(BOXES)
        assert not extra, f'the second value counts: {extra}'
    if outcome != 'error' and case.others is not None:
        missing = Counter(case.others) - Counter(boxes)
        extra = Counter(boxes) - Counter(case.others)
        assert not missing, f'untouched boxes are lost: {missing}'
        assert extra.total() <= case.num_extra, f'boxes from nowhere: {extra}'
    if with_tool:
        status = check_tool(root, case)
        expected = {'read': (0, 1), 'some skipped': (1,), 'error': (1, 2)}
        assert status in expected[outcome], f'check_dataset: exit {status}'
    return outcome


def check_tool(root: Path, case: Case) -> int:
    """The exit status of check_dataset, which prints no stack trace."""
    import check_dataset

    from box2seg_mmseg.command_line import run

    sys.argv = ['check_dataset.py', str(root), '--format', case.format]
    sys.argv += ['--classes', str(root / 'classes.txt')]
    split = 'train' if case.file == 'data.yaml' else str(root / 'ids.txt')
    sys.argv += ['--split', split, '--image-dir', 'images']
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            run(check_dataset.main, check_dataset.parser())
        except SystemExit as exit_:
            status = exit_.code
    text = out.getvalue() + err.getvalue()
    assert 'Traceback' not in text, text[-500:]
    return status


def import_tool() -> None:
    tools = Path(__file__).resolve().parents[2] / 'tools'
    if str(tools) not in sys.path:
        sys.path.insert(0, str(tools))
    import box2seg_mmseg

    box2seg_mmseg.register_all_modules()
    import check_dataset  # noqa: F401


def in_child(root: Path, case: Case, with_tool: bool, pipe) -> None:
    used = int(Path('/proc/self/statm').read_text().split()[0])
    limit = used * os.sysconf('SC_PAGE_SIZE') + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        pipe.send((run_case(root, case, with_tool), ''))
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = f'{type(error).__name__}: {str(error)[:400]} '
        pipe.send(('FAILED', f'{text}({where.filename}:{where.lineno})'))


def isolated(root: Path, case: Case, with_tool: bool) -> tuple[str, str]:
    """Run a case in a process of its own: its outcome, and what failed."""
    context = multiprocessing.get_context('fork')
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(
        target=in_child, args=(root, case, with_tool, sender)
    )
    child.start()
    sender.close()
    try:
        if not receiver.poll(SECONDS):
            return 'FAILED', f'still running after {SECONDS} s'
        return receiver.recv()
    except EOFError:
        child.join()
        return 'FAILED', f'crashed, exit code {child.exitcode}'
    finally:
        child.kill()
        child.join()


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--count', type=int, default=10_000)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--only', type=int, help='run one case and show it')
    parser.add_argument('--json', type=Path, help='write the counts as JSON')
    args = parser.parse_args()
    one = args.only is not None
    numbers = [args.only] if one else range(args.count)
    # Processes start faster before the tool, with torch, is imported.
    numbers = sorted(numbers, key=lambda i: i % CHECK_EVERY == 0)
    table, failures = Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_data(root)
        for number in numbers:
            case = make_case(root, args.seed, number)
            clean = (root / case.file).read_bytes()
            (root / case.file).write_bytes(case.data)
            if one:
                print(case._replace(data=case.data[:2000]))
                print(run_case(root, case, True))
            with_tool = number % CHECK_EVERY == 0
            if with_tool:  # imported here once, not in each child
                import_tool()
            outcome, text = isolated(root, case, with_tool)
            (root / case.file).write_bytes(clean)
            table[case.format, case.mutation, outcome] += 1
            if outcome == 'FAILED':
                failures.append(number)
                print(f'{number}: {case.file}, {case.mutation}: {text}')
    show(table)
    if args.json:
        rows = [[*key, count] for key, count in sorted(table.items())]
        args.json.write_text(json.dumps(rows, indent=1))
    return 1 if failures else 0


def show(table: Counter) -> None:
    outcomes = ('error', 'some skipped', 'read', 'FAILED')
    print(f'\n{"":28}' + ''.join(f'{name:>14}' for name in outcomes))
    rows = sorted({key[:2] for key in table})
    for row in rows:
        counts = [table[(*row, outcome)] for outcome in outcomes]
        print(f'{row[0]:12}{row[1]:16}' + ''.join(f'{n:14}' for n in counts))
    sums = [sum(table[(*row, o)] for row in rows) for o in outcomes]
    print(f'{"all":28}' + ''.join(f'{n:14}' for n in sums))
    print(f'{table.total()} cases')


if __name__ == '__main__':
    raise SystemExit(main())
