"""The object classes of PASCAL VOC."""

VOC_CLASSES: tuple[str, ...] = (
    'aeroplane',
    'bicycle',
    'bird',
    'boat',
    'bottle',
    'bus',
    'car',
    'cat',
    'chair',
    'cow',
    'diningtable',
    'dog',
    'horse',
    'motorbike',
    'person',
    'pottedplant',
    'sheep',
    'sofa',
    'train',
    'tvmonitor',
)
"""The 20 object classes in label order: ``VOC_CLASSES[label - 1]``."""
