"""From data sets as they are published to the layout of the configs."""

from .archives import extract
from .download import Download, download
from .voc import PreparationReport, prepare_voc

__all__ = [
    'Download',
    'PreparationReport',
    'download',
    'extract',
    'prepare_voc',
]
