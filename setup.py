"""Installs box2seg_mmseg; see README.md."""

import runpy
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
toolbox = runpy.run_path(str(ROOT / 'box2seg_mmseg' / 'toolbox.py'))
requirements = toolbox['requirements']

setup(
    name='box2seg-mmseg',
    version=runpy.run_path(str(ROOT / 'box2seg_mmseg' / 'version.py'))[
        '__version__'
    ],
    description='Semantic segmentation from boxes, for mmsegmentation',
    long_description=(ROOT / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['box2seg_mmseg', 'box2seg_mmseg.*']),
    package_data={'box2seg_mmseg': ['py.typed', 'visualization/*.html']},
    python_requires='>=3.10',
    install_requires=[
        'defusedxml>=0.7.1',
        'filelock>=3.12',
        'matplotlib>=3.7',
        'numba>=0.60',
        'numpy>=1.26',
        'opencv-python>=4.8',
        'packaging',
        'pillow>=10',
        'pyyaml>=6',
        'scipy>=1.11',
        f'torch>={toolbox["OLDEST_TORCH"]}',
        'tqdm>=4.60',
    ],
    extras_require={
        # One of the two: they share import names.
        'onedl': requirements('onedl'),
        'openmmlab': [*requirements('openmmlab'), 'ftfy', 'regex'],
        'crf': ['pydensecrf2>=1.1'],
        'coco': ['pycocotools>=2.0.7'],
        'ray': ['ray>=2.9'],
        'dev': ['hypothesis', 'pytest', 'pytest-xdist', 'ruff'],
    },
)
