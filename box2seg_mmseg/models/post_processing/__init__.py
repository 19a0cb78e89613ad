"""What becomes of a network's prediction."""

from .crf_queue import CRFQueue, finish
from .dense_crf import DenseCRF

__all__ = ['CRFQueue', 'DenseCRF', 'finish']
