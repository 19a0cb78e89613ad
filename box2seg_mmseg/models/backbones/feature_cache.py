"""The outputs of a frozen backbone, computed once for each image."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ...files import replacing


class FeatureCache:
    """Keeps what a frozen backbone made of each image, in a file an image.

    An image is known by its content as the backbone gets it, so that a
    mirrored image is another one; the backbone by its name, its weights and
    its precision. Many backbones and processes may share the folder.

    Args:
        cache_dir: The folder; made if absent. Nothing in it is ever deleted.
    """

    def __init__(self, cache_dir: str | Path) -> None:
        self.cache_dir = Path(cache_dir)
        self._versions = None
        self._weights = ''

    def outputs(
        self,
        backbone: nn.Module,
        name: str,
        compute: Callable[[Tensor], Sequence[Tensor]],
        images: Tensor,
    ) -> tuple[Tensor, ...]:
        """What ``compute`` makes of the images; computed if it is not there.

        Args:
            backbone: The module whose weights ``compute`` uses.
            name: Tells apart backbones that may have the same weights, as
                part of a file's name.
            compute: Makes maps ``(n, C', H', W')`` of images ``(n, C, H, W)``,
                each image by itself.
            images: ``(N, C, H, W)``, any dtype.

        Returns:
            The maps of all images, without gradients, in compute's dtype.
        """
        kind = images.device.type
        autocast = torch.is_autocast_enabled(kind)
        dtype = torch.get_autocast_dtype(kind) if autocast else images.dtype
        folder = self.cache_dir / (
            f'{name}-{str(dtype).removeprefix("torch.")}'
            f'-{self._weights_digest(backbone)}'
        )
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f'{_digest([image])}.pth' for image in images]
        absent = [i for i, path in enumerate(paths) if not path.exists()]
        if absent:
            with torch.no_grad():
                maps = compute(images[absent])
            for j, i in enumerate(absent):
                with replacing(paths[i]) as part:
                    # A view would be saved with the whole batch behind it.
                    torch.save([one[j].cpu().clone() for one in maps], part)
        found = [torch.load(path, weights_only=True) for path in paths]
        return tuple(
            torch.stack(maps).to(images.device)
            for maps in zip(*found, strict=True)
        )

    def _weights_digest(self, backbone: nn.Module) -> str:
        weights = list(backbone.state_dict().values())
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
