"""Class lists, and other data sets' names for PASCAL VOC's classes.

A name that the tables do not list is not one of VOC's 20 classes, and its
boxes are left out. A name that covers more than VOC's class (OpenImages'
``Table``) is not listed either: a missing box costs less than a wrong one.
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from ..label_maps import IGNORE
from .box_annotations import AnnotationError

K = TypeVar('K')

_VOC = (
    'aeroplane, bicycle, bird, boat, bottle, bus, car, cat, chair, cow, '
    'diningtable, dog, horse, motorbike, person, pottedplant, sheep, sofa, '
    'train, tvmonitor'
)
VOC_CLASSES: tuple[str, ...] = tuple(_VOC.split(', '))
"""PASCAL VOC's 20 object classes: ``VOC_CLASSES[label - 1]``."""

# In the order of the category ids.
_COCO = (
    'person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, '
    'traffic light, fire hydrant, stop sign, parking meter, bench, bird, cat, '
    'dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, '
    'umbrella, handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, '
    'kite, baseball bat, baseball glove, skateboard, surfboard, '
    'tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, '
    'banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza, '
    'donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, '
    'laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, '
    'sink, refrigerator, book, clock, vase, scissors, teddy bear, hair drier, '
    'toothbrush'
)
COCO_CLASSES: tuple[str, ...] = tuple(_COCO.split(', '))
"""The 80 classes of COCO's instance annotations."""

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
    """The foreground classes of a data set, checked.

    Raises:
        ValueError: The list is empty, has an empty name, names a class twice,
            names the background or has more classes than a label map can
            hold. The message begins with ``where``.
    """
    classes = tuple(classes)
    if not classes or len(set(classes)) < len(classes):
        raise ValueError(f'{where}: must name classes, each once')
    for number, name in enumerate(classes, start=1):
        if not str(name).strip():
            raise ValueError(
                f'{where}: class {number} has an empty name; name or remove it'
            )
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


def class_labels(
    names: Mapping[K, object],
    classes: Sequence[str],
    other_names: Mapping[str, str],
    path: str | Path,
    if_none: str,
) -> dict[K, int]:
    """The labels of the classes that a file defines.

    Spaces at the ends of the names in the file do not matter.

    A class that the file does not name may be misspelt, so there is a
    warning. VOC's and COCO's own lists are exempt, since few files have all
    of their classes.

    Args:
        names: The classes in the file, by the key that its boxes use.
        classes: Names of the foreground classes; the first has label 1.
        other_names: Other names for VOC's classes, if ``classes`` are VOC's.
        path: The file, for messages.
        if_none: Message without a name in ``classes``, its ``{}``.

    Returns:
        The label of each key; 0 for a class that is not in ``classes``.

    Raises:
        AnnotationError: No name is in ``classes``.
    """
    label_of = {name: i for i, name in enumerate(classes, start=1)}
    if tuple(classes) == VOC_CLASSES:
        label_of |= {name: label_of[voc] for name, voc in other_names.items()}
    labels = {
        key: label_of.get(str(name).strip(), 0) for key, name in names.items()
    }
    found = set(labels.values())
    if not found - {0}:
        own = ', '.join(str(name) for name in [*names.values()][:10])
        raise AnnotationError(
            f'{path}: {if_none.format(", ".join(classes))}; give the classes '
            'to train (--classes, or metainfo in a config) as this file '
            f'spells them: {own or "it has none"}'
            f'{", ..." if len(names) > 10 else ""}'
        )
    absent = [c for i, c in enumerate(classes, start=1) if i not in found]
    if absent and tuple(classes) not in (VOC_CLASSES, COCO_CLASSES):
        warnings.warn(
            f'{path}: has no class named {", ".join(absent)}, so no box of '
            'it will be used; spell the classes as this file does',
            stacklevel=2,
        )
    return labels
