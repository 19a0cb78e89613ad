"""Ways to damage an annotation file.

A mutation takes a random generator and the bytes of the file, and returns
other bytes. Those in ENTRY_MUTATIONS damage one entry: one object, annotation,
row or line. They return its place too, so that the others can be compared.
"""

import json
import re
from collections.abc import Callable
from random import Random

# Texts that take the place of a value.
NASTY_TEXTS = (
    '', ' ', '0', '-1', '1e308', '-1e308', '1e-320', '1e39', '9' * 400,
    '9' * 5000, 'nan', 'NaN', 'inf', '-Infinity', '1_0', '0x10', '1,5', '½',
    'true', 'null', 'cat', '../../etc/passwd', '/etc/passwd', 'C:\\a',
    'a\0b', 'x' * 300, 'x' * 200_000, '\ud800', '\r', '\n', '\u2028', '"',
    "'", '<', '&', '%s', '{}', '12.5', '1' * 15, '4294967297',
)  # fmt: skip
NASTY_VALUES = (
    None, True, False, -1, 0, 2**31, 2**63, 10**30, 10**400, 0.5, -0.0, 1e308,
    -1e308, 1e39, float('nan'), float('inf'), [], {}, [[]], [1, 2, 3, 4],
    [0, 0, 1e308, 1e308], [10**400] * 4, ['1'] * 4, [True] * 4, {'a': 1},
    'a', *NASTY_TEXTS[:31],
)  # fmt: skip
XML_HEADS = (
    '<!DOCTYPE a [<!ENTITY b "' + 'x' * 100 + '">'
    + ''.join(f'<!ENTITY b{i} "{"&b;" * 10}">' for i in range(9)) + ']>',
    '<!DOCTYPE a [<!ENTITY x0 "ha">' + ''.join(
        f'<!ENTITY x{i} "{f"&x{i - 1};" * 10}">' for i in range(1, 20)) + ']>',
    '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
    '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///dev/zero"> %p;]>',
    '<?xml version="1.0" encoding="UTF-7"?>',
    '<?xml version="1.0" encoding="zlib"?>',
    '<?xml version="1.0" encoding="undefined"?>',
    '<?xml version="1.1"?>',
)  # fmt: skip
YAML_ENDS = (
    'names: [cat, dog]\n', 'names: [cat, cat]\n', 'names: [background]\n',
    'names: []\n', 'names: cat\n', 'names: 1\n', 'names: {0: cat, 2: dog}\n',
    'names: [yes, no]\n', 'names: [2001-99-99]\n', 'path: 1\n',
    'names: !!python/object/apply:os.system ["true"]\n', 'train: [1]\n',
    'names: &a [*a]\n', 'a: &a [*a, *a]\nnames: [*a]\n', 'path: /\n',
    f'path: {"x" * 5000}\n', 'train: ../..\n', 'train: "a\\0b"\n',
    'names: [' + ', '.join(map(str, range(300))) + ']\n', '? [a]\n: b\n',
    'names: [' + '9' * 5000 + ']\n', 'train: /dev/null\n', '<<: 3\n',
    'a: &a [x, x]\n' + ''.join(
        f'a{i}: &a{i} [{", ".join([f"*a{i - 1}" if i else "*a"] * 9)}]\n'
        for i in range(12)) + 'names: [*a11]\n',
    '- a\n', 'names: {a: {}}\n', '\tnames: 1\n', 'names: [1.5]\n',
    'names: [null]\n', f'train: {"x" * 5000}\n', '{' * 3000, '[' * 3000,
)  # fmt: skip


def truncate(rng: Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data))]


def flip(rng: Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        damaged[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(damaged)


def splice(rng: Random, data: bytes) -> bytes:
    a, b, c = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return rng.choice(
        (
            data[:a] + data[b:],
            data[:c] + data[a:b] + data[c:],
            data[:a] + rng.randbytes(b - a) + data[b:],
            data * 2,
            data[:a] + data[b:c] + data[a:b] + data[c:],
        )
    )


def replace_all(rng: Random, data: bytes) -> bytes:
    return rng.choice(
        (
            b'', b'\n', b'\0', b'\xef\xbb\xbf', b'{}', b'[]', b'null', b'0',
            b'<a/>', b'"', b'[' * 50_000, b'{"a":' * 50_000, b'<a>' * 50_000,
            b'1' * 5000, b'\xff\xfe', b'\x89PNG\r\n\x1a\n',
            rng.randbytes(rng.randrange(1, 4000)),
        )
    )  # fmt: skip


def encode(rng: Random, data: bytes) -> bytes:
    text = data.decode()
    if rng.random() < 0.5:
        text = text.replace('cat', rng.choice(('çat', '猫', 'cat\u0301')))
    kind = rng.choice(('utf-16', 'utf-16-le', 'utf-32', 'utf-8-sig',
                       'latin-1', 'utf-7', 'cp037'))  # fmt: skip
    return text.encode(kind, 'replace')


def change_newlines(rng: Random, data: bytes) -> bytes:
    ends = (b'\r\n', b'\r', b'\n\n', b'\x0b', b'\x0c', b'\x85', b' \n\t')
    return b''.join(line + rng.choice(ends) for line in data.splitlines())


def nest(rng: Random, data: bytes) -> bytes:
    """Deep nesting at the place of a value."""
    depth = rng.choice((10, 300, 900, 960, 980, 990, 2000, 30_000))
    kind = rng.choice(((b'[', b']'), (b'{"a":', b'}'), (b'<a>', b'</a>')))
    inner = kind[0] * depth + b'1' + kind[1] * depth
    values = list(re.finditer(rb'\b[\d.]+\b', data))
    if not values:
        return inner
    place = rng.choice(values)
    return data[: place.start()] + inner + data[place.end() :]


def head(rng: Random, data: bytes) -> bytes:
    """An XML declaration or entities before the root."""
    entity = rng.choice((b'&b8;', b'&x19;', b'&e;', b'&#x0;', b'&lt;', b'1'))
    first = rng.choice(XML_HEADS).encode()
    return first + re.sub(rb'<(xmin|name)>[^<]*', rb'<\1>' + entity, data)


def yaml_end(rng: Random, data: bytes) -> bytes:
    end = rng.choice(YAML_ENDS).encode()
    return end if rng.random() < 0.3 else data + end


def twice(rng: Random, data: bytes) -> bytes:
    """The same key, element or line twice, the second with another value."""
    pairs = list(re.finditer(rb'"\w+": (\[[^][]*\]|[^][,}{]+)', data))
    pairs += re.finditer(rb'<(\w+)>[^<]*</\1>', data)
    pairs = pairs or list(re.finditer(rb'[^\n]+\n', data))
    one = rng.choice(pairs)
    comma = b', ' if one[0].startswith(b'"') else b''
    other = re.sub(rb'\d', lambda _: rng.choice((b'1', b'7')), one[0])
    return data[: one.end()] + comma + other + data[one.end() :]


FILE_MUTATIONS: dict[str, Callable[[Random, bytes], bytes]] = {
    'truncated': truncate,
    'bytes flipped': flip,
    'spliced': splice,
    'other content': replace_all,
    'other encoding': encode,
    'other newlines': change_newlines,
    'deep nesting': nest,
    'key twice': twice,
}


def json_entry(rng: Random, data: bytes) -> tuple[bytes, int]:
    content = json.loads(data)
    entries = content if isinstance(content, list) else content['annotations']
    place = rng.randrange(len(entries))
    entry, kind = entries[place], rng.randrange(4)
    if kind == 0:
        entries[place] = rng.choice(NASTY_VALUES)
    elif kind == 1:
        del entry[rng.choice(list(entry))]
    elif kind == 2:
        entry[rng.choice(list(entry))] = rng.choice(NASTY_VALUES)
    else:
        entry['bbox'][rng.randrange(4)] = rng.choice(NASTY_VALUES)
    return json.dumps(content).encode(), place


def json_value(rng: Random, data: bytes) -> bytes:
    """Another value somewhere among the images and categories."""
    content = json.loads(data)
    parts = (
        content
        if isinstance(content, list)
        else content[rng.choice(('images', 'categories', 'annotations'))]
    )
    if rng.random() < 0.15 and isinstance(content, dict):
        content[rng.choice(list(content))] = rng.choice(NASTY_VALUES)
    else:
        entry = rng.choice(parts)
        entry[rng.choice(list(entry))] = rng.choice(NASTY_VALUES)
    return json.dumps(content).encode()


def _line_entry(
    rng: Random, data: bytes, split: str | None, join: str, first: int
) -> tuple[bytes, int]:
    lines = data.decode().splitlines()
    place = rng.randrange(first, len(lines))
    words = lines[place].split(split)
    at = rng.randrange(len(words))
    kind = rng.randrange(3)
    if kind == 0:
        del words[at]
    else:
        text = rng.choice(NASTY_TEXTS)
        # These would damage other lines too.
        if any(end in text for end in '\n\r\u2028"\ud800'):
            text = '-5'
        words[at : at + (kind == 1)] = [text]
    lines[place] = join.join(words)
    text = '\n'.join(lines) + '\n'
    return text.encode(errors='surrogatepass'), place - first


def csv_entry(rng: Random, data: bytes) -> tuple[bytes, int]:
    return _line_entry(rng, data, ',', ',', 1)


def txt_entry(rng: Random, data: bytes) -> tuple[bytes, int]:
    return _line_entry(rng, data, None, ' ', 0)


def xml_entry(rng: Random, data: bytes) -> tuple[bytes, int]:
    objects = list(re.finditer(rb'<object>.*?</object>', data))
    place = rng.randrange(len(objects))
    one = objects[place]
    values = list(re.finditer(rb'<(\w+)>([^<]*)</\1>', one[0]))
    value = rng.choice(values)
    start, end = value.span()
    text = rng.choice(NASTY_TEXTS).replace('&', '&amp;').replace('<', '&lt;')
    text = text.replace('\0', '?').encode(errors='replace')
    name = value[1]
    new = rng.choice((b'', b'<%s>%s</%s>' % (name, text, name)))
    damaged = one[0][:start] + new + one[0][end:]
    return data[: one.start()] + damaged + data[one.end() :], place


ENTRY_MUTATIONS: dict[str, Callable[[Random, bytes], tuple[bytes, int]]] = {
    '.json': json_entry,
    '.csv': csv_entry,
    '.txt': txt_entry,
    '.xml': xml_entry,
}
