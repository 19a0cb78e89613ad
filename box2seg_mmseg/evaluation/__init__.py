"""Figures of label maps."""

from .label_folders import evaluate_label_folders

__all__ = ['evaluate_label_folders']
