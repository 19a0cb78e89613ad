import numpy as np

from box2seg_mmseg.pseudo_labels import Segment, build_labeler, paint_segments


def _segment(*rows):
    return Segment(np.array(rows, np.uint8))


def test_smaller_boxes_win_with_what_they_know():
    boxes = np.array([(1, 0, 3, 2), (0, 0, 4, 3)])
    segments = [
        _segment((0, 1), (255, 1)),
        _segment((1, 1, 1, 0), (1, 1, 255, 0), (255, 255, 0, 0)),
    ]
    got = paint_segments((3, 5), boxes, np.array([7, 9]), segments)
    # The small box's background hides nothing; its other pixels do.
    want = [
        (9, 9, 7, 0, 0),
        (9, 255, 7, 0, 0),
        (255, 255, 0, 0, 0),
    ]
    assert got.dtype == np.uint8 and got.tolist() == np.array(want).tolist()
    assert segments[0].filling_rate == 0.5
    assert segments[1].filling_rate == 5 / 12


def test_the_inner_part_of_a_box_is_filled_and_the_rest_ignored():
    image = np.zeros((20, 30, 3), np.uint8)
    labeler = build_labeler(dict(type='BoxFill', inner=0.25))
    got = labeler(image, np.array([(4, 2, 24, 12)]), np.array([3]))
    want = np.zeros((20, 30), np.uint8)
    want[2:12, 4:24] = 255
    want[4:9, 9:19] = 3  # half of 10 x 20 px, from (10 - 5) // 2 on
    assert np.array_equal(got, want)
    one_pixel = labeler(image, np.array([(0, 0, 1, 1)]), np.array([3]))
    assert one_pixel[0, 0] == 3
