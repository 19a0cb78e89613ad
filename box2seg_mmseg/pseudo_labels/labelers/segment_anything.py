"""Segment Anything with the boxes as prompts, through transformers."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ...option import Option
from .builder import LABELERS
from .pseudo_labeler import PseudoLabeler
from .segment import Segment

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

# By the model_type in a checkpoint's config.json. The published checkpoints
# of SAM 2 are those of the video model, which contain the image model.
_MODELS = dict(sam='SamModel', sam2='Sam2Model', sam2_video='Sam2Model')
# Of ImageNet, for RGB in 0..1: those of all published checkpoints.
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_STD = np.array([0.229, 0.224, 0.225], np.float32)


@LABELERS.register_module()
class SegmentAnything(PseudoLabeler):
    """Segments each box with SAM or SAM 2 (needs the extra sam).

    The network answers a box with three masks and predicts the quality of
    each; the best one is taken, and the part of it outside the box is cut
    off. A box of which nothing would remain is filled (our choice).

    SAM was trained on masks, so its labels are not weak supervision alone.
    See Kirillov et al., "Segment Anything", ICCV 2023, and Ravi et al.,
    "SAM 2", ICLR 2025.

    Args:
        model: Folder with a checkpoint of Hugging Face's ``SamModel`` or
            ``Sam2Model``, or the name of one on the Hugging Face Hub.
        device: Such as ``'cpu'`` or ``'cuda:1'``. None means CUDA if torch
            finds a device, else the CPU.
        batch_size: Boxes that the mask decoder takes at once. The image is
            encoded only once.

    Raises:
        ValueError: ``batch_size`` is less than 1.
    """

    method = 'sam'
    runtime_arguments = ('device', 'batch_size')
    default_workers = 1
    options = (
        Option(
            'model',
            str,
            'folder of a checkpoint of SAM or SAM 2, or its name on the '
            'Hugging Face Hub (default: facebook/sam-vit-base)',
        ),
        Option('device', str, 'such as cuda:1 (default: cuda, else cpu)'),
        Option('batch_size', int, 'boxes at once (default: 16)'),
    )

    def __init__(
        self,
        model: str = 'facebook/sam-vit-base',
        device: str | None = None,
        batch_size: int = 16,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f'batch_size must be >= 1. Got: {batch_size}')
        self.model = model
        self.device = device
        self.batch_size = batch_size

    @property
    def provenance(self) -> dict[str, Any]:
        """The hash of a local checkpoint, or the commit of one on the Hub."""
        if Path(self.model).is_dir():
            return {'checkpoint': _hash_of_folder(Path(self.model))}
        return {'checkpoint': _read_config(self.model)._commit_hash}

    def segment_boxes(
        self,
        image: np.ndarray,
        boxes: np.ndarray,
        labels: np.ndarray,
        image_id: str | None,
    ) -> Sequence[Segment]:
        """See the base class."""
        if not len(boxes):
            return []
        masks = self._masks(image, boxes)
        segments = []
        for (x1, y1, x2, y2), mask in zip(boxes, masks, strict=True):
            inside = mask[y1:y2, x1:x2].astype(np.uint8)
            is_empty = not inside.any()
            reason = 'SAM found nothing in the box' if is_empty else None
            filled = np.ones_like(inside)
            segments.append(Segment(filled if is_empty else inside, reason))
        return segments

    def _masks(
        self, image: np.ndarray, boxes: np.ndarray
    ) -> Iterator[np.ndarray]:
        """The best mask of each box, ``(H, W)`` bool."""
        import torch
        from torch.nn.functional import interpolate

        model = _load(self.model, self.device)
        size = image.shape[:2]
        side = model.config.prompt_encoder_config.image_size
        pads = model.config.model_type == 'sam'
        inner = _padded_size(size, side) if pads else (side, side)
        scale = np.tile(np.divide(inner, size)[::-1], 2)
        prompts = torch.from_numpy((boxes * scale).astype(np.float32))
        with torch.inference_mode():
            pixels = _network_input(image, inner, side).to(model.device)
            embeddings = model.get_image_embeddings(pixels)
            for batch in prompts.to(model.device).split(self.batch_size):
                output = model(
                    image_embeddings=embeddings, input_boxes=batch[None]
                )
                best = output.iou_scores[0].argmax(1)
                logits = output.pred_masks[0, torch.arange(len(best)), best]
                logits = logits[:, None].float()
                if pads:
                    logits = interpolate(logits, (side, side), mode='bilinear')
                    logits = logits[..., : inner[0], : inner[1]]
                logits = interpolate(logits, size, mode='bilinear')
                yield from (logits[:, 0] > 0).cpu().numpy()


def _padded_size(size: tuple[int, int], side: int) -> tuple[int, int]:
    """The size of an image whose longer side becomes ``side``."""
    height, width = (int(v * side / max(size) + 0.5) for v in size)
    return height, width


def _network_input(
    image: np.ndarray, inner: tuple[int, int], side: int
) -> 'torch.Tensor':
    """Resize, normalise and pad an image as SAM's processors do.

    Those of transformers need torchvision for SAM 2.

    Args:
        image: ``(H, W, 3)`` uint8, BGR.
        inner: ``(H', W')`` to resize it to, at most ``side``.
        side: Width and height of the network's input.

    Returns:
        ``(1, 3, side, side)`` float32; right of and below the image it is 0.
    """
    import torch

    small = Image.fromarray(np.ascontiguousarray(image[..., ::-1])).resize(
        inner[::-1], Image.Resampling.BILINEAR
    )
    pixels = np.zeros((side, side, 3), np.float32)
    pixels[: inner[0], : inner[1]] = (
        np.asarray(small, np.float32) / 255 - _MEAN
    ) / _STD
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()


@lru_cache(maxsize=1)  # of the process, which unpickles labelers again
def _load(name: str, device: str | None) -> 'PreTrainedModel':
    import torch
    import transformers

    config = _read_config(name)
    if config.model_type not in _MODELS:
        raise ValueError(
            f'{name}: must be a checkpoint of SAM or SAM 2, of model_type '
            f'{" or ".join(_MODELS)}. Got: {config.model_type}'
        )
    model = getattr(transformers, _MODELS[config.model_type])
    device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
    return model.from_pretrained(name).to(device).eval()


def _read_config(name: str) -> Any:
    try:
        from transformers import AutoConfig
    except ImportError:
        raise ImportError(
            '--method sam needs Hugging Face transformers; '
            "pip install 'box2seg-mmseg[sam]'"
        ) from None
    return AutoConfig.from_pretrained(name)


def _hash_of_folder(folder: Path) -> str:
    """Hash of the config and the weights in a folder."""
    result = blake2b(digest_size=16)
    for path in sorted(folder.iterdir()):
        if path.suffix in ('.json', '.safetensors', '.bin'):
            result.update(path.name.encode())
            with path.open('rb') as file:
                while chunk := file.read(2**24):
                    result.update(chunk)
    return result.hexdigest()
