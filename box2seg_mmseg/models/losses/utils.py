"""What the losses share."""

import torch
from torch import Tensor


def at_least_float32(values: Tensor) -> Tensor:
    """Half precision becomes float32; float32 and float64 stay."""
    if values.dtype in (torch.float16, torch.bfloat16):
        return values.float()
    return values


def boxed_classes(box_mask: Tensor) -> tuple[Tensor, Tensor]:
    """The foreground classes that have a box in each image.

    Args:
        box_mask: ``(N, L + 1, H, W)`` bool, background first.

    Returns:
        Two ``(P,)`` int64 tensors: for each pair its image in ``0..N - 1``
        and its foreground class in ``0..L - 1``.
    """
    images, classes = box_mask[:, 1:].flatten(2).any(2).nonzero(as_tuple=True)
    return images, classes


def mean_over_images(
    values: Tensor,
    images: Tensor,
    num_images: int,
    class_reduction: str = 'mean',
) -> Tensor:
    """Mean over the classes of an image, then over the images (our choice).

    Args:
        values: ``(P,)``, one value a pair of image and class.
        images: ``(P,)`` int64, the image of each pair.
        num_images: N; an image without a pair counts as 0.
        class_reduction: ``'mean'``, or ``'sum'`` over the classes.

    Returns:
        A scalar; 0 if there is no pair.
    """
    if class_reduction == 'sum':
        return values.sum() / num_images
    num_classes = torch.bincount(images, minlength=num_images)
    return (values / num_classes[images]).sum() / num_images


def check_shape(name: str, values: Tensor, shape: tuple[int, ...]) -> None:
    """Raise unless a tensor has the shape that the others imply.

    Raises:
        ValueError: It has not; the message names the tensor and both shapes.
    """
    if tuple(values.shape) != tuple(shape):
        raise ValueError(
            f'{name} must have shape {tuple(shape)}. '
            f'Got: {tuple(values.shape)}'
        )
