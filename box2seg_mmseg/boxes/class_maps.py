"""Class lists, and other data sets' names for PASCAL VOC's classes.

A name that the tables do not list is not one of VOC's 20 classes, and its
boxes are left out. A name that covers more than VOC's class (OpenImages'
``Table``) is not listed either: a missing box costs less than a wrong one.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..label_maps import IGNORE
from .coco_classes import COCO_CLASSES
from .voc_classes import VOC_CLASSES

# Six of COCO's 80 classes are VOC's under another name; 14 have VOC's name.
COCO_TO_VOC: Mapping[str, str] = {
    'airplane': 'aeroplane',
    'couch': 'sofa',
    'dining table': 'diningtable',
    'motorcycle': 'motorbike',
    'potted plant': 'pottedplant',
    'tv': 'tvmonitor',
}

# OpenImages labels a box with the most specific name that its annotators knew,
# so each of VOC's classes takes its subclasses too (our choice, after VOC's
# annotation guidelines: a van is a car, a lorry is not).
OPEN_IMAGES_TO_VOC: Mapping[str, str] = {
    source: target
    for target, sources in {
        'aeroplane': 'Airplane',
        'bicycle': 'Bicycle',
        'bird': 'Bird, Blue jay, Canary, Chicken, Duck, Eagle, Falcon, '
        'Goose, Magpie, Ostrich, Owl, Parrot, Penguin, Raven, Sparrow, '
        'Swan, Turkey, Woodpecker',
        'boat': 'Boat, Barge, Canoe, Gondola',
        'bottle': 'Bottle',
        'bus': 'Bus',
        'car': 'Car, Limousine, Taxi, Van',
        'cat': 'Cat',
        'chair': 'Chair',
        'cow': 'Cattle, Bull',
        # 'Table' and 'Coffee table' hold more than dining tables.
        'diningtable': 'Kitchen & dining room table',
        'dog': 'Dog',
        'horse': 'Horse',
        'motorbike': 'Motorcycle',
        'person': 'Person, Man, Woman, Boy, Girl',
        # 'Flowerpot' is the pot without its plant, 'Plant' any plant.
        'pottedplant': 'Houseplant',
        'sheep': 'Sheep',
        'sofa': 'Couch, Loveseat, Sofa bed, Studio couch',
        'train': 'Train',
        'tvmonitor': 'Television, Computer monitor',
    }.items()
    for source in sources.split(', ')
}


def check_classes(classes: Sequence[str], where: str) -> tuple[str, ...]:
    """Check the foreground classes of a data set.

    Args:
        classes: Their names; the first has label 1.
        where: Where they are from, the beginning of an error message.

    Returns:
        The names.

    Raises:
        ValueError: The list is empty, names a class twice, names the
            background or has more classes than a label map can hold.
    """
    classes = tuple(classes)
    if not classes or len(set(classes)) < len(classes):
        raise ValueError(f'{where}: must name classes, each once')
    if len(classes) >= IGNORE:
        raise ValueError(
            f'{where}: names {len(classes)} classes; label maps hold at most '
            f'{IGNORE - 1}'
        )
    if 'background' in classes:
        raise ValueError(
            f'{where}: must not name the background, which is always label 0'
        )
    return classes


def labels_of_names(
    classes: Sequence[str], other_names: Mapping[str, str]
) -> dict[str, int]:
    """The label of each class name.

    Args:
        classes: Names of the foreground classes; the first has label 1.
        other_names: Other names for VOC's classes, used if ``classes`` are
            VOC's.

    Returns:
        The labels by name, including the other names.
    """
    labels = {name: i for i, name in enumerate(classes, start=1)}
    if tuple(classes) == tuple(VOC_CLASSES):
        labels |= {name: labels[voc] for name, voc in other_names.items()}
    return labels


def warn_of_absent_classes(
    path: str | Path, classes: Sequence[str], labels: Iterable[int]
) -> None:
    """Warn of classes that a file does not have; they may be misspelt.

    There is no warning for VOC's and COCO's own lists, since few files have
    all of their classes.

    Args:
        path: The file that defines the classes.
        classes: Names of the foreground classes; the first has label 1.
        labels: The labels of the classes that the file has.
    """
    if tuple(classes) in (VOC_CLASSES, COCO_CLASSES):
        return
    labels = set(labels)
    absent = [c for i, c in enumerate(classes, start=1) if i not in labels]
    if absent:
        warnings.warn(
            f'{path}: has no class named {", ".join(absent)}, so no box of '
            'it will be used; spell the classes as this file does',
            stacklevel=2,
        )
