"""Fully connected CRF over the pixels of an image."""

from dataclasses import dataclass

import numpy as np

_LEAST_PROBABILITY = 1e-7  # replaces 0, which has no logarithm


@dataclass(frozen=True)
class DenseCRF:
    """Mean-field inference of Kraehenbuehl and Koltun, NIPS 2011.

    The implementation is pydensecrf. The paper's supplement names a dense CRF
    without its parameters; the defaults are those of DeepLab v2 for VOC with
    ResNet-101, which most weakly supervised methods use as well.

    Args:
        iterations: Number of mean-field iterations.
        pos_w: Weight of the smoothness kernel.
        pos_xy: Its standard deviation in pixels.
        bi_w: Weight of the appearance kernel.
        bi_xy: Its standard deviation in pixels.
        bi_rgb: Its standard deviation in grey levels.
        min_prob: A class takes part if its probability exceeds this at some
            pixel, in ``[0, 1)``. Leaving out the others changes almost no
            pixel and saves most of the time (our choice).

    Raises:
        ImportError: pydensecrf is not installed.
        ValueError: A parameter is out of its range.
    """

    iterations: int = 10
    pos_w: float = 3.0
    pos_xy: float = 1.0
    bi_w: float = 4.0
    bi_xy: float = 67.0
    bi_rgb: float = 3.0
    min_prob: float = 0.1

    def __post_init__(self) -> None:
        for name, is_right, meaning in (
            ('iterations', self.iterations >= 1, '>= 1'),
            ('pos_xy', self.pos_xy > 0, '> 0'),
            ('bi_xy', self.bi_xy > 0, '> 0'),
            ('bi_rgb', self.bi_rgb > 0, '> 0'),
            ('min_prob', 0 <= self.min_prob < 1, 'in [0, 1)'),
        ):
            if not is_right:
                raise ValueError(
                    f'{name} must be {meaning}. Got: {getattr(self, name)}'
                )
        try:
            import pydensecrf.densecrf  # noqa: F401
        except ImportError:
            raise ImportError(
                'the dense CRF needs pydensecrf and a C++ compiler to build '
                "it; pip install 'pydensecrf2>=1.1'"
            ) from None

    def __call__(self, image: np.ndarray, probs: np.ndarray) -> np.ndarray:
        """Label an image.

        Args:
            image: ``(H, W, 3)`` uint8, channels in any order.
            probs: ``(C, H, W)`` float32, probabilities of the classes.

        Returns:
            ``(H, W)`` uint8, the most probable class of each pixel.

        Raises:
            ValueError: Image and probabilities differ in size or have an
                unsupported dtype or shape, or there are over 256 classes.
        """
        if image.dtype != np.uint8 or image.shape[2:] != (3,):
            raise ValueError(
                'image must be uint8 of shape (H, W, 3). '
                f'Got: {image.dtype} {image.shape}'
            )
        if probs.ndim != 3 or probs.shape[1:] != image.shape[:2]:
            raise ValueError(
                f'probs must be of shape (C, {image.shape[0]}, '
                f'{image.shape[1]}). Got: {probs.shape}'
            )
        classes = self.candidates(probs.reshape(len(probs), -1).max(1))
        if len(classes) == 1:
            return np.full(image.shape[:2], classes[0], np.uint8)
        return classes[self._infer(image, probs[classes])]

    def candidates(self, highest: np.ndarray) -> np.ndarray:
        """Choose the classes that take part.

        Args:
            highest: ``(C,)`` float32, the highest probability of each class
                over the pixels.

        Returns:
            ``(K,)`` uint8, at least one class.

        Raises:
            ValueError: There are over 256 classes.
        """
        if len(highest) > 256:
            raise ValueError(f'at most 256 classes. Got: {len(highest)}')
        kept = highest > min(self.min_prob, highest.max() / 2)
        return np.flatnonzero(kept).astype(np.uint8)

    def _infer(self, image: np.ndarray, probs: np.ndarray) -> np.ndarray:
        from pydensecrf.densecrf import DenseCRF2D

        num_classes, height, width = probs.shape
        crf = DenseCRF2D(width, height, num_classes)
        energy = -np.log(np.maximum(probs, _LEAST_PROBABILITY))
        crf.setUnaryEnergy(
            np.ascontiguousarray(energy.reshape(num_classes, -1), np.float32)
        )
        crf.addPairwiseGaussian(sxy=self.pos_xy, compat=self.pos_w)
        crf.addPairwiseBilateral(
            sxy=self.bi_xy,
            srgb=self.bi_rgb,
            rgbim=np.ascontiguousarray(image),
            compat=self.bi_w,
        )
        result = np.asarray(crf.inference(self.iterations))
        return result.reshape(probs.shape).argmax(0)
