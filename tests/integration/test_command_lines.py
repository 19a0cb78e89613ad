import json
import re
import shutil
from pathlib import Path

import pytest

from box2seg_mmseg.boxes import VOCXML

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / 'tools'
(BOX2SEG_CONFIG,) = ROOT.glob('configs/scenes/box2seg_*.py')

TOOL_NAMES = sorted(
    path.name
    for path in TOOLS.rglob('[!_]*.py')
    if "if __name__ == '__main__'" in path.read_text()
)


@pytest.mark.parametrize('tool', TOOL_NAMES)
def test_help_and_wrong_use(tool, run_tool_here):
    done = run_tool_here(tool, '--help')
    assert done.returncode == 0 and len(done.stdout.splitlines()) > 8
    done = run_tool_here(tool, '--no-such-option')
    assert done.returncode == 2 and 'error:' in done.stderr


@pytest.fixture
def classes(tmp_path):
    path = tmp_path / 'classes.txt'
    path.write_text('disk\nring\nstar\nlollipop\nframe\n')
    return path


def test_labels_are_made_and_judged(run_tool, scenes, classes, tmp_path):
    split = scenes / 'ImageSets/Segmentation/val.txt'
    common = ('--split', split, '--classes', classes)
    out = tmp_path / 'labels'
    done = run_tool(
        'generate_pseudo_labels.py', scenes, *common, '--out', out,
        *('--workers', 1),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '4 images' in done.stdout and '100%' in done.stderr
    report = tmp_path / 'report.json'
    done = run_tool(
        'evaluate_pseudo_labels.py', out, scenes / 'SegmentationClass',
        *common, '--json', report,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    content = json.loads(report.read_text())
    assert f'{content["mIoU"]:.1f}' in done.stdout
    assert set(content['IoU']) == {
        'background', 'disk', 'ring', 'star', 'lollipop', 'frame',
    }  # fmt: skip
    # VOC's classes, in place of those that the labels were made for.
    done = run_tool(
        'evaluate_pseudo_labels.py', out, scenes / 'SegmentationClass',
        '--split', split,
    )  # fmt: skip
    assert done.returncode == 1
    assert 'class 1 was ' in done.stderr and 'aeroplane' in done.stderr


def test_labels_are_judged_without_training(run_tool, data_dir, tmp_path):
    root, split = data_dir / 'voc-mini', tmp_path / 'split.txt'
    split.write_text('aeroplane_1001\naeroplane_1002\n')
    common = (
        'evaluate_no_train.py', root, '--split', split, '--method',
        *('box_fill', '--json', tmp_path / 'a.json', '--workers', 1),
    )  # fmt: skip
    done = run_tool(*common)
    assert done.returncode == 0, done.stderr
    from_boxes = json.loads((tmp_path / 'a.json').read_text())
    assert f'{from_boxes["mIoU"]:.1f}' in done.stdout
    done = run_tool(
        *common, '--format', 'detections', '--score-threshold', '0.95',
        *('--sweep', '0.3', '0.5', '--csv', tmp_path / 'a.csv'),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / 'a.json').read_text())
    found = {r['score_threshold']: r['mIoU'] for r in content['sweep']}
    assert set(found) == {0.3, 0.5, 0.95}
    assert content['fixed']['mIoU'] == found[0.95] < max(found.values())
    assert content['best']['mIoU'] == max(found.values())
    header = (tmp_path / 'a.csv').read_text().splitlines()[0]
    assert header.startswith('class,fixed (0.95),best (0.')


def test_methods_are_compared(scenes, classes, tmp_path, run_tool_here):
    masks = scenes / 'SegmentationClass'
    out = tmp_path / 'new folder/page.html'
    command = (
        'compare_methods.py', '--data-root', scenes, '--classes', classes,
        *('--split', scenes / 'ImageSets/Segmentation/val.txt'),
    )  # fmt: skip
    both = ('--prediction', f'A={masks}', f'B={masks}')
    done = run_tool_here(
        *command, *both, '--out', out, '--figure', tmp_path / 'f/f.png'
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r'mIoU +100\.0 +100\.0', done.stdout)
    assert 'added: background pixels labelled as a class' in done.stdout
    assert out.exists() and (tmp_path / 'f/f.png').exists()
    assert 'warning' not in done.stderr

    labels = tmp_path / 'labels'
    labels.mkdir()
    for kept, missing in ((0, 4), (3, 1), (4, 0)):
        for i in range(kept):
            shutil.copy(masks / f'val_{i:04d}.png', labels)
        done = run_tool_here(
            *command, *both, '--out', out, '--pseudo-labels', labels
        )
        assert done.returncode == 0, done.stderr
        warning = f'warning: {labels} has no pseudo label of {missing} of 4 '
        assert (warning in done.stderr) == (missing > 0)
        panels = out.read_text().count('<figcaption>pseudo label<')
        assert panels == kept
    for wrong, message in (
        (('--prediction', f'A={masks}', '--out', out), 'two methods are'),
        ((*both, '--prediction', f'A={masks}', '--out', out), 'two methods h'),
        ((*both, '--out', tmp_path / 'page'), 'must end in .html'),
        ((*both, '--out', tmp_path), 'is a folder; name a file'),
        (('--prediction', 'A=absent', '--out', out), 'absent: no such fo'),
        (('--checkpoint', 'A=absent,b', '--out', out), 'absent: no such fi'),
        (
            ('--checkpoint', f'A={BOX2SEG_CONFIG},b', '--out', out),
            'must be two files',
        ),
    ):
        done = run_tool_here(*command, *wrong)
        assert done.returncode == 2 and message in done.stderr


def test_the_cost_of_labels_is_printed(run_tool, scenes, classes):
    done = run_tool(
        'cost.py', 'labels', scenes, '--classes', classes,
        *('--split', scenes / 'ImageSets/Segmentation/val.txt'),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [li for li in done.stdout.splitlines() if li.startswith('| ')]
    assert '| images/s |' in rows[0]
    exact = [row for row in rows if row.startswith('| numba |')]
    assert exact and all(row.endswith('| 100.0 % |') for row in exact)


def test_bad_annotations_are_listed_and_the_rest_is_labelled(
    run_tool, scenes, classes, tmp_path
):
    root = tmp_path / 'data'
    shutil.copytree(scenes, root)
    (root / 'Annotations/val_0000.xml').unlink()
    (root / 'JPEGImages/val_0001.jpg').write_bytes(b'no image')
    command = (
        'generate_pseudo_labels.py', root,
        *('--split', root / 'ImageSets/Segmentation/val.txt'),
        *('--classes', classes, '--out', tmp_path / 'labels'),
    )  # fmt: skip
    done = run_tool(*command)
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert 'val_0000.xml: no such annotation file' in done.stderr
    done = run_tool(*command, '--skip-bad')
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert '8 annotations read: 7 used, 0 of' in done.stdout  # boxes
    left_out, not_labelled = done.stderr.splitlines()[-2:]
    assert left_out.startswith('left out:') and 'val_0000.xml' in left_out
    assert 'take the image out' in left_out
    assert not_labelled.startswith('not labelled:')
    assert 'val_0001.jpg: not an image file; replace it' in not_labelled
    names = sorted(p.name for p in (tmp_path / 'labels').glob('*.png'))
    assert names == ['val_0002.png', 'val_0003.png']


def test_boxes_of_coco_and_of_detections(
    run_tool, data_dir, tmp_path, run_tool_here
):
    """Run as the documentation says, without further options."""
    for name, kind, ids in (
        ('coco-mini', 'coco', ['000000000030', '000000000036']),
        ('voc-mini', 'detections', ['aeroplane_1001', 'aeroplane_1002']),
    ):
        split = tmp_path / 'split.txt'
        split.write_text('\n'.join(ids))
        out = tmp_path / kind
        done = run_tool(
            'generate_pseudo_labels.py', data_dir / name, '--format', kind,
            *('--split', split, '--out', out, '--workers', 1),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert sorted(p.stem for p in out.glob('*.png')) == ids
        check = (
            'check_dataset.py', data_dir / name, '--format', kind,
            *('--split', split, '--labels', out),
        )  # fmt: skip
        assert '.png: ' not in run_tool_here(*check).stdout
        (out / f'{ids[0]}.png').write_bytes(b'cut')
        done = run_tool_here(*check)
        assert done.returncode == 1
        assert f'{ids[0]}.png: altered or truncated' in done.stdout

        xml_dir = tmp_path / f'{kind}-xml'
        done = run_tool_here(
            'convert_boxes.py', data_dir / name, '--format', kind,
            *('--split', split, '--out', xml_dir),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        lines = (out / 'records.jsonl').read_text().splitlines()
        cuts = {
            r['image_id']: r['filling_rates'] for r in map(json.loads, lines)
        }
        converted = VOCXML(data_dir / name, xml_dir=xml_dir).read(ids)
        counts = [len(item.boxes) for item in converted]
        assert counts == [len(cuts[image_id]) for image_id in ids]
        assert min(counts) > 0


def test_boxes_are_harmed_in_a_folder_of_their_own(
    scenes, classes, tmp_path, run_tool_here
):
    root, out = tmp_path / 'copy', tmp_path / 'harmed'
    shutil.copytree(scenes, root)
    source = root / 'Annotations'
    before = {p.name: p.read_text() for p in source.iterdir()}
    command = (
        'convert_boxes.py', root, '--classes', classes,
        *('--split', root / 'ImageSets/Segmentation/train.txt'),
        *('--noise', 'drop', '--share', 1, '--out'),
    )  # fmt: skip
    done = run_tool_here(*command, out)
    assert done.returncode == 0 and ' boxes -> 0 boxes' in done.stdout
    assert len(list(out.iterdir())) == 16
    assert not any('<object>' in p.read_text() for p in out.iterdir())
    done = run_tool_here(*command, source)
    assert done.returncode == 2 and 'Annotations: --out would' in done.stderr
    assert before == {p.name: p.read_text() for p in source.iterdir()}


def test_an_error_is_one_line_and_a_trace_with_debug(
    run_tool, scenes, tmp_path
):
    classes = tmp_path / 'classes.txt'
    classes.write_text('background\ndisk\n')
    split = scenes / 'ImageSets/Segmentation/val.txt'
    command = ('generate_pseudo_labels.py', scenes, '--split', split)
    command += ('--out', tmp_path / 'labels', '--classes', classes)
    done = run_tool(*command)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert 'error:' in line and 'classes.txt' in line
    assert 'must not name the background' in line
    assert 'Traceback' in run_tool(*command, '--debug').stderr


@pytest.mark.parametrize(
    ('tool', 'arguments'),
    [
        ('convert_backbone.py', ['mobilenet-v2', '--source', 'bad.pth']),
        ('convert_backbone.py', ['mobilenet-v2', '--source', 'bad.whl']),
        ('export_segmentor.py', [BOX2SEG_CONFIG, 'bad.pth', 'out']),
    ],
)
def test_a_file_that_is_no_checkpoint_is_named(
    run_tool, tool, arguments, tmp_path
):
    for name in ('bad.pth', 'bad.whl'):
        (tmp_path / name).write_bytes(b'garbage')
    paths = [
        name if name in ('--source', 'mobilenet-v2') else tmp_path / name
        for name in arguments
    ]
    done = run_tool(tool, *paths)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()[-1:]
    assert 'bad.' in line and 'Traceback' not in done.stderr


def test_wrong_use_exits_with_2(scenes, tmp_path, run_tool_here):
    split = scenes / 'ImageSets/Segmentation/val.txt'
    absent, masks = tmp_path / 'absent', scenes / 'SegmentationClass'
    for command in (
        ('export_segmentor.py', absent, absent, tmp_path),
        ('evaluate_pseudo_labels.py', masks, absent, '--split', split),
        ('evaluate_pseudo_labels.py', absent, masks, '--split', split),
        ('check_dataset.py', scenes, '--split', split, '--labels', absent),
    ):
        done = run_tool_here(*command)
        assert done.returncode == 2 and 'absent: no such f' in done.stderr
    done = run_tool_here(
        'sample_split.py', split, '--share', 1, '--out', split
    )
    assert done.returncode == 2 and 'val.txt: --out would ov' in done.stderr
    common = ('generate_pseudo_labels.py', scenes, '--out', tmp_path)
    for more in (
        ('--split', split, '--workers', 0),
        ('--split', split, '--iterations', 'many'),
        ('--split', tmp_path / 'absent.txt'),
        ('--split', split, '--method', 'box_fill', '--seed', 1),
        ('--split', split, '--scale', 0),
        ('--split', split, '--custom-import', 'no_such_module'),
        ('--split', split, '--classes', tmp_path / 'absent.txt'),
    ):
        done = run_tool_here(*common, *more)
        assert done.returncode == 2 and 'error:' in done.stderr


def test_a_split_must_name_images_once(scenes, tmp_path, run_tool_here):
    for text, message in (('\n', 'names no image'), ('a\na\n', 'names a mo')):
        split = tmp_path / 'split.txt'
        split.write_text(text)
        done = run_tool_here(
            'generate_pseudo_labels.py', scenes, '--split', split,
            *('--out', tmp_path / 'labels'),
        )  # fmt: skip
        assert done.returncode == 1 and message in done.stderr
