from argparse import ArgumentParser

import pytest

from box2seg_mmseg.command_line import add_labeler_options, read_labeler
from box2seg_mmseg.errors import UsageError


def _labeler(words):
    parser = ArgumentParser()
    add_labeler_options(parser)
    return read_labeler(parser.parse_args(words.split()))


@pytest.mark.parametrize(
    ('words', 'name', 'value'),
    [
        ('--iterations 3', 'iterations', 3),
        ('--seed 7', 'seed', 7),
        ('--backend opencv', 'backend', 'opencv'),
        ('--margin 0.5', 'margin', 0.5),
        ('--scale 0.25', 'scale', 0.25),
        ('--ignore-unstable 0.75', 'ignore_unstable', 0.75),
        ('--perturbations 4', 'perturbations', 4),
        ('--method box_fill --inner 0.2', 'inner', 0.2),
    ],
)
def test_each_option_reaches_the_labeler(words, name, value):
    method = '--method box_fill' if 'box_fill' in words else ''
    assert getattr(_labeler(words), name) == value
    assert getattr(_labeler(method), name) != value


def test_options_of_another_method_are_refused():
    with pytest.raises(UsageError, match='--inner is an option of --method b'):
        _labeler('--inner 0.2')
    with pytest.raises(UsageError, match='--seed is an option of --method gr'):
        _labeler('--method box_fill --seed 1')
