"""What the rows of the benchmark train on."""

from functools import cache
from pathlib import Path

from ..boxes import BoxAnnotations, iter_voc_xml
from ..command_line import read_split
from ..datasets.missing_objects import write_masks_with_missing_objects
from ..pseudo_labels import build_labeler
from .label_folder import make_label_folder

LABELERS = dict(
    box_fill=dict(type='BoxFill'),
    box_inner=dict(type='BoxFill', inner=0.2),
    grabcut=dict(type='GrabCut'),
)
MISSING_SHARE = 0.1


class BenchmarkData:
    """Makes pseudo labels and harmed annotations, each once.

    Args:
        data_root: The photographs, in VOCdevkit's layout.
        out_dir: Where everything is made.
        workers: Processes that make pseudo labels; None is one a core.
    """

    def __init__(
        self, data_root: Path, out_dir: Path, workers: int | None = None
    ) -> None:
        self.data_root = data_root
        self.out_dir = out_dir
        self.workers = workers
        self.image_ids = read_split(
            data_root / 'ImageSets/Segmentation/train.txt'
        )
        self.label_dir = cache(self._label_dir)

    def _label_dir(self, name: str) -> Path:
        """The folder of the labels of a name, made if need be.

        Args:
            name: ``box_fill``, ``box_inner``, ``grabcut`` or ``missing``.

        Returns:
            Folder of ``<image id>.png``.
        """
        out_dir = self.out_dir / name
        if name == 'missing':
            write_masks_with_missing_objects(
                self._annotations(),
                self.data_root / 'SegmentationClass',
                out_dir,
                share=MISSING_SHARE,
            )
            return out_dir
        return make_label_folder(
            self._annotations(),
            len(self.image_ids),
            build_labeler(LABELERS[name]),
            out_dir,
            self.workers,
        )

    def _annotations(self) -> list[BoxAnnotations]:
        return list(iter_voc_xml(self.data_root, self.image_ids))
