"""Whole experiments: the demo, and baselines without training."""

from .compare_methods import compare_methods
from .demo import run_demo
from .no_train import evaluate_no_train
from .stock_tools import run_experiment

__all__ = [
    'compare_methods',
    'evaluate_no_train',
    'run_demo',
    'run_experiment',
]
