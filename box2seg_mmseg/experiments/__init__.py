"""Whole experiments: the demo, comparisons, baselines without training."""

from .benchmark import run_benchmark
from .compare_methods import compare_methods
from .demo import run_demo
from .no_train import evaluate_no_train
from .predict_folder import predict_folder
from .stock_tools import run_experiment

__all__ = [
    'compare_methods',
    'evaluate_no_train',
    'predict_folder',
    'run_benchmark',
    'run_demo',
    'run_experiment',
]
