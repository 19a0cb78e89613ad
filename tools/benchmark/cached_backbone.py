"""The outputs of a frozen backbone, computed once for each image."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import torch
from mmseg.registry import MODELS
from torch import Tensor

from box2seg_mmseg.files import replacing
from box2seg_mmseg.models import EfficientNetLite


@MODELS.register_module()
class CachedEfficientNetLite(EfficientNetLite):
    """A frozen EfficientNet-Lite that keeps its outputs in files.

    There is one file for each image. An image is identified by its content as
    the backbone receives it, so that a mirrored image is another one. The
    backbone is identified by its variant, weights and precision. Several
    backbones and processes may share the folder.

    Args:
        variant: As for :class:`EfficientNetLite`.
        cache_dir: The folder; created if missing. Nothing in it is deleted.
        **kwargs: As for :class:`EfficientNetLite`.

    Raises:
        ValueError: A stage that is used is trained.
    """

    def __init__(
        self, variant: str, cache_dir: str | Path, **kwargs: object
    ) -> None:
        super().__init__(variant, **kwargs)
        if self.frozen_stages < max(self.out_indices):
            raise ValueError(
                f'cache_dir needs frozen_stages >= {max(self.out_indices)}, '
                'because the outputs of a trained stage change. '
                f'Got: {self.frozen_stages}'
            )
        self.cache_dir = Path(cache_dir)
        self._name = f'{variant}-{"-".join(map(str, self.out_indices))}'
        self._versions = None
        self._weights = ''

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Read or compute the outputs of the chosen stages.

        Args:
            x: ``(N, 3, H, W)`` normalised images.

        Returns:
            One map for each of ``out_indices``, without gradients.
        """
        one = x.new_ones(1, 1)
        dtype = str((one @ one).dtype)  # which autocast decides
        folder = self.cache_dir / (
            f'{self._name}-{dtype.removeprefix("torch.")}'
            f'-{self._weights_digest()}'
        )
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f'{_digest([image])}.pth' for image in x]
        absent = [i for i, path in enumerate(paths) if not path.exists()]
        if absent:
            with torch.no_grad():
                maps = super().forward(x[absent])
            for j, i in enumerate(absent):
                with replacing(paths[i]) as part:
                    # A view would be saved with the whole batch.
                    torch.save([one[j].cpu().clone() for one in maps], part)
        found = [torch.load(path, weights_only=True) for path in paths]
        return tuple(
            torch.stack(maps)
            .to(x.device)
            .contiguous(
                memory_format=torch.channels_last
                if self.channels_last
                else torch.contiguous_format
            )
            for maps in zip(*found, strict=True)
        )

    def _weights_digest(self) -> str:
        weights = list(self.state_dict().values())
        # Weights of the same place and version are not read again.
        versions = [(value.data_ptr(), value._version) for value in weights]
        if versions != self._versions:
            self._versions, self._weights = versions, _digest(weights)
        return self._weights


def _digest(tensors: Iterable[Tensor]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for tensor in tensors:
        digest.update(str((tensor.dtype, tuple(tensor.shape))).encode())
        flat = tensor.detach().cpu().contiguous().flatten()
        digest.update(flat.view(torch.uint8).numpy())
    return digest.hexdigest()
