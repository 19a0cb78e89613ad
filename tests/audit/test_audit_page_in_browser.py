"""The page as a person uses it, in Chromium."""

import csv
import json

import numpy as np
import pytest
from audit import page
from audit.page import page_data, write_page

MODES = ('missing', 'merged', 'misaligned')
SHOWN = "[...document.querySelectorAll('#cards article')].map(c => c.finding)"
CURRENT = "document.querySelector('#cards [aria-current]').finding"
PRESSED = (
    "[...document.querySelectorAll('#cards [aria-pressed=true]')]"
    ".map(b => [b.closest('article').finding, b.textContent])"
)
TEXT = "$('export-text').value.split('\\n').slice(0, -1)"
FITS = 'document.documentElement.scrollWidth <= innerWidth'
DIALOG_FITS = (
    '(dialog => dialog.scrollWidth <= dialog.clientWidth'
    ' && dialog.getBoundingClientRect().right <= innerWidth)'
    "(document.querySelector('dialog[open]'))"
)
RECTANGLE = (
    '(element => {const r = element.getBoundingClientRect();'
    'return [r.x, r.y, r.width, r.height]})'
)


@pytest.fixture
def opened(audit, browser, tmp_path):
    """Writes an audit's page and opens it; the fixture's at first."""

    def open_page(audit):
        write_page(audit, tmp_path)
        browser.open(tmp_path / 'audit.html')

    open_page(audit)
    return open_page


def _choose(browser, name, value):
    browser.value(
        f"$('{name}').value = {json.dumps(value)};"
        f"$('{name}').dispatchEvent(new Event('input'));"
        f"$('{name}').dispatchEvent(new Event('change'));"
    )


def test_filter_and_pages(audit, browser, opened, tmp_path):
    findings = audit['findings']
    assert browser.value('document.title') == 'Suspicious boxes'
    assert browser.value(SHOWN) == list(range(60))
    browser.press('n')
    assert browser.value(SHOWN) == list(range(60, 110))
    assert browser.value(CURRENT) == 60
    browser.press('k')  # to the page before
    assert browser.value(CURRENT) == 59

    data = page_data(audit, tmp_path)
    for mode in MODES:
        _choose(browser, 'mode', str(data['modes'].index(mode)))
        for name in (*audit['classes'], None):
            class_ = -1 if name is None else data['classes'].index(name)
            _choose(browser, 'class', str(class_))
            for text in ('', 'FOLDER/1', 'onerror'):
                _choose(browser, 'search', text)
                want = [
                    i
                    for i, finding in enumerate(findings)
                    if (finding['mode'], finding['class']) == (mode, name)
                    and text.lower() in finding['image_id'].lower()
                ]
                assert browser.value(SHOWN) == want
    nothing = 'No finding fits the filter.'
    assert browser.value("$('cards').textContent") == nothing


def _places(audit):
    """What a mark of each finding belongs to."""
    return [(f['image_id'], f['box_index']) for f in audit['findings']]


def test_keys_mark_and_a_reload_keeps_the_marks(audit, browser, opened):
    places = _places(audit)
    region = places.index(next(place for place in places if place[1] is None))
    assert 3 < region < 58
    browser.press('x')  # nothing is selected
    assert browser.value(PRESSED) == []
    marks = {}
    browser.press('j', 'f', 'ArrowRight')
    marks[places[0]] = 'Fix'
    browser.press('O', shift=True)  # goes on to the third
    marks[places[1]] = 'Fine'
    browser.press('x')
    marks[places[2]] = 'Drop'
    browser.press(*'j' * (region - 2), 'Enter', 'k', 'j', 'x')
    marks[places[region]] = 'Drop'
    assert browser.value("$('view').open")
    browser.press('Escape', 'j', 'x', 'u')
    marks.pop(places[region + 1], None)
    assert browser.value(CURRENT) == region + 1
    columns = browser.value('columns()')
    browser.press('ArrowDown')
    assert browser.value(CURRENT) == region + 1 + columns
    browser.press('ArrowUp', 'ArrowLeft')
    assert browser.value(CURRENT) == region

    # All findings of a box show its mark.
    want = [[i, marks[p]] for i, p in enumerate(places[:60]) if p in marks]
    assert browser.value(PRESSED) == want
    opened(audit)
    assert browser.value(PRESSED) == want
    _choose(browser, 'mark', '1')
    dropped = [i for i, p in enumerate(places) if marks.get(p) == 'Drop']
    assert browser.value(SHOWN) == dropped
    browser.press('e')
    browser.value("window.confirm = () => true; $('clear').click()")
    opened(audit)
    assert browser.value(PRESSED) == []


def test_keys_of_a_text_field_mark_nothing(browser, opened):
    browser.press('j', '/', 'x', 'f', '?')
    assert browser.value("$('search').value") == 'xf?'
    assert browser.value(PRESSED) == []
    assert not browser.value("$('help').open")


def test_marks_survive_another_audit_of_the_boxes(audit, browser, opened):
    places = _places(audit)
    with_box = places.index(next(p for p in places if p[1] is not None))
    region = places.index(next(p for p in places if p[1] is None))
    for i, key in ((with_box, 'x'), (region, 'f')):
        browser.value(f'select({i})')
        browser.press(key)
    want = browser.value(PRESSED)
    found = [f for f in audit['findings'] if f['mode'] != 'missing'][::-1]
    opened(audit | dict(findings=found))
    browser.value('refilter(), select(0)')
    browser.press('o')
    stored = json.loads(browser.value('localStorage.getItem(STORE)'))
    assert [len(stored[name]) for name in ('drop', 'fix', 'fine')] == [1] * 3
    browser.press('u')
    opened(audit)
    assert browser.value(PRESSED) == want


def test_exports(audit, browser, opened):
    places = _places(audit)
    dropped = [0, 1, 2, 3, 30, 31, 32, 33, 34, 35, 80, 109]
    for i in dropped:
        browser.value(f'setMark(itemOf[{i}], 1)')
    browser.value(f'setMark(itemOf[{places.index(places[3])}], 2)')
    want = {places[i] for i in dropped} - {places[3]}
    assert {index for _, index in want} == {None, 0, 1}
    browser.press('e')

    name, text = browser.download("$('csv').click()")
    rows = list(csv.DictReader(text.splitlines()))
    assert name == 'drop-boxes.csv'
    name, text = browser.download("$('json').click()")
    content = json.loads(text)
    assert name == 'drop-boxes.json' and content['mark'] == 'drop'
    items = content['boxes']
    assert {(i['image_id'], i['box_index']) for i in items} == want
    for row, item in zip(rows, items, strict=True):
        # The worst of the findings of the box.
        i = places.index((item['image_id'], item['box_index']))
        finding = audit['findings'][i]
        assert item['box'] == pytest.approx(finding['box'], abs=0.005)
        assert item['score'] == pytest.approx(finding['score'], abs=5e-5)
        for key in ('mode', 'image_id', 'box_index', 'box_id', 'class'):
            assert item[key] == finding[key]
            assert row[key] == ('' if item[key] is None else str(item[key]))
        corners = [float(row[key]) for key in ('x1', 'y1', 'x2', 'y2')]
        assert corners == item['box']

    # A box by its id, or else by its image and index; no region.
    assert browser.value(TEXT) == [
        str(item['box_id'] or f'{item["image_id"]}#{item["box_index"]}')
        for item in items
        if item['box_index'] is not None
    ]
    _choose(browser, 'unit', 'images')
    ids = list(dict.fromkeys(item['image_id'] for item in items))
    assert browser.value(TEXT) == ids
    name, text = browser.download("$('csv').click()")
    assert name == 'drop-images.csv'
    rows = csv.DictReader(text.splitlines())
    assert [row['image_id'] for row in rows] == ids
    _, text = browser.download("$('json').click()")
    assert json.loads(text) == {'mark': 'drop', 'images': ids}
    _choose(browser, 'list', '2')
    assert browser.value(TEXT) == [places[3][0]]


@pytest.mark.parametrize('width', [1400, 390])
def test_pictures_and_boxes(audit, browser, opened, monkeypatch, width):
    browser.resize(width, 900)
    monkeypatch.setattr(page, 'MAX_EMBEDDED', 0)
    opened(audit)
    loaded = browser.value(
        "Promise.all([...document.querySelectorAll('#cards img')].map("
        'i => i.hidden ? 0 : i.decode().then(() => i.naturalWidth)))'
    )
    assert all(loaded)
    # The box lies where the object is in the picture.
    for i in range(12):
        finding = audit['findings'][i]
        size = np.array(audit['images'][finding['image_id']]['size'][::-1])
        card = f"document.querySelectorAll('#cards article')[{i}]"
        place = browser.value(f"{RECTANGLE}({card}.querySelector('img'))")
        corner, shown = np.reshape(place, (2, 2))
        scale = (shown / size).min()
        corner += (shown - scale * size) / 2
        start, end = corner + scale * np.reshape(finding['box'], (2, 2))
        want = [*start, *(end - start)]
        line = f"{card}.querySelector('.suspect.line')"
        got = browser.value(f'{RECTANGLE}({line})')
        assert np.allclose(got, want, atol=0.6)
        fit = f"getComputedStyle({card}.querySelector('img')).objectFit"
        assert browser.value(fit) == 'contain'
        dashes = browser.value(f'getComputedStyle({line}).strokeDasharray')
        assert (dashes != 'none') == (finding['mode'] == 'missing')
        suggested = f"{card}.querySelector('.suggestion')?.getAttribute('d')"
        want = 'M3 4H20.5V30H3Z' if finding['mode'] == 'misaligned' else None
        assert browser.value(suggested) == want
    assert browser.value(FITS)
    for key in ('Enter', 'e', '?'):
        browser.press('j', key)
        assert browser.value(FITS) and browser.value(DIALOG_FITS)
        browser.press('Escape')


def test_a_folder_that_was_left_behind_is_named(
    audit, browser, opened, tmp_path, monkeypatch
):
    monkeypatch.setattr(page, 'MAX_EMBEDDED', 0)
    opened(audit)
    (tmp_path / 'thumbnails').rename(tmp_path / 'elsewhere')
    browser.open(tmp_path / 'audit.html')
    note = browser.value(
        'new Promise(done => setInterval(() => {'
        "const text = document.querySelector('#cards .note').textContent;"
        'if (text) done(text)}, 20))'
    )
    assert note.startswith('The thumbnail is missing: thumbnails/')


def test_an_audit_without_findings(audit, browser, opened):
    opened(audit | dict(findings=[]))
    nothing = 'The audit has no findings.'
    assert browser.value("$('cards').textContent") == nothing
