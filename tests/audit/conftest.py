import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

NASTY = '</script><img src=x onerror="document.title=1"> "a", \'b\' & ü'

# Keys whose event has another text or code than the character.
_NAMED = {'Enter': ('\r', 13), 'Escape': ('', 27)}
_NAMED |= {
    f'Arrow{name}': ('', 37 + number)
    for number, name in enumerate(('Left', 'Up', 'Right', 'Down'))
}


class Browser:
    """A headless Chromium, driven by the DevTools protocol over a pipe."""

    def __init__(self, program: str, folder: Path) -> None:
        self.downloads = folder / 'downloads'
        pairs = [os.pipe(), os.pipe()]
        # Chromium reads from descriptor 3 and writes to 4.
        theirs = [
            fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
            for fd in (pairs[0][0], pairs[1][1])
        ]
        self._process = subprocess.Popen(
            [
                *('bash', '-c', 'exec "${@:3}" 3<&"$1" 4>&"$2"', 'bash'),
                *map(str, theirs),
                *(program, '--headless', '--no-sandbox', '--disable-gpu'),
                *('--remote-debugging-pipe', f'--user-data-dir={folder}'),
                'about:blank',
            ],
            pass_fds=theirs,
            stderr=subprocess.DEVNULL,
        )
        for fd in (*theirs, pairs[0][0], pairs[1][1]):
            os.close(fd)
        self._read, self._write = pairs[1][0], pairs[0][1]
        self._buffer = b''
        self._number = 0
        self._session: str | None = None
        self._events: list[str] = []
        pages = self.send('Target.getTargets')['targetInfos']
        page = next(t['targetId'] for t in pages if t['type'] == 'page')
        self._session = self.send(
            'Target.attachToTarget', targetId=page, flatten=True
        )['sessionId']
        self.send('Page.enable')
        self.send('Runtime.enable')

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its result."""
        self._number += 1
        message = {'id': self._number, 'method': method, 'params': parameters}
        if self._session:
            message['sessionId'] = self._session
        os.write(self._write, json.dumps(message).encode() + b'\0')
        while True:
            answer = self._next()
            if answer.get('id') == self._number:
                assert 'error' not in answer, answer
                return answer['result']

    def _next(self) -> dict[str, Any]:
        while b'\0' not in self._buffer:
            data = os.read(self._read, 1 << 20)
            assert data, 'Chromium ended'
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b'\0')
        answer = json.loads(message)
        self._events.append(answer.get('method', ''))
        assert answer.get('method') != 'Runtime.exceptionThrown', answer
        return answer

    def open(self, path: Path) -> None:
        """Open or reload a page and wait until it is loaded."""
        self._events.clear()
        self.send('Page.navigate', url=path.as_uri())
        while 'Page.loadEventFired' not in self._events:
            self._next()

    def value(self, expression: str) -> Any:
        """The value of an expression, or of the promise that it gives."""
        result = self.send(
            'Runtime.evaluate',
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
            userGesture=True,
        )
        assert 'exceptionDetails' not in result, result
        return result['result'].get('value')

    def press(self, *keys: str, shift: bool = False) -> None:
        """Press and release keys, one after the other."""
        for key in keys:
            text, code = _NAMED.get(key, (key, ord(key[0].upper())))
            event = {'key': key, 'windowsVirtualKeyCode': code}
            event['modifiers'] = 8 * shift
            kind = 'keyDown' if text else 'rawKeyDown'
            self.send('Input.dispatchKeyEvent', type=kind, text=text, **event)
            self.send('Input.dispatchKeyEvent', type='keyUp', **event)

    def resize(self, width: int, height: int) -> None:
        """Set the size of the viewport in pixels."""
        self.send(
            'Emulation.setDeviceMetricsOverride',
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def save_screenshot(self, path: Path) -> None:
        """Save what the viewport shows as a PNG."""
        data = self.send('Page.captureScreenshot')['data']
        path.write_bytes(base64.b64decode(data))

    def download(self, expression: str) -> tuple[str, str]:
        """Name and text of the file that an expression makes a page save."""
        self.downloads.mkdir(exist_ok=True)
        self.send(
            'Page.setDownloadBehavior',
            behavior='allow',
            downloadPath=str(self.downloads),
        )
        self.value(expression)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            for path in self.downloads.iterdir():
                if path.suffix in ('.csv', '.json'):
                    text = path.read_text()
                    path.unlink()
                    return path.name, text
            time.sleep(0.05)
        raise AssertionError('no file was saved')

    def close(self) -> None:
        """End the browser."""
        self._session = None
        self.send('Browser.close')
        self._process.wait(30)
        os.close(self._read)
        os.close(self._write)


@pytest.fixture
def browser(tmp_path):
    program = shutil.which('chromium')
    if program is None:
        pytest.skip('chromium is absent')
    result = Browser(program, tmp_path / 'browser')
    yield result
    result.close()


@pytest.fixture
def audit(photographs):
    """110 findings in 22 images of ten photographs.

    The id of the first image and the last class try to break the page.
    """
    classes = ['cat', 'person', NASTY]
    rng = np.random.default_rng(0)
    paths = sorted(photographs.glob('JPEGImages/*.jpg'))
    images, findings = {}, []
    for i in range(22):
        image_id = NASTY if i == 0 else f'folder/{i:02d}'
        path = paths[i % len(paths)]
        height, width = cv2.imread(str(path)).shape[:2]
        x, y = rng.uniform(0, 0.4, 2) * (width, height)
        box = [x, y, x + width / 3, y + height / 2]
        boxes = [
            {'box': box, 'class': classes[i % 2], 'id': 1000 + i},
            {'box': [0, 0, width, 30], 'class': NASTY, 'id': None},
        ]
        images[image_id] = dict(
            path=str(path), size=[height, width], boxes=boxes
        )
        region = dict(box_index=None, box_id=None)
        region |= {'class': classes[0] if i % 3 else None}
        region['box'] = [1.5, 2.25, 40, 50 + i]
        found = [dict(mode='missing', **region)]
        for index, item in enumerate(boxes):
            entry = dict(box_index=index, box_id=item['id'], box=item['box'])
            entry['class'] = item['class']
            found += [
                dict(mode=mode, **entry) for mode in ('merged', 'misaligned')
            ]
        for finding in found:
            finding |= dict(image_id=image_id, score=rng.uniform())
            finding['suggestion'] = None
            if finding['mode'] == 'misaligned':
                finding['suggestion'] = [3, 4, 20.5, 30]
            finding['reason'] = f'{NASTY} {i % 5} px.'
        findings += found
    findings.sort(key=lambda finding: -finding['score'])
    return dict(
        version=1,
        classes=classes,
        num_images=len(images),
        num_boxes=44,
        options={'note': NASTY},
        images=images,
        findings=findings,
    )
