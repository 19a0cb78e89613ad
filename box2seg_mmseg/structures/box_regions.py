"""Which boxes cover which pixel, through any augmentation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ..boxes import pixel_boxes

MAX_REGIONS = 254
"""Region ids fit a uint8 map: 0 is outside, 255 is padding."""


class TooManyRegionsError(ValueError):
    """The boxes of an image make more regions than a map can hold."""


@dataclass(frozen=True, eq=False)
class BoxRegions:
    """The boxes of one image as a map of regions and a table.

    A region is a set of pixels that the same boxes cover. The map goes
    through any geometric transform that handles segmentation maps; the table
    stays as it is.

    Args:
        map: ``(H, W)`` uint8: 0 outside every box, r in the r-th region, 255
            padding.
        table: ``(R + 1, K)`` bool, whether box k covers region r; row 0 is
            empty.
        labels: ``(K,)`` int64 in ``1..L``, the class of each box. It stays on
            the CPU, so that reading it never waits for a device.
    """

    map: Tensor
    table: Tensor
    labels: Tensor

    @classmethod
    def from_boxes(
        cls, boxes: np.ndarray, labels: np.ndarray, size: tuple[int, int]
    ) -> 'BoxRegions':
        """Rasterise boxes.

        Args:
            boxes: ``(K, 4)`` xyxy in pixels, half-open.
            labels: ``(K,)`` integers in ``1..L``.
            size: ``(H, W)`` of the image in pixels.

        Raises:
            TooManyRegionsError: The boxes make more than ``MAX_REGIONS``
                regions.
        """
        return _rasterise(boxes, np.arange(len(labels)), labels, size)

    @classmethod
    def from_classes(
        cls, boxes: np.ndarray, labels: np.ndarray, size: tuple[int, int]
    ) -> 'BoxRegions':
        """As :meth:`from_boxes`, with all boxes of a class as one."""
        classes, keys = np.unique(labels, return_inverse=True)
        return _rasterise(boxes, keys, classes, size)

    def with_map(self, new_map: np.ndarray) -> 'BoxRegions':
        """The same boxes under a transformed map, ``(H', W')`` uint8."""
        return replace(self, map=torch.from_numpy(new_map.copy()))

    def to(self, *args: Any, **kwargs: Any) -> 'BoxRegions':
        """Move map and table as :meth:`torch.Tensor.to` does."""
        return replace(
            self,
            map=self.map.to(*args, **kwargs),
            table=self.table.to(*args, **kwargs),
        )

    def covered(self, size: Sequence[int] | None = None) -> Tensor:
        """``(K, H', W')`` bool: the pixels of each box, padded as the map."""
        # Unused ids have empty rows. F.pad of torch 2.1 fails without boxes.
        table = self.table.new_zeros(256, self.table.shape[1])
        table[: len(self.table)] = self.table
        return table.T[:, self.padded_map(size).long()]

    def padded_map(self, size: Sequence[int] | None = None) -> Tensor:
        """The map, padded to ``(H', W')`` with 255 at the right and bottom.

        mmseg pads images in batches but leaves additional maps at their size.
        """
        height, width = self.map.shape if size is None else size
        h, w = self.map.shape
        return F.pad(self.map, (0, width - w, 0, height - h), value=255)


@dataclass(frozen=True, eq=False)
class BoxPairs:
    """P pairs of an image and a box, or of an image and a boxed class.

    Args:
        images: ``(P,)`` int64 in ``0..N - 1``, the image of each pair.
        classes: ``(P,)`` int64 in ``1..L``, its class.
        inside: ``(P, H, W)`` bool, its pixels; at least one.
        counts: ``(P,)`` int64, how many pairs the image of each pair has.
        num_boxed: How many of the N images have a pair.
    """

    images: Tensor
    classes: Tensor
    inside: Tensor
    counts: Tensor
    num_boxed: int

    @classmethod
    def from_mask(cls, box_mask: Tensor) -> 'BoxPairs':
        """The classes in ``(N, L + 1, H, W)`` bool, background first."""
        is_boxed = box_mask[:, 1:].flatten(2).any(2)
        images, classes = is_boxed.nonzero(as_tuple=True)
        counts = torch.bincount(images, minlength=len(box_mask))
        return cls(
            images,
            classes + 1,
            box_mask[images, classes + 1],
            counts[images],
            int((counts > 0).sum()),
        )

    def mean_over_images(self, values: Tensor, num_images: int) -> Tensor:
        """Mean over the pairs of an image, then over the images (our choice).

        Args:
            values: ``(P,)``, one value for each pair.
            num_images: N; an image without a pair counts as 0.

        Returns:
            A scalar; 0 if there is no pair.
        """
        return (values / self.counts).sum() / num_images


class BatchBoxRegions:
    """The box regions of a batch, as the losses see them.

    Args:
        regions: One for each of N images; maps may be smaller than ``valid``.
        valid: ``(N, H, W)`` bool; other pixels are in no box, and not outside
            the boxes either.
    """

    def __init__(self, regions: Sequence[BoxRegions], valid: Tensor) -> None:
        size = valid.shape[1:]
        self._regions = regions
        self._valid = valid
        inside = [
            one.covered(size) & valid[i] for i, one in enumerate(regions)
        ]
        self._inside = torch.cat(inside)
        # The only place that waits for the device.
        self._seen = self._inside.flatten(1).any(1).tolist()
        self._keys = [
            (i, label)
            for i, one in enumerate(regions)
            for label in one.labels.tolist()
        ]

    @cached_property
    def outside(self) -> Tensor:
        """``(N, H, W)`` bool, the valid pixels outside every box."""
        size = self._valid.shape[1:]
        maps = torch.stack([one.padded_map(size) for one in self._regions])
        return (maps == 0) & self._valid

    def by_box(self) -> BoxPairs:
        """The boxes that have a valid pixel."""
        chosen = [k for k, seen in enumerate(self._seen) if seen]
        keys = [self._keys[k] for k in chosen]
        return self._pairs(keys, self._inside[chosen])

    def by_class(self) -> BoxPairs:
        """The classes whose boxes have a valid pixel, by image and class."""
        groups: dict[tuple[int, int], list[int]] = {}
        for k, seen in enumerate(self._seen):
            if seen:
                groups.setdefault(self._keys[k], []).append(k)
        keys = sorted(groups)
        inside = [self._inside[groups[key]].any(0) for key in keys]
        inside = torch.stack(inside) if inside else self._inside[:0]
        return self._pairs(keys, inside)

    def _pairs(
        self, keys: Sequence[tuple[int, int]], inside: Tensor
    ) -> BoxPairs:
        images = [image for image, _ in keys]
        labels = [label for _, label in keys]
        counts = [images.count(image) for image in images]
        tensor = partial(torch.tensor, dtype=torch.long, device=inside.device)
        return BoxPairs(
            tensor(images),
            tensor(labels),
            inside,
            tensor(counts),
            len(set(images)),
        )


def _rasterise(
    boxes: np.ndarray,
    keys: np.ndarray,
    labels: np.ndarray,
    size: tuple[int, int],
) -> BoxRegions:
    """Boxes of one key, an index of ``labels``, count as one."""
    regions = np.zeros(size, np.int32)
    ids: dict[frozenset[int], int] = {frozenset(): 0}
    sets = [frozenset()]
    for (x1, y1, x2, y2), key in zip(
        pixel_boxes(boxes, size).tolist(), keys.tolist(), strict=True
    ):
        covered = regions[y1:y2, x1:x2]
        lookup = np.zeros(len(sets), np.int32)
        for old in np.flatnonzero(np.bincount(covered.ravel())):
            joined = sets[old] | {key}
            if joined not in ids:
                ids[joined] = len(sets)
                sets.append(joined)
            lookup[old] = ids[joined]
        covered[:] = lookup[covered]

    # Later boxes may have painted over a whole region.
    used = np.flatnonzero(np.bincount(regions.ravel()))
    used = used[used > 0]
    if len(used) > MAX_REGIONS:
        raise TooManyRegionsError(
            f'{len(boxes)} boxes make {len(used)} regions; a map holds at '
            f'most {MAX_REGIONS}'
        )
    compact = np.zeros(len(sets), np.uint8)
    compact[used] = np.arange(1, len(used) + 1)
    table = np.zeros((len(used) + 1, len(labels)), bool)
    for row, old in enumerate(used, start=1):
        table[row, list(sets[old])] = True
    return BoxRegions(
        torch.from_numpy(compact[regions]),
        torch.from_numpy(table),
        torch.from_numpy(np.asarray(labels, np.int64)),
    )
