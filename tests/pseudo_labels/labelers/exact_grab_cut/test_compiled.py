import pytest
from numba.core import caching, config

from box2seg_mmseg.pseudo_labels.labelers.exact_grab_cut.compiled import (
    announcing_compilation,
    compiled,
)


def test_without_a_cache_folder_each_process_compiles(monkeypatch):
    for locator in caching.CacheImpl._locator_classes:
        monkeypatch.setattr(locator, 'from_function', lambda *_: None)
    with pytest.warns(UserWarning, match='set NUMBA_CACHE_DIR'):
        double = compiled(lambda x: 2 * x)
    assert double(21) == 42


def test_compilation_is_announced_once_and_only_if_needed(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(config, 'CACHE_DIR', str(tmp_path))

    def triple(x):
        return 3 * x

    for message, want in (
        ('compiling', 'compiling\n'),
        ('from the cache', ''),
        (None, ''),
    ):
        function, other = compiled(triple), compiled(lambda x: x)
        with announcing_compilation(message):
            assert function(7) == 21
            if message == 'compiling':
                assert other(1) == 1
        assert capsys.readouterr().err == want
    with announcing_compilation(None):
        assert compiled(triple)(0.5) == 1.5  # another type: compiled
    assert capsys.readouterr().err == ''
