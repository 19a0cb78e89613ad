"""Which boxes cover which pixel, through any augmentation."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter

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
    stays as it is. All tensors stay on the CPU; :class:`BatchBoxRegions`
    copies those of a whole batch to the device at once.

    Args:
        map: ``(H, W)`` uint8: 0 outside every box, r in the r-th region, 255
            padding.
        table: ``(R + 1, K)`` bool, whether box k covers region r; row 0 is
            empty.
        labels: ``(K,)`` int64 in ``1..L``, the class of each box.
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

    @cached_property
    def columns(self) -> Tensor:
        """``(K, 256)`` bool: whether box k covers a pixel of each id."""
        # Unused ids have empty rows. F.pad of torch 2.1 fails without boxes.
        columns = self.table.new_zeros(self.table.shape[1], 256)
        columns[:, : len(self.table)] = self.table.T
        return columns

    def padded_map(self, size: Sequence[int]) -> Tensor:
        """The map, padded to ``(H', W')`` with 255 at the right and bottom.

        mmseg pads images in batches but leaves additional maps at their size.
        """
        (height, width), (h, w) = size, self.map.shape
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

    Copies to the device do not wait for it. The only wait is for the question
    which boxes have a valid pixel.

    Args:
        regions: One for each of N images; maps may be smaller than ``valid``.
        valid: ``(N, H, W)`` bool on any device; other pixels are in no box,
            and not outside the boxes either.
    """

    def __init__(self, regions: Sequence[BoxRegions], valid: Tensor) -> None:
        size = valid.shape[1:]
        self._valid = valid
        self._maps = self._copy(
            torch.stack([one.padded_map(size) for one in regions])
        )
        boxes = [
            ((i, label), column)
            for i, one in enumerate(regions)
            for label, column in zip(
                one.labels.tolist(), one.columns, strict=True
            )
        ]
        inside = self._cover(boxes)
        seen = inside.flatten(1).any(1).tolist()  # waits for the device
        if not all(seen):
            chosen = [k for k, is_seen in enumerate(seen) if is_seen]
            boxes = [boxes[k] for k in chosen]
            inside = inside[self._copy(torch.tensor(chosen, dtype=torch.long))]
        self._boxes, self._inside = boxes, inside

    @cached_property
    def outside(self) -> Tensor:
        """``(N, H, W)`` bool, the valid pixels outside every box."""
        return (self._maps == 0) & self._valid

    def by_box(self) -> BoxPairs:
        """The boxes that have a valid pixel."""
        return self._pairs([key for key, _ in self._boxes], self._inside)

    def by_class(self) -> BoxPairs:
        """The classes whose boxes have a valid pixel, by image and class."""
        groups: dict[tuple[int, int], Tensor] = {}
        for key, column in self._boxes:
            groups[key] = groups[key] | column if key in groups else column
        classes = sorted(groups.items(), key=itemgetter(0))
        return self._pairs([key for key, _ in classes], self._cover(classes))

    def _copy(self, values: Tensor) -> Tensor:
        """The values on the device of the batch."""
        return values.to(self._valid.device, non_blocking=True)

    def _cover(
        self, pairs: Sequence[tuple[tuple[int, int], Tensor]]
    ) -> Tensor:
        """``(P, H, W)`` bool: the valid pixels of pairs, sorted by image.

        A pair is an image and a class, and a column ``(256,)`` of a table.
        """
        none = torch.zeros(0, 256, dtype=torch.bool)
        columns = torch.cat([none, *(column[None] for _, column in pairs)])
        counts = Counter(image for (image, _), _ in pairs)
        counts = [counts[image] for image in range(len(self._maps))]
        return torch.cat(
            [
                own[:, one_map.long()] & valid
                for own, one_map, valid in zip(
                    self._copy(columns).split(counts),
                    self._maps,
                    self._valid,
                    strict=True,
                )
            ]
        )

    def _pairs(
        self, keys: Sequence[tuple[int, int]], inside: Tensor
    ) -> BoxPairs:
        counts = Counter(image for image, _ in keys)
        numbers = [(*key, counts[key[0]]) for key in keys]
        numbers = torch.tensor(numbers, dtype=torch.long).view(-1, 3)
        images, classes, counts_of_pairs = self._copy(numbers).unbind(1)
        return BoxPairs(images, classes, inside, counts_of_pairs, len(counts))


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
