"""Other data sets' names for PASCAL VOC's classes.

A class that is not listed is none of VOC's 20, and its boxes are left out.
Where one name covers more than VOC's class (OpenImages' ``Table``), it is not
listed either: a missing box costs less than a wrong one.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

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

# OpenImages draws a box of the most special name that its annotators knew, so
# each of VOC's classes takes its subclasses too (our choice, after VOC's
# annotation guidelines: a van is a car, a lorry is none).
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


def labels_of_names(
    classes: Sequence[str], other_names: Mapping[str, str]
) -> dict[str, int]:
    """Which label each name stands for.

    Args:
        classes: Names of the foreground classes; the first has label 1.
        other_names: Other names for VOC's classes, used where ``classes``
            are VOC's.

    Returns:
        The labels of the classes' own and other names.
    """
    labels = {name: i for i, name in enumerate(classes, start=1)}
    if tuple(classes) == tuple(VOC_CLASSES):
        labels |= {name: labels[voc] for name, voc in other_names.items()}
    return labels


def warn_of_absent_classes(
    path: str | Path, classes: Sequence[str], labels: Iterable[int]
) -> None:
    """Warn of classes that a file does not know, perhaps misspelt ones.

    Of VOC's and COCO's own lists a file need not have all.

    Args:
        path: The file that names the classes.
        classes: Names of the foreground classes; the first has label 1.
        labels: Those that the file knows.
    """
    if tuple(classes) in (VOC_CLASSES, COCO_CLASSES):
        return
    labels = set(labels)
    absent = [c for i, c in enumerate(classes, start=1) if i not in labels]
    if absent:
        warnings.warn(
            f'{path}: names no class {", ".join(absent)}, which will have no '
            'box; give the classes as the file names them',
            stacklevel=2,
        )
