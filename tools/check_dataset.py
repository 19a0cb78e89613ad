"""Check a data set before training: problems first, then what is in it.

Reads every image, box and, with --labels, label once. Found are: images and
annotations that are missing or broken, sizes that differ, unknown classes,
boxes that are empty, twice there or reach outside their image, images twice
in a split or in two splits, by name or by content, images of another split
that can not be compared, labels that are missing, of another size or class, or
outside every box.

Exit status: 0 clean, 1 problems found, 2 can not run.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections import Counter
from glob import escape
from pathlib import Path

from box2seg_mmseg.boxes import ReadingReport
from box2seg_mmseg.command_line import (
    add_box_options,
    out_file,
    read_boxes,
    read_classes,
    run,
)
from box2seg_mmseg.datasets.dataset_check import (
    DatasetReport,
    Problem,
    check_dataset,
)
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import existing_folder, write_json
from box2seg_mmseg.id_lists import read_lines


def main(args: Namespace) -> int:
    """Check, print and say whether it is clean."""
    if args.labels is not None:
        existing_folder(args.labels)
    lines = _read_names(args.split)
    ids = list(dict.fromkeys(lines))
    reading = ReadingReport(skip_bad=True)
    annotations, _ = read_boxes(args, reading, ids)
    report = check_dataset(
        annotations,
        ids,
        read_classes(args.classes),
        args.labels,
        dict(_other_split(args, given) for given in args.other_splits),
        progress=True,
    )
    for name, count in Counter(lines).items():
        if count > 1:
            text = f'{args.split}: names {name} {count} times; leave one'
            report.add('image twice', text)
    report.problems[:0] = [
        Problem('annotation', text) for text in reading.skipped
    ]
    _print(report)
    if args.json:
        write_json(args.json, report.to_json())
    return 1 if report.problems else 0


def _read_names(split: str) -> list[str]:
    names = read_lines(split)
    if not names:
        raise UsageError(f'{split}: names no image')
    return names


def _other_split(args: Namespace, given: str) -> tuple[str, dict[str, Path]]:
    """The file that FILE or FILE=DIR names, and where its images are."""
    split, image_dir = given, args.image_dir
    if '=' in given and not Path(given).is_file():
        split, _, image_dir = given.rpartition('=')
    folder = Path(args.data_root, image_dir)
    is_own = folder == Path(args.data_root, args.image_dir)
    images = {}
    for name in _read_names(split):
        path = folder / f'{name}{args.image_suffix}'
        if not path.exists():
            path = next(iter(sorted(folder.glob(f'{escape(name)}.*'))), path)
        # The same name in another folder may well be another image.
        images[name if is_own else str(path)] = path
    return split, images


def _print(report: DatasetReport) -> None:
    for problem in report.problems:
        print(f'{problem.kind}: {problem.text}')
    kinds = Counter(problem.kind for problem in report.problems)
    print(f'\n{"problems":32}{"count":>8}')
    for kind, count in kinds.most_common():
        print(f'{kind:32}{count:8}')
    print(f'{"all":32}{len(report.problems):8}\n')
    print(
        f'{"class":20}{"images":>8}{"boxes":>8}{"thin":>8}'
        f'{"side, px":>10}{"filled":>8}'
    )
    for name, figures in report.classes.items():
        row = figures.summary()
        side, rate = row['median_side'], row['median_filling_rate']
        print(
            f'{name:20}{row["images"]:8}{row["boxes"]:8}{row["thin"]:8}'
            f'{"-" if side is None else f"{side:.0f}":>10}'
            f'{"-" if rate is None else f"{rate:.2f}":>8}'
        )
    absent = [name for name, f in report.classes.items() if not f.boxes]
    print(f'classes without a box: {", ".join(absent) or "none"}')
    print(f'images without a box: {report.unboxed}')
    print(
        f'{report.images} images read. Thin: narrower than 3 px, filled '
        "instead of segmented. Side: median of the boxes' square root of the "
        'area. Filled: median share of a box that the labels give to its '
        'class.'
    )


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add_box_options(result)
    result.add_argument(
        '--labels',
        metavar='DIR',
        help='also check the pseudo labels or masks in this folder, '
        '<image id>.png. In a folder that generate_pseudo_labels made, PNGs '
        'that were altered or that it did not write, labels for other classes '
        'and an unfinished run are problems too',
    )
    result.add_argument(
        '--other-splits',
        nargs='+',
        default=[],
        metavar='FILE[=DIR]',
        help='splits that must share no image with this one, such as val: '
        'text files with one image id a line, each with the folder of its '
        'images if that is not --image-dir',
    )
    result.add_argument(
        '--json',
        type=out_file,
        metavar='FILE',
        help='write problems and figures as JSON too',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
