import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from inspect import signature

import numpy as np
import pytest

from box2seg_mmseg.command_line import add_labeler_options, read_labeler
from box2seg_mmseg.command_line.custom_imports import add_custom_imports
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.pseudo_labels import LABELERS, Option, PseudoLabeler


def _labeler(words):
    parser = ArgumentParser()
    add_labeler_options(parser)
    return read_labeler(parser.parse_args(words.split()))


@pytest.mark.parametrize(
    ('words', 'name', 'value'),
    [
        ('--iterations 3', 'iterations', 3),
        ('--seed 7', 'seed', 7),
        ('--seed -7', 'seed', -7),
        ('--backend opencv', 'backend', 'opencv'),
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


def test_every_argument_has_an_option():
    for cls in LABELERS:
        if cls.method is None:  # not one of the command line's
            continue
        assert {o.name for o in cls.options} == {*signature(cls).parameters}


def test_options_of_another_method_are_refused():
    with pytest.raises(UsageError, match='--inner is an option of --method b'):
        _labeler('--inner 0.2')
    with pytest.raises(UsageError, match='--seed is an option of --method gr'):
        _labeler('--method box_fill --seed 1')


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ('--iterations many', '--iterations must be of type int. Got: .many'),
        ('--iterations 0', 'iterations must be >= 1'),
        ('--scale nan', r'scale must be in \(0, 1\]. Got: nan'),
        ('--backend gpu', 'backend must be one of numba, opencv'),
        ('--method grabcut_plus', '--method grabcut_plus needs --edge-dir'),
        ('--method grabcut_plus --edge-dir none', 'none: no such folder'),
        ('--method grabcut_ensemble --cuts 0', 'cuts must be >= 1. Got: 0'),
    ],
)
def test_bad_values_are_wrong_use(words, message):
    with pytest.raises(UsageError, match=message):
        _labeler(words)


class Dots(PseudoLabeler):
    """Labels nothing."""

    method = 'dots'
    options = (
        Option('seed', str, 'any text'),
        Option('dot_size', int, 'in px'),
    )

    def __init__(self, seed: str = 'a', dot_size: int = 1) -> None:
        self.seed, self.dot_size = seed, dot_size

    def segmenter(self, image: np.ndarray) -> Callable:
        raise NotImplementedError


@pytest.fixture
def dots(monkeypatch):
    monkeypatch.setattr(LABELERS, '_classes', {**LABELERS._classes})
    return LABELERS.register_module()(Dots)


def test_methods_can_share_an_option_of_another_type(dots, capsys):
    got = _labeler('--method dots --seed seven --dot-size 3')
    assert got.config == dict(type='Dots', seed='seven', dot_size=3)
    assert _labeler('--seed 7').seed == 7
    with pytest.raises(UsageError, match='--dot-size is an option of --metho'):
        _labeler('--seed 7 --dot-size 3')
    with pytest.raises(SystemExit):
        _labeler('--help')
    printed = ' '.join(capsys.readouterr().out.split())
    assert 'options of --method dots: Labels nothing.' in printed
    assert '(default: 0); dots: any text' in printed


def test_an_option_of_the_tool_is_not_given_twice(dots, capsys):
    parser = ArgumentParser()
    parser.add_argument('--dot-size')
    with pytest.raises(SystemExit) as exit_:
        add_labeler_options(parser)
    assert exit_.value.code == 2
    message = '--dot-size of Dots is an option of this tool already; rename'
    assert message in capsys.readouterr().err


def test_modules_are_imported_before_the_choices_are_fixed(
    tmp_path, monkeypatch, capsys
):
    (tmp_path / 'imported_early.py').write_text('')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', [*sys.path])
    words = ['--other', '1', '--custom-import', 'imported_early']
    monkeypatch.setattr(sys, 'argv', ['tool', *words])
    parser = ArgumentParser()
    add_custom_imports(parser)
    add_custom_imports(parser)
    assert sys.modules.pop('imported_early')
    assert parser.parse_args(words[2:]).custom_import == ['imported_early']
    (tmp_path / 'broken.py').write_text('1 / 0')
    for name, message in (
        (
            'absent',
            "absent: cannot be imported: .*No module named 'absent'",
        ),
        ('broken', 'import broken: cannot be imported: .*division by zero'),
    ):
        monkeypatch.setattr(sys, 'argv', ['tool', '--custom-import', name])
        with pytest.raises(SystemExit) as exit_:
            add_custom_imports(ArgumentParser())
        assert exit_.value.code == 2
        assert re.search(message, capsys.readouterr().err)
