import pytest
from numba.core import caching

from box2seg_mmseg.pseudo_labels.labelers.exact_grab_cut.compiled import (
    compiled,
)


def test_without_a_folder_for_the_code_it_is_compiled_anew(monkeypatch):
    for locator in caching.CacheImpl._locator_classes:
        monkeypatch.setattr(locator, 'from_function', lambda *_: None)
    with pytest.warns(UserWarning, match='set NUMBA_CACHE_DIR'):
        double = compiled(lambda x: 2 * x)
    assert double(21) == 42
