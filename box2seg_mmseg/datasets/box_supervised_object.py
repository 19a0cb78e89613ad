"""Boxes as training samples of their own."""

from collections.abc import Mapping

from mmseg.registry import DATASETS

from .box_supervised import BoxSupervisedDataset


@DATASETS.register_module()
class BoxSupervisedObjectDataset(BoxSupervisedDataset):
    """A :class:`BoxSupervisedDataset` with one item for each box.

    For networks that segment the object of a given box, whatever its class:
    the classes are background and object. Beside the keys of
    :class:`BoxSupervisedDataset` each item has:

    - ``box``: ``(4,)`` float32, one row of ``boxes``.
    - ``box_label``: its class, in ``1..L``.

    Args are those of :class:`BoxSupervisedDataset`.
    """

    METAINFO = dict(
        classes=('background', 'object'), palette=[[0, 0, 0], [128, 0, 0]]
    )

    @classmethod
    def _load_metainfo(cls, metainfo: Mapping | None = None) -> dict:
        """Two classes, whatever the classes of the boxes are."""
        return super()._load_metainfo(cls.METAINFO)

    def load_data_list(self) -> list[dict]:
        """One dict for each box."""
        return [
            dict(item, box=box, box_label=int(label), seg_fields=[])
            for item in super().load_data_list()
            for box, label in zip(
                item['boxes'], item['box_labels'], strict=True
            )
        ]
