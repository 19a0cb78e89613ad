import numpy as np
import pytest
from corrected_labels import correct_label, write_corrected_labels

from box2seg_mmseg.label_maps import read_label_png, write_label_png

#                 right missed wrong class void ignored
LABEL = np.array([[1, 0, 0, 2, 2, 2, 255]], np.uint8)
MASK = np.array([[1, 0, 1, 0, 1, 255, 1]], np.uint8)
EXPECTED = {
    True: [[1, 0, 1, 2, 2, 2, 255]],
    False: [[1, 0, 0, 0, 1, 2, 255]],
}


@pytest.mark.parametrize('missed', [True, False])
def test_one_kind_of_error_goes_and_the_other_stays(missed, tmp_path):
    np.testing.assert_array_equal(
        correct_label(LABEL, MASK, missed), EXPECTED[missed]
    )
    for name, array in (('labels', LABEL), ('masks', MASK)):
        write_label_png(tmp_path / name / 'a.png', array)
    folders = [tmp_path / name for name in ('labels', 'masks', 'out')]
    write_corrected_labels(['a'], *folders, missed)
    np.testing.assert_array_equal(
        read_label_png(tmp_path / 'out/a.png', 21), EXPECTED[missed]
    )
