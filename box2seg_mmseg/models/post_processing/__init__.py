"""Dense CRF."""

from .crf_refiner import CRFRefiner
from .dense_crf import DenseCRF

__all__ = ['CRFRefiner', 'DenseCRF']
