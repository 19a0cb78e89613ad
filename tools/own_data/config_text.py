"""Writes configs: a shipped one in one file, or one for the user's data."""

import shlex
from pathlib import Path

from box2seg_mmseg.files import replacing
from box2seg_mmseg.id_lists import write_lines
from box2seg_mmseg.installed import find_config

from .box_formats import FORMATS
from .folder import OwnData

BASE = 'custom/box2seg_upernet_mobilenet-v2_1xb8-800_custom-256x256.py'
"""The shipped config that configs for own data inherit."""

_TEMPLATE = """\
# Written by `box2seg config`; edit it as you like. Make the pseudo labels with
# {label_command}
_base_ = 'box2seg_mmseg::{base}'
data_root = {data_root!r}
classes = [
    'background',
{classes}]
train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file={split!r},
        data_prefix=dict(img_path={image_dir!r}),
{suffix}\
{box_source}\
        metainfo=dict(classes=classes),
        pseudo_label_dir={label_dir!r},
    )
)
# For `box2seg test`, given masks of the images in val.txt.
test_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        data_prefix=dict(
            img_path={image_dir!r}, seg_map_path='SegmentationClass'
        ),
{test_suffix}\
        metainfo=dict(classes=classes),
    )
)
model = dict(
    decode_head=dict(
        decoder=dict(num_classes=len(classes), out_channels=len(classes))
    )
)
"""


def write_shipped_config(name: str | Path, out: str | Path) -> None:
    """Write a config with all that it inherits into one file.

    mmseg's own ``tools/train.py`` takes the file; ``custom_imports`` in it
    imports this package.

    Args:
        name: A config as :func:`box2seg_mmseg.installed.find_config` takes it.
        out: The file to write.

    Raises:
        UsageError: There is no such config.
    """
    from mmengine.config import Config  # only here: --help is fast

    config = Config.fromfile(find_config(name))
    with replacing(out) as part:
        part.write_text(config.pretty_text, encoding='utf-8')


def write_own_config(data: OwnData, out: str | Path) -> list[str]:
    """Write a config for the user's data, and the lists that it needs.

    The split file and the class file are written if they do not exist.

    Args:
        data: From :func:`own_data.folder.find_own_data`.
        out: The file to write.

    Returns:
        What was written, one line each.
    """
    lines = []
    for path, names in (
        (data.split, data.image_ids),
        (data.class_file, data.classes),
    ):
        if not path.exists():
            write_lines(path, names)
            lines.append(f'wrote {path} ({len(names)} lines)')
    format = FORMATS[data.format]
    source = dict(type=format.type)
    if data.box_file is not None:
        source[format.file_argument] = _below(data.root, data.box_file)
    suffix, *others = data.image_suffixes
    text = _TEMPLATE.format(
        label_command=_label_command(data),
        base=BASE,
        data_root=str(data.root),
        classes=''.join(f'    {name!r},\n' for name in data.classes),
        split=_below(data.root, data.split),
        image_dir=data.image_dir,
        suffix=_suffix_line(None if others else suffix),
        test_suffix=_suffix_line(data.test_suffix),
        # VOC's XML is the format of the shipped config.
        box_source=''
        if data.format == 'voc'
        else f'        box_source={source},\n',
        label_dir=str(_label_dir(data)),
    )
    with replacing(out) as part:
        part.write_text(text, encoding='utf-8')
    return [*lines, f'wrote {out}']


def next_commands(data: OwnData, config: Path) -> list[str]:
    """The commands that check the data, make the pseudo labels and train.

    Args:
        data: What :func:`write_own_config` took.
        config: The file that it wrote.
    """
    train = ['box2seg', 'train', str(config)]
    train += ['--work-dir', f'work_dirs/{config.stem}']
    return [
        shlex.join(['box2seg', 'check_dataset', *_data_arguments(data)]),
        _label_command(data),
        shlex.join(train),
    ]


def _suffix_line(suffix: str | None) -> str:
    return '' if suffix is None else f'        img_suffix={suffix!r},\n'


def _label_dir(data: OwnData) -> Path:
    return data.root / 'pseudo_labels'


def _label_command(data: OwnData) -> str:
    command = ['box2seg', 'generate_pseudo_labels', *_data_arguments(data)]
    return shlex.join([*command, '--out', str(_label_dir(data))])


def _data_arguments(data: OwnData) -> list[str]:
    """The folder and the options of all tools that read boxes."""
    result = [data.root, '--format', data.format, '--split', data.split]
    result += ['--classes', data.class_file, '--image-dir', data.image_dir]
    if FORMATS[data.format].needs_suffix:
        result += ['--image-suffix', *data.image_suffixes]
    if data.box_file is not None:
        result += [FORMATS[data.format].file_option, data.box_file]
    return list(map(str, result))


def _below(root: Path, path: Path) -> str:
    """A path relative to the folder if it is below it."""
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
