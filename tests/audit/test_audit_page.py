"""The page and its thumbnails against the audit that they show."""

import json
import os
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from audit import page
from audit.page import _photograph_url, page_data, worst_images, write_page

from box2seg_mmseg.images import ImageError

MODES = ('missing', 'merged', 'misaligned')


class _Page(HTMLParser):
    """The tags of a page, and the text of its data."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.data = [], ''
        self.feed(path.read_text())
        self.data = json.loads(self.data)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, text):
        if self.tags and self.tags[-1] == (
            'script',
            {'type': 'application/json', 'id': 'data'},
        ):
            self.data += text.strip()


def _findings(data, out_dir):
    """The findings that the page's data stand for, as in audit.json."""
    images, boxes = data['images'], data['boxes']
    for mode, score, reason, image, class_, box in zip(
        *(
            data['findings'][key]
            for key in ('mode', 'score', 'reason', 'image', 'class', 'box')
        ),
        strict=True,
    ):
        number = images['first'][image] + box
        table, at = (
            (data['regions'], -1 - box) if box < 0 else (boxes['box'], number)
        )
        yield dict(
            mode=data['modes'][mode],
            score=score,
            reason=data['reasons'][reason],
            image_id=images['id'][image],
            box_index=None if box < 0 else box,
            box_id=None if box < 0 else boxes['id'][number],
            box=table[4 * at : 4 * at + 4],
            **{'class': None if class_ < 0 else data['classes'][class_]},
        )


def test_its_data_are_the_findings_of_the_audit(audit, tmp_path):
    nasty = audit['classes'][-1]
    data = page_data(audit, tmp_path)
    found = list(_findings(data, tmp_path))
    assert len(found) == 110
    for got, want in zip(found, audit['findings'], strict=True):
        assert got['box'] == pytest.approx(want['box'], abs=0.005)
        assert got['score'] == pytest.approx(want['score'], abs=5e-5)
        same = set(want) - {'box', 'score', 'suggestion'}
        assert {k: got[k] for k in same} == {k: want[k] for k in same}
    misaligned = [f['mode'] == 'misaligned' for f in audit['findings']]
    places = np.flatnonzero(misaligned).tolist()
    want = {place: [3, 4, 20.5, 30] for place in places}
    assert data['suggestions'] == want
    # Each text once.
    assert len(data['reasons']) == 5 and len(data['classes']) == 3
    folder, name = data['folders'][0], data['images']['name'][0]
    photograph = audit['images'][nasty]['path']
    assert os.path.normpath(tmp_path / folder / name) == photograph


def test_no_name_breaks_out_of_the_page(audit, tmp_path):
    nasty = audit['classes'][-1]
    write_page(audit, tmp_path)
    written = _Page(tmp_path / 'audit.html')
    tags = [tag for tag, _ in written.tags]
    assert tags.count('script') == 2 and tags.count('img') == 1
    assert written.data['images']['id'][0] == nasty
    text = (tmp_path / 'audit.html').read_text()
    assert 'http' not in text.replace("'http://www.w3.org/2000/svg'", '')
    assert not [at for _, at in written.tags if 'src' in at or 'href' in at]


def test_a_small_audit_is_one_file_and_a_large_one_has_a_folder(
    audit, tmp_path, monkeypatch
):
    write_page(audit, tmp_path / 'small')
    assert [p.name for p in (tmp_path / 'small').iterdir()] == ['audit.html']
    embedded = _Page(tmp_path / 'small/audit.html').data['thumbnails']
    monkeypatch.setattr(page, 'MAX_EMBEDDED', 0)
    write_page(audit, tmp_path / 'large')
    files = _Page(tmp_path / 'large/audit.html').data['thumbnails']
    assert list(embedded) == list(files) and len(files) == 22
    # Images of the same photograph share a file.
    folder = tmp_path / 'large/thumbnails'
    assert len(list(folder.iterdir())) == len(set(files.values())) == 10
    for number, image in enumerate(audit['images'].values()):
        data = (tmp_path / 'large' / files[str(number)]).read_bytes()
        start, _, base64 = embedded[str(number)].partition(',')
        assert start == 'data:image/jpeg;base64' and b64decode(base64) == data
        small = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        # These photographs are small enough to be shown as they are.
        assert small.shape[:2] == tuple(image['size'])
        difference = small.astype(int) - cv2.imread(image['path'])
        assert np.abs(difference).mean() < 6


def test_a_large_photograph_is_scaled_and_a_turned_one_is_not_rejected(
    tmp_path,
):
    from audit.thumbnails import encode_thumbnail
    from PIL import Image

    path = tmp_path / 'turned.jpg'
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (900, 300), 'red').save(path, exif=exif)
    data = np.frombuffer(encode_thumbnail(path, (900, 300)), np.uint8)
    assert cv2.imdecode(data, cv2.IMREAD_COLOR).shape == (400, 133, 3)


def test_only_the_worst_of_each_mode_have_a_thumbnail(
    audit, tmp_path, monkeypatch
):
    want = []
    for mode in MODES:
        ids = [f['image_id'] for f in audit['findings'] if f['mode'] == mode]
        want += ids[:2]
    assert set(worst_images(audit['findings'], 2)) == set(want)
    monkeypatch.setattr(page, 'MAX_THUMBNAILS', 2)
    write_page(audit, tmp_path)
    data = _Page(tmp_path / 'audit.html').data
    ids = list(audit['images'])
    assert {ids[int(i)] for i in data['thumbnails']} == set(want)
    assert len(data['findings']['box']) == 110


def test_thumbnails_are_kept_until_the_photograph_changes(
    audit, few_photographs, tmp_path, monkeypatch
):
    monkeypatch.setattr(page, 'MAX_EMBEDDED', 0)
    for image in audit['images'].values():
        name = Path(image['path']).name
        image['path'] = str(few_photographs / 'JPEGImages' / name)
    out, broken = tmp_path / 'out', Path(audit['images']['folder/01']['path'])
    intact = broken.read_bytes()
    broken.write_bytes(intact[:2000])
    with pytest.raises(ImageError, match='truncated or corrupt'):
        write_page(audit, out)
    assert not (out / 'audit.html').exists()
    broken.write_bytes(intact)
    write_page(audit, out)
    first = {p: p.stat().st_mtime_ns for p in (out / 'thumbnails').iterdir()}
    assert len(first) == 10

    image = cv2.imread(audit['images']['folder/02']['path'])
    cv2.imwrite(audit['images']['folder/02']['path'], 255 - image)
    write_page(audit, out)
    second = {p: p.stat().st_mtime_ns for p in (out / 'thumbnails').iterdir()}
    remade = [p for p in first if first[p] != second[p]]
    number = list(audit['images']).index('folder/02')
    names = _Page(out / 'audit.html').data['thumbnails']
    assert remade == [out / names[str(number)]]


def test_marks_are_kept_for_the_same_boxes_only(audit, tmp_path):
    nasty = audit['classes'][-1]
    key = page_data(audit, tmp_path)['key']
    for finding in audit['findings']:
        finding['score'] /= 2
    for image in audit['images'].values():
        image['path'] = '/elsewhere/' + image['path']
    assert page_data(audit, tmp_path)['key'] == key
    audit['images'][nasty]['boxes'][0]['box'][0] += 1
    assert page_data(audit, tmp_path)['key'] != key


def test_photographs_may_lie_beside_the_page(tmp_path):
    assert _photograph_url(f'{tmp_path}/a b.jpg', tmp_path) == (
        '.',
        'a%20b.jpg',
    )
    assert _photograph_url(f'{tmp_path}/x/a.jpg', tmp_path) == ('x', 'a.jpg')
