"""Bring PASCAL VOC 2012 and SBD to the layout of the configs.

Makes, in OUT/VOCdevkit/VOC2012 or in the folder given with --voc,
SegmentationClassAug with a PNG for each image of the aug split,
ImageSets/Segmentation/train_aug.txt (10,582 images, none of val), and
Annotations/ID.xml from SBD's instance masks where VOC has none. Existing
files are kept, so the same command continues after an interruption. The
configs read data/VOCdevkit/VOC2012; for another folder the command prints what
to set.

Give the two archives, or the folders that they were extracted to, or
--download. The MD5 sums of the archives are those in torchvision. Neither the
sums nor the sizes were checked against real downloads.
"""

import shlex
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from box2seg_mmseg.errors import UsageError

from .archives import extract
from .download import download
from .voc import SBD_ARCHIVE, VOC_ARCHIVE, prepare_voc

DATA_ROOT = Path('data/VOCdevkit/VOC2012')  # of configs/_base_/datasets


def main(args: Namespace) -> int:
    """Prepare, and print what was made and what is wrong."""
    out = Path(args.out)
    voc = _folder(args.voc, VOC_ARCHIVE, out, args, 'VOCdevkit/VOC2012')
    sbd = _folder(
        args.sbd, SBD_ARCHIVE, out, args, 'benchmark_RELEASE/dataset'
    )
    report = prepare_voc(voc, sbd, progress=True)
    for split, count in report.counts.items():
        print(f'{split:10} {count:6} images')
    print(f'SegmentationClassAug: {report.masks} masks')
    print(
        f'boxes from instance masks, where VOC has no XML: '
        f'{len(report.boxes_from_masks)}'
    )
    _print_place(voc)
    for problem in report.problems:
        print(problem, file=sys.stderr)
    return 1 if report.problems else 0


def _print_place(voc: Path) -> None:
    """Print where it was prepared, and how the configs find it there."""
    print(f'prepared: {voc}')
    if voc.resolve() == DATA_ROOT.resolve():
        return
    loaders = ('train', 'val', 'test')
    root = shlex.quote(str(voc))
    options = [f'{x}_dataloader.dataset.data_root={root}' for x in loaders]
    print(f'The configs read {DATA_ROOT}. Link it there:')
    print(
        f'  mkdir -p {DATA_ROOT.parent} && '
        f'ln -s {shlex.quote(str(voc.resolve()))} {DATA_ROOT}'
    )
    print(f'or set: --cfg-options {" ".join(options)}')


def _folder(given, source, out: Path, args: Namespace, inner: str) -> Path:
    """The data set's folder, extracted or downloaded if needed."""
    extracted = out / inner
    if given is None:
        if not args.download and not extracted.is_dir():
            raise UsageError(
                f'{extracted}: no such folder; give the folder or the archive '
                f'({source.url}), or --download'
            )
        if not extracted.is_dir():
            given = download(source, out, progress=True)
    if given is not None:
        given = Path(given)
        if given.is_dir():
            found = [given, given / inner, given / Path(inner).name]
            return next((p for p in found if _is_data(p)), given)
        if not given.is_file():
            raise UsageError(f'{given}: no such archive or folder')
        extract(given, out, progress=True)
    return extracted


def _is_data(path: Path) -> bool:
    return (path / 'ImageSets').is_dir() or (path / 'cls').is_dir()


def add_arguments(result: ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    result.add_argument(
        '--voc',
        metavar='PATH',
        help=f'{VOC_ARCHIVE.name}, or the folder VOC2012',
    )
    result.add_argument(
        '--sbd',
        metavar='PATH',
        help=f'{SBD_ARCHIVE.name}, or its folder dataset',
    )
    result.add_argument(
        '--out',
        default='data',
        metavar='DIR',
        help='where archives are extracted (default: %(default)s)',
    )
    result.add_argument(
        '--download',
        action='store_true',
        help='fetch what is missing, 3.4 GB; resumes an interrupted download',
    )
