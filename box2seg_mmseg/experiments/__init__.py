"""Runs of the stock tools, one after the other, that can be resumed."""

from .demo import run_demo
from .stock_tools import run_experiment

__all__ = ['run_demo', 'run_experiment']
