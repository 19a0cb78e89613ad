import cv2
import numpy as np
import pytest
from PIL import Image

from box2seg_mmseg.images import ImageError, decode_image, image_size


def _encoded(suffix='.png'):
    return cv2.imencode(suffix, np.full((20, 30, 3), 90, np.uint8))[1]


def test_images_that_are_whole_are_decoded():
    got = decode_image(_encoded().tobytes(), 'a.png', (20, 30))
    assert (got.shape, got.dtype) == ((20, 30, 3), np.uint8)
    assert (got == 90).all()


@pytest.mark.parametrize(
    ('data', 'size', 'message'),
    [
        (_encoded('.jpg')[:-60].tobytes(), None, 'a: truncated or corrupt im'),
        (b'', None, '^a: not an image file; replace it$'),
        (b'garbage', None, '^a: not an image file; replace it$'),
        (_encoded().tobytes(), (30, 20), 'a: the image is 30 x 20 px, its'),
    ],
)
def test_images_that_are_not_are_named(data, size, message):
    with pytest.raises(ImageError, match=message):
        decode_image(data, 'a', size)


def test_an_image_of_too_many_pixels_is_not_called_broken(monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 200)
    with pytest.raises(ImageError, match=r'a: more than 400 pixels.*scale'):
        decode_image(_encoded().tobytes(), 'a', None)


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp', '.tif'])
def test_sizes_are_those_that_opencv_loads(tmp_path, suffix):
    path = tmp_path / f'a{suffix}'
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.new('RGB', (30, 20)).save(path, exif=exif)
    data = np.frombuffer(path.read_bytes(), np.uint8)
    loaded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert image_size(path) == loaded.shape[:2] == (30, 20)
