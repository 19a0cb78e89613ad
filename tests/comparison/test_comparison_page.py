"""The page is read as a browser reads it, and in one where there is one."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from comparison.comparison import compare_methods
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.evaluation import evaluate_label_folders
from box2seg_mmseg.label_maps import write_label_png
from box2seg_mmseg.pseudo_labels import build_labeler, generate_pseudo_labels

CLASSES = ('background', *SCENE_CLASSES)
IDS = [f'train_{i:04d}' for i in range(6)]


class _Page(HTMLParser):
    """All tags with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope='module')
def page(scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp('page')
    items = list(VOCXML(scenes, SCENE_CLASSES).read(IDS))
    methods = {'Box <fill>': 'BoxFill', 'GrabCut': 'GrabCut'}
    for name, kind in methods.items():
        methods[name] = folder / kind
        labeler = build_labeler(dict(type=kind))
        generate_pseudo_labels(items, labeler, methods[name])
    reports, shown = compare_methods(
        items,
        scenes / 'SegmentationClass',
        CLASSES,
        methods,
        folder / 'page.html',
        'A & B',
        'Rendered scenes.',
        pseudo_label_dir=methods['GrabCut'],
        attention=lambda path: np.full((5, 64, 64), 0.5, np.float32),
        num_images=2,
    )
    return folder / 'page.html', reports, shown, methods


def test_it_needs_nothing_else_and_tells_what_it_shows(page):
    path, _, shown, _ = page
    text = path.read_text()
    assert 'http' not in re.sub(r'base64,[\w+/=]+', '', text)
    parsed = _Page(text)
    pictures = parsed.all('img')
    rows = parsed.all('article')
    assert [row['data-name'] for row in rows] == shown and len(shown) == 4
    # Photograph, truth, boxes, pseudo label, two methods; one attention a
    # class.
    classes = sum(len(row['data-classes'].split()) for row in rows)
    assert len(pictures) == 4 * 6 + classes
    for picture in pictures:
        assert picture['src'].startswith('data:image/jpeg;base64,')
        assert any(picture['alt'].startswith(name) for name in shown)
    alts = [picture['alt'] for picture in pictures]
    assert sum(': mean 0.50 in its boxes' in alt for alt in alts) == classes
    assert '<title>A &amp; B</title>' in text and 'Box &lt;fill&gt;' in text


def test_its_figures_are_those_of_the_folders(page, scenes):
    path, reports, shown, methods = page
    masks = scenes / 'SegmentationClass'
    cells = [c['data-value'] for c in _Page(path.read_text()).all('td')]
    columns = []
    for name, folder in methods.items():
        want = evaluate_label_folders(folder, masks, IDS, CLASSES)
        assert reports[name] == want
        values = [want['mIoU'], *want['IoU'].values()]
        columns.append([-1 if v is None else v for v in values])
    assert np.allclose(
        np.array(cells, float).reshape(-1, 2), np.array(columns).T, atol=1e-3
    )
    gains = {}
    for image_id in IDS:
        first, last = (
            evaluate_label_folders(folder, masks, [image_id], CLASSES)['mIoU']
            for folder in methods.values()
        )
        gains[image_id] = last - first
    order = sorted(IDS, key=lambda i: -gains[i])
    assert shown == [*order[:2], *order[-2:]]
    for row in _Page(path.read_text()).all('article'):
        assert float(row['data-gain']) == pytest.approx(
            gains[row['data-name']], abs=1e-3
        )


def test_an_image_that_a_method_ignores_is_not_ranked(page, scenes, tmp_path):
    _, _, _, methods = page
    unsure = tmp_path / 'unsure'
    shutil.copytree(methods['GrabCut'], unsure)
    write_label_png(unsure / f'{IDS[0]}.png', np.full((64, 64), 255, np.uint8))
    reports, shown = compare_methods(
        list(VOCXML(scenes, SCENE_CLASSES).read(IDS)),
        scenes / 'SegmentationClass',
        CLASSES,
        {'Box': methods['Box <fill>'], 'unsure': unsure},
        tmp_path / 'page.html',
        'title',
        'summary',
    )
    assert sorted(shown) == IDS[1:]
    assert reports['unsure']['images'] == len(IDS)


def test_it_sorts_filters_and_steps_in_a_browser(page, tmp_path):
    browser = shutil.which('chromium')
    if browser is None:
        pytest.skip('chromium is absent')
    path, _, shown, _ = page
    script = (Path(__file__).parent / 'drive_page.js').read_text()
    driven = tmp_path / 'driven.html'
    driven.write_text(
        path.read_text().replace('</body>', f'<script>{script}</script>')
    )
    done = subprocess.run(
        [
            *(browser, '--headless', '--no-sandbox', '--disable-gpu'),
            *('--window-size=1400,900', '--dump-dom', driven.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    title = done.stdout.split('<title>')[1].split('</title>')[0]
    count, first, second, back, by_loss, *checks = title.split(';')
    assert count == '4 images.'
    assert [first, second, back] == [shown[0], shown[1], shown[0]]
    assert by_loss.split(',') == shown[::-1]
    # Filtered, ordered, and all pictures of an image in one row.
    assert checks == ['true'] * 3


def test_one_method_is_no_comparison(scenes, tmp_path):
    with pytest.raises(ValueError, match=r'at least two methods\. Got: 1'):
        compare_methods(
            [], scenes, CLASSES, {'a': scenes}, tmp_path / 'p.html', '', ''
        )
