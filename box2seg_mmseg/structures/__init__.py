"""What travels between datasets and models."""

from .box_regions import (
    MAX_REGIONS,
    BatchBoxRegions,
    BoxPairs,
    BoxRegions,
    TooManyRegionsError,
)
from .training_step import TrainingStep

__all__ = [
    'MAX_REGIONS',
    'BatchBoxRegions',
    'BoxPairs',
    'BoxRegions',
    'TooManyRegionsError',
    'TrainingStep',
]
