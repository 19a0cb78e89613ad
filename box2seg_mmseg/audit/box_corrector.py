"""A small network that says how the sides of a box should move."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from tqdm import trange

from ..boxes import BoxAnnotations, add_box_noise

# All numbers are our choice; docs/box_audit.md shows what was tried.
CHANNELS = 48  # to which each map of the backbone is reduced
_GRID = 16  # points on each side of a window
_MARGIN = 0.5  # what a window shows on each side of the box
_MOST_ITERATIONS = 800
_MOST_PASSES = 200  # over the boxes
_BATCH = 64  # boxes
_RATE = 4e-3
_MOVED_SHARE = 0.45


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """Features of an image, and its boxes.

    Args:
        annotations: The boxes.
        maps: ``(C, h, w)`` of any number and size, on one device.
    """

    annotations: BoxAnnotations
    maps: Sequence[Tensor]

    def windows(self, boxes: np.ndarray, numbers: Sequence[int]) -> Tensor:
        """What there is in and around boxes.

        Args:
            boxes: ``(K, 4)`` xyxy in pixels, half-open.
            numbers: For each the number of the annotated box that it is, or
                was before it moved; the image's others are marked.

        Returns:
            ``(K, D, G, G)`` float32: the features; whether the image is
            there; and whether another box is there.
        """
        height, width = self.annotations.size
        device = self.maps[0].device
        steps = (np.arange(_GRID) + 0.5) / _GRID * (1 + 2 * _MARGIN) - _MARGIN
        x1, y1, x2, y2 = np.asarray(boxes, np.float64).T[..., None]
        x, y = x1 + steps * (x2 - x1), y1 + steps * (y2 - y1)  # (K, G)
        shape = len(boxes), _GRID, _GRID
        places = np.stack(
            [
                np.broadcast_to(x[:, None] / width * 2 - 1, shape),
                np.broadcast_to(y[:, :, None] / height * 2 - 1, shape),
            ],
            -1,
        )
        marks = np.zeros((len(boxes), 2, _GRID, _GRID), np.float32)
        marks[:, 0] = (np.abs(places) <= 1).all(-1)
        left, top, right, bottom = self.annotations.boxes.T
        rows = (top <= y[..., None]) & (y[..., None] < bottom)  # (K, G, I)
        columns = (left <= x[..., None]) & (x[..., None] < right)
        is_other = np.arange(len(left)) != np.reshape(numbers, (-1, 1, 1))
        marks[:, 1] = np.einsum('kyi,kxi->kyx', rows & is_other, columns)
        grid = torch.from_numpy(places.astype(np.float32)).to(device)
        seen = [
            F.grid_sample(
                one[None].float().expand(len(boxes), -1, -1, -1),
                grid,
                align_corners=False,
            )
            for one in self.maps
        ]
        marks = torch.from_numpy(marks).to(device)
        return torch.cat([*seen, marks], 1)


def reduce_channels(features: Tensor) -> Tensor:
    """Project a map to fewer channels at random, always in the same way.

    The projection keeps most of what a linear layer could read and bounds the
    memory, whatever the backbone.

    Args:
        features: ``(C, h, w)`` on any device.

    Returns:
        ``(CHANNELS, h, w)`` bfloat16.
    """
    matrix = _projection(len(features)).to(features.device)
    return torch.tensordot(matrix, features.float(), 1).bfloat16()


@lru_cache
def _projection(channels: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(CHANNELS, channels, generator=generator)
    return matrix / channels**0.5


class BoxCorrector(nn.Module):
    """Says how far each side of a box is from where it should be.

    Args:
        channels: Channels of :meth:`ImageFeatures.windows`.
        width: Channels of the layers.
    """

    def __init__(self, channels: int, width: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Dropout2d(0.2),
            *_convolution(channels, width, 1),
            *_convolution(width, width, 3, stride=2, padding=1),
            *_convolution(width, width, 3, stride=2, padding=1),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(width * (_GRID // 4) ** 2, 64),
            nn.ReLU(),
            nn.Linear(64, 4),
        )

    def forward(self, windows: Tensor) -> Tensor:
        """Moves of the sides.

        Args:
            windows: ``(K, D, G, G)``.

        Returns:
            ``(K, 4)``, what to add to x1, y1, x2 and y2, as a share of the
            box's width or height.
        """
        return self.layers(windows)

    @torch.no_grad()
    def correct(self, image: ImageFeatures) -> np.ndarray:
        """Where the boxes of an image should be.

        Args:
            image: At least one box.

        Returns:
            ``(K, 4)`` float64 xyxy in pixels, inside the image. The mean of
            the windows and their mirror images.
        """
        boxes = image.annotations.boxes
        windows = image.windows(boxes, range(len(boxes)))
        moves = self(windows) + _mirror_moves(self(windows.flip(-1)))
        moves = moves.double().cpu().numpy() / 2
        height, width = image.annotations.size
        # A side moves by less than half of the box.
        moved = boxes + moves.clip(-0.45, 0.45) * _sides(boxes)
        return moved.clip(0, [width, height, width, height])


def train_corrector(
    images: Sequence[ImageFeatures], progress: bool = False, seed: int = 0
) -> BoxCorrector:
    """Train on boxes that are moved on purpose, and on boxes as they are.

    Most boxes must be right. Moves are those of :func:`add_box_noise`
    (``jitter``).

    Args:
        images: Features of images, at least one of which has a box.
        progress: Show a progress bar on stderr.
        seed: Seeds the network and the moves.
    """
    rng = np.random.default_rng(seed)
    places = [
        (image, number)
        for image in images
        for number in range(len(image.annotations.labels))
    ]
    iterations = min(
        _MOST_ITERATIONS, math.ceil(_MOST_PASSES * len(places) / _BATCH)
    )
    maps = images[0].maps
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        corrector = BoxCorrector(sum(map(len, maps)) + 2).to(maps[0].device)
        optimizer = torch.optim.AdamW(
            corrector.parameters(), weight_decay=0.05
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, _RATE, iterations
        )
        for _ in trange(
            iterations, desc='box corrector', disable=not progress
        ):
            chosen = rng.choice(len(places), _BATCH)
            samples = [_sample(*places[i], rng) for i in chosen]
            windows = torch.cat([one for one, _ in samples])
            moves = np.stack([one for _, one in samples])
            moves = torch.from_numpy(moves).to(windows)
            mirrored = torch.from_numpy(rng.random((_BATCH, 1)) < 0.5)
            mirrored = mirrored.to(windows.device)
            windows = torch.where(
                mirrored[..., None, None], windows.flip(-1), windows
            )
            moves = torch.where(mirrored, _mirror_moves(moves), moves)
            optimizer.zero_grad()
            F.smooth_l1_loss(corrector(windows), moves, beta=0.05).backward()
            optimizer.step()
            schedule.step()
    return corrector.eval()


def _sample(
    image: ImageFeatures, number: int, rng: np.random.Generator
) -> tuple[Tensor, np.ndarray]:
    """The window of a box that may have moved, and the moves back."""
    box = image.annotations.boxes[number].astype(np.float64)
    moved = box
    if rng.random() < _MOVED_SHARE:
        seed = int(rng.integers(2**31))
        noisy = add_box_noise(image.annotations, 'jitter', 1, seed)
        moved = noisy.boxes[number].astype(np.float64)
    moves = (box - moved) / _sides(moved[None])[0]
    return image.windows(moved[None], [number]), moves


def _sides(boxes: np.ndarray) -> np.ndarray:
    """``(K, 4)``: width, height, width, height."""
    return np.tile(boxes[:, 2:] - boxes[:, :2], 2)


def _mirror_moves(moves: Tensor) -> Tensor:
    """The moves ``(K, 4)`` of the mirrored boxes."""
    x1, y1, x2, y2 = moves.unbind(1)
    return torch.stack([-x2, y1, -x1, y2], 1)


def _convolution(
    channels: int, width: int, size: int, **options: int
) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(channels, width, size, **options),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    )
