"""PASCAL VOC 2012 and SBD: the 10,582 images of the aug split."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from defusedxml.ElementTree import ParseError, parse
from scipy.io import loadmat
from tqdm import tqdm

from box2seg_mmseg.boxes import VOC_CLASSES, BoxAnnotations, write_voc_xml
from box2seg_mmseg.files import replacing
from box2seg_mmseg.id_lists import write_lines
from box2seg_mmseg.label_maps import IGNORE, read_label_png, write_label_png

from .download import Download

# MD5 sums from torchvision's VOCSegmentation and SBDataset. Neither these nor
# the sizes were checked against real downloads.
VOC_ARCHIVE = Download(
    'http://host.robots.ox.ac.uk/pascal/VOC/voc2012/'
    'VOCtrainval_11-May-2012.tar',
    1_999_639_040,
    '6cd6e144f989b92b3379bac3b3de84fd',
)
SBD_ARCHIVE = Download(
    'https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/'
    'semantic_contours/benchmark.tgz',
    1_419_539_633,
    '82b4d87ceb2ed10f6038a1cba92111cb',
)
# Images in the published lists of VOC 2012 with SBD.
KNOWN_COUNTS = dict(train=1464, val=1449, train_aug=10582)
_FROM = dict(
    VOC=f'{VOC_ARCHIVE.name} of {VOC_ARCHIVE.url}',
    SBD=f'{SBD_ARCHIVE.name} of {SBD_ARCHIVE.url}',
)


@dataclass
class PreparationReport:
    """What was prepared.

    Args:
        counts: Images by split: ``train``, ``val``, ``train_aug``.
        masks: Masks in SegmentationClassAug.
        boxes_from_masks: Ids whose boxes come from instance masks.
        problems: One line each.
    """

    counts: dict[str, int] = field(default_factory=dict)
    masks: int = 0
    boxes_from_masks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def prepare_voc(
    voc_dir: str | Path, sbd_dir: str | Path, progress: bool = False
) -> PreparationReport:
    """Bring VOC 2012 and SBD to the layout of the configs.

    Into ``voc_dir`` come ``SegmentationClassAug/<id>.png``: VOC's own masks
    of ``train``, SBD's of the other images;
    ``ImageSets/Segmentation/train_aug.txt``: the images of SBD and of
    ``train`` without those of ``val``; and for an image of it without a box
    annotation ``Annotations/<id>.xml`` from SBD's instance masks, with the
    source written in it. What is there already is not made again.

    Args:
        voc_dir: VOCdevkit/VOC2012 of VOC's trainval archive.
        sbd_dir: The folder ``dataset`` of SBD, with ``cls``, ``inst``,
            ``train.txt`` and ``val.txt``.
        progress: Show a progress bar on stderr.

    Returns:
        Counts and problems; a missing or broken file is a problem and the
        rest goes on.

    Raises:
        FileNotFoundError: A split file is missing; the message says where it
            comes from.
    """
    voc, sbd = Path(voc_dir), Path(sbd_dir)
    report = PreparationReport()
    splits = voc / 'ImageSets/Segmentation'
    train = _read_ids(splits / 'train.txt', 'VOC')
    val = _read_ids(splits / 'val.txt', 'VOC')
    in_sbd = {
        name
        for split in ('train.txt', 'val.txt')
        for name in _read_ids(sbd / split, 'SBD')
    }
    leaked = set(train) & set(val)
    if leaked:
        report.problems.append(
            f'{splits}: {len(leaked)} images are in train.txt and val.txt, '
            f'such as {min(leaked)}; download VOC again'
        )
    aug = sorted((in_sbd | set(train)) - set(val))
    bar = tqdm(aug, desc='masks and boxes', unit='image', disable=not progress)
    for name in bar:
        for problem in _prepare_image(voc, sbd, name, name in train, report):
            report.problems.append(problem)
    write_lines(splits / 'train_aug.txt', aug)
    report.counts = dict(train=len(train), val=len(val), train_aug=len(aug))
    for split, known in KNOWN_COUNTS.items():
        if report.counts[split] != known:
            source = 'SBD' if split == 'train_aug' else 'VOC'
            report.problems.append(
                f'{splits / split}.txt: has {report.counts[split]} images, '
                f'the published list has {known}; download '
                f'{_FROM[source]} again'
            )
    return report


def _prepare_image(
    voc: Path, sbd: Path, name: str, is_train: bool, report: PreparationReport
) -> Iterator[str]:
    image = voc / 'JPEGImages' / f'{name}.jpg'
    if not image.is_file():
        yield f'{image}: missing; it comes with {_FROM["VOC"]}'
    mask_path = voc / 'SegmentationClassAug' / f'{name}.png'
    try:
        if not mask_path.exists():
            write_label_png(mask_path, _mask(voc, sbd, name, is_train))
        report.masks += 1
    except (FileNotFoundError, ValueError) as error:
        yield str(error)
    xml_path = voc / 'Annotations' / f'{name}.xml'
    if not xml_path.exists():
        try:
            annotations = _boxes_of_instances(
                sbd / 'inst' / f'{name}.mat', name, image
            )
        except (FileNotFoundError, ValueError) as error:
            yield f'{xml_path}: missing, and no boxes from masks: {error}'
            return
        xml_path.parent.mkdir(exist_ok=True)
        with replacing(xml_path) as part:
            write_voc_xml(part, annotations, source='SBD instance masks')
    if _source(xml_path) == 'SBD instance masks':
        report.boxes_from_masks.append(name)


def _mask(voc: Path, sbd: Path, name: str, is_train: bool) -> np.ndarray:
    if not is_train:
        return _read_mat(sbd / 'cls' / f'{name}.mat', 'GTcls')[0]
    path = voc / 'SegmentationClass' / f'{name}.png'
    if not path.is_file():
        raise FileNotFoundError(
            f'{path}: missing; it comes with {_FROM["VOC"]}'
        )
    try:
        return read_label_png(path, len(VOC_CLASSES) + 1)
    except ValueError as error:
        raise ValueError(f'{error}; download {_FROM["VOC"]} again') from None


def _boxes_of_instances(path: Path, name: str, image: Path) -> BoxAnnotations:
    """The bounding box of each instance."""
    instances, categories = _read_mat(path, 'GTinst')
    boxes, labels = [], []
    for i, category in enumerate(categories, start=1):
        rows, columns = np.nonzero(instances == i)
        if len(rows):
            boxes.append(
                (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            )
            labels.append(category)
    return BoxAnnotations(name, str(image), instances.shape, boxes, labels)


def _read_mat(path: Path, key: str) -> tuple[np.ndarray, list[int]]:
    """Segmentation map and, of instances, their categories."""
    if not path.is_file():
        raise FileNotFoundError(
            f'{path}: missing; it comes with {_FROM["SBD"]}'
        )
    try:
        content = loadmat(path, mat_dtype=True)[key][0, 0]
        segmentation = np.asarray(content['Segmentation'])
        if key == 'GTcls':
            _check(segmentation, [*range(len(VOC_CLASSES) + 1), IGNORE])
        categories = []
        if 'Categories' in content.dtype.names:
            categories = np.asarray(content['Categories']).ravel()
            _check(categories, range(1, len(VOC_CLASSES) + 1))
    except Exception as error:  # scipy has no error of its own for bad bytes
        raise ValueError(
            f'{path}: not a mask of SBD; download {_FROM["SBD"]} again: '
            f'{error}'
        ) from None
    return segmentation.astype(np.uint8), [int(c) for c in categories]


def _check(values: np.ndarray, allowed: Sequence[int]) -> None:
    wrong = np.setdiff1d(values, allowed)
    if wrong.size:
        raise ValueError(f'{wrong[0]:g} is not a class of VOC')


def _source(xml_path: Path) -> str | None:
    try:
        return parse(xml_path).getroot().findtext('source/annotation')
    except ParseError:
        return None  # the dataset check names it


def _read_ids(path: Path, source: str) -> Sequence[str]:
    if not path.is_file():
        raise FileNotFoundError(
            f'{path}: missing; it comes with {_FROM[source]}'
        )
    return path.read_text().split()
