"""Networks that predict the images that they were not trained on."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..device import check_device
from ..files import hash_of
from ..id_lists import read_split
from ..installed import find_config
from .predictor import Predictor


class CrossFittedNetworks:
    """The networks of a split's folds, each for the images of its own fold.

    A network repeats the errors that it has memorised. Each image is
    therefore predicted by a network that was trained on other images.

    Args:
        config: Config of the networks: a file, or the name of an installed
            one.
        checkpoints: A checkpoint for all images; or several, each with the
            split file of the images that it predicts.
        scales: The network sees each image, and its mirror image, at these
            multiples of the config's test size; their probabilities are
            averaged.
        device: A torch device, such as ``'cuda'``.
        trust: Load a checkpoint whose weights are not tensors, **which may
            run code in it**.

    Raises:
        UsageError: There is no such config, split file or device.
        ValueError: A scale is not positive, or two split files name the same
            image.
    """

    def __init__(
        self,
        config: str | Path,
        checkpoints: str | Mapping[str, str],
        scales: Sequence[float] = (1,),
        device: str = 'cpu',
        trust: bool = False,
    ) -> None:
        if not scales or not all(scale > 0 for scale in scales):
            raise ValueError(f'scales must be positive. Got: {list(scales)}')
        find_config(config)
        check_device(device)
        self.config = str(config)
        self.checkpoints = checkpoints
        self.scales = scales
        self.device = device
        self.trust = trust
        self._checkpoint_of: dict[str, str] = {}
        if isinstance(checkpoints, Mapping):
            for checkpoint, split in checkpoints.items():
                ids = read_split(split)
                both = self._checkpoint_of.keys() & ids
                if both:
                    raise ValueError(
                        f'{split}: another split names {min(both)} too; each '
                        'image is predicted by one checkpoint'
                    )
                self._checkpoint_of.update(dict.fromkeys(ids, checkpoint))

    @property
    def provenance(self) -> dict[str, Any]:
        """Hashes of the checkpoints and of the split files."""
        if not isinstance(self.checkpoints, Mapping):
            return {'checkpoints': _hashes((self.checkpoints,))}
        checkpoints, splits = zip(*self.checkpoints.items(), strict=True)
        return {'splits': _hashes(splits), 'checkpoints': _hashes(checkpoints)}

    def checkpoint_of(self, image_id: str) -> str:
        """The checkpoint of the network that predicts an image.

        Raises:
            ValueError: No split file names the image.
        """
        if not isinstance(self.checkpoints, Mapping):
            return str(self.checkpoints)
        if image_id not in self._checkpoint_of:
            raise ValueError(
                f'{image_id}: is in none of the split files '
                f'{", ".join(map(str, self.checkpoints.values()))}'
            )
        return str(self._checkpoint_of[image_id])

    def load(self, checkpoint: str) -> Predictor:
        """The network of a checkpoint, which stays in memory."""
        return _load(self.config, checkpoint, self.device, self.trust)

    def predict(self, image: np.ndarray, image_id: str) -> np.ndarray:
        """Mean probabilities of all views of an image.

        Args:
            image: ``(H, W, 3)`` uint8, BGR.
            image_id: Its id in the split files.

        Returns:
            ``(C, H, W)`` float32, background first.

        Raises:
            ValueError: No split file names the image, or the probabilities
                are not finite.
        """
        checkpoint = self.checkpoint_of(image_id)
        predictor = self.load(checkpoint)
        mirrored = np.ascontiguousarray(image[:, ::-1])
        views = []
        for scale in self.scales:
            views.append(predictor.predict(image, scale)[1])
            views.append(predictor.predict(mirrored, scale)[1].flip(-1))
        probs = torch.stack(views).float().mean(0)
        if not probs.isfinite().all():
            raise ValueError(
                f'{image_id}: {checkpoint} gives probabilities that are not '
                'finite; train it again'
            )
        return probs.cpu().numpy()


def forget_networks() -> None:
    """Free the memory of all networks that were loaded."""
    _load.cache_clear()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _hashes(paths: Iterable[str]) -> dict[str, str]:
    return {path: hash_of(Path(path).read_bytes()) for path in paths}


@cache  # the images of the folds come by turns
def _load(config: str, checkpoint: str, device: str, trust: bool) -> Predictor:
    return Predictor(find_config(config), checkpoint, device, trust=trust)
