import numpy as np
import pytest
from PIL import Image

from box2seg_mmseg.visualization import draw_comparison


def test_a_row_for_each_method_below_the_ground_truth(scenes, tmp_path):
    masks = scenes / 'SegmentationClass'
    pictures = {}
    for count in (1, 3):
        path = tmp_path / f'{count}.png'
        draw_comparison(
            path,
            scenes,
            ['val_0000', 'val_0001'],
            {f'method {i}': masks for i in range(count)},
        )
        pictures[count] = np.array(Image.open(path).convert('RGB'))
    few, many = pictures[1], pictures[3]
    assert few.shape[1] == many.shape[1]
    assert many.shape[0] == pytest.approx(2 * few.shape[0], abs=2)
    # Class colours occur: the overlay is no plain photograph.
    assert len(np.unique(many.reshape(-1, 3), axis=0)) > 1000


def test_a_missing_prediction_is_named(scenes, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'val_0000\.png'):
        draw_comparison(
            tmp_path / 'a.png', scenes, ['val_0000'], {'method': tmp_path}
        )
