from box2seg_mmseg.datasets.sample_split import sample_split


def test_shares_are_nested_and_in_order():
    ids = [f'{i:03}' for i in range(100)]
    eighth, quarter = sample_split(ids, 1 / 8), sample_split(ids, 1 / 4)
    assert (len(eighth), len(quarter)) == (12, 25)
    assert set(eighth) < set(quarter) < set(ids)
    assert eighth == sorted(eighth)
    assert sample_split(ids, 1 / 8, seed=1) != eighth
    assert sample_split(ids, 1) == ids
    assert len(sample_split(ids, 0)) == 1
