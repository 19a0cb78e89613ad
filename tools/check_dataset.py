"""Check a data set before training: list its problems, then its content.

Reads every image, box and, with --labels, label once. It finds:
images and annotations that are missing or broken; sizes that differ; unknown
classes; boxes that are empty, duplicated or reach outside their image; images
that occur twice in a split or in two splits, by name or by content; images of
another split that cannot be read; labels that are missing, have the wrong size
or class, or lie outside every box. With --classes, boxes of other classes are
not a problem; they are counted at the end.

Exit status: 0 clean, 1 problems found, 2 cannot run.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections import Counter
from pathlib import Path

from dataset_check.dataset_check import (
    DatasetReport,
    Problem,
    check_dataset,
)

from box2seg_mmseg.boxes import BoxSource, ReadingReport
from box2seg_mmseg.boxes.sources.yolo_data_file import IMAGE_SUFFIXES
from box2seg_mmseg.command_line import (
    add_box_options,
    out_file,
    read_box_source,
    run,
)
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.files import existing_folder, write_json
from box2seg_mmseg.id_lists import read_lines


def main(args: Namespace) -> int:
    """Check, print, and return whether there are problems."""
    if args.labels is not None:
        existing_folder(args.labels)
    source = read_box_source(args)
    lines = _read_names(source, args.split)
    ids = list(dict.fromkeys(lines))
    reading = ReadingReport(skip_bad=True)
    report = check_dataset(
        source.read(ids, reading),
        ids,
        source.classes,
        args.labels,
        dict(_other_split(source, given) for given in args.other_splits),
        progress=True,
    )
    report.other_classes = {
        name: count for name, (count, _) in reading.other_classes.items()
    }
    for name, count in Counter(lines).items():
        if count > 1:
            text = f'{args.split}: names {name} {count} times; leave one'
            report.add('image twice', text)
    report.problems[:0] = [
        Problem('annotation', text) for text in reading.skipped
    ]
    _print(report)
    print('\n'.join(reading.summary()))
    if args.json:
        write_json(args.json, report.to_json())
    return 1 if report.problems else 0


def _read_names(source: BoxSource, split: str) -> list[str]:
    """The ids of a split; a file may name one twice."""
    if not Path(split).is_file():
        return source.image_ids(split)
    names = read_lines(split)
    if not names:
        raise UsageError(f'{split}: names no image')
    return names


def _other_split(source: BoxSource, given: str) -> tuple[str, dict[str, Path]]:
    """The split that FILE or FILE=DIR names, and the paths of its images."""
    split, folder = given, source.image_dir
    if '=' in given and not Path(given).is_file():
        split, _, image_dir = given.rpartition('=')
        folder = source.data_root / image_dir
    is_own = folder == source.image_dir
    suffix = getattr(source, 'image_suffix', None) or ''
    names = _read_names(source, split)
    files = {
        file.with_suffix(''): file
        for parent in {(folder / name).parent for name in names}
        if parent.is_dir()
        for file in sorted(parent.iterdir(), key=_is_image)
    }
    images = {}
    for name in names:
        path = folder / f'{name}{suffix}'
        if not path.is_file():
            path = files.get(folder / name, path)
        # The same name in another folder may be another image.
        images[name if is_own else str(path)] = path
    return split, images


def _is_image(file: Path) -> tuple[bool, Path]:
    """A key that sorts files; of one name, an image comes last."""
    return file.suffix.lower() in IMAGE_SUFFIXES, file


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
        'as --split, each with the folder of its images if that is not '
        '--image-dir',
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
