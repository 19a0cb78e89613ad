"""The commands of docs/openimages.md but for those on GPUs, literally."""

import csv

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from mmengine.config import Config

from box2seg_mmseg.boxes import COCOJSON, OPEN_IMAGES_TO_VOC, VOC_CLASSES
from box2seg_mmseg.models.checkpoints import load_checkpoint_file

GROUP = '000000000049', 3  # the image, and the number of the box
# Each VOC class has one OpenImages class here.
NAMES = {voc: name for name, voc in OPEN_IMAGES_TO_VOC.items()}
COLUMNS = [
    *('ImageID', 'Source', 'LabelName', 'Confidence'),
    *('XMin', 'XMax', 'YMin', 'YMax'),
    *('IsOccluded', 'IsTruncated', 'IsGroupOf', 'IsDepiction', 'IsInside'),
]


@pytest.fixture
def open_images(data_dir, tmp_path):
    """Photographs of coco-mini in the format of OpenImages."""
    root = data_dir / 'coco-mini'
    codes = {name: f'/m/{i:04}' for i, name in enumerate(NAMES.values())}
    with (tmp_path / 'oidv7-class-descriptions-boxable.csv').open('w') as file:
        rows = ((code, name) for name, code in codes.items())
        csv.writer(file).writerows([('LabelName', 'DisplayName'), *rows])
    images = tmp_path / 'images/train'
    images.mkdir(parents=True)
    ids = (root / 'train.txt').read_text().split()[:8]
    with (tmp_path / 'oidv6-train-annotations-bbox.csv').open('w') as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for item in COCOJSON(root).read(ids):
            (images / f'{item.image_id}.jpg').symlink_to(item.image_path)
            height, width = item.size
            for k, (label, (x1, y1, x2, y2)) in enumerate(
                zip(item.labels, item.boxes, strict=True)
            ):
                code = codes[NAMES[VOC_CLASSES[label - 1]]]
                box = (x1 / width, x2 / width, y1 / height, y2 / height)
                flags = (0, 0, int((item.image_id, k) == GROUP), 0, 0)
                writer.writerow(
                    [item.image_id, 'xclick', code, 1, *box, *flags]
                )
    return ids


@pytest.fixture
def few_of_voc_mini(data_dir, tmp_path):
    """data/voc-mini, with a few ids in its splits."""
    source, root = data_dir / 'voc-mini', tmp_path / 'data/voc-mini'
    splits = 'ImageSets/Segmentation'
    (root / splits).mkdir(parents=True)
    for name in ('JPEGImages', 'Annotations', 'SegmentationClass'):
        (root / name).symlink_to(source / name)
    for name in ('train', 'val'):
        ids = (source / splits / f'{name}.txt').read_text().split()[:4]
        (root / splits / f'{name}.txt').write_text('\n'.join(ids))


@pytest.mark.slow
def test_from_the_csv_to_the_fine_tuned_network(
    open_images, few_of_voc_mini, page_blocks, follow, tmp_path
):
    commands, on_gpus, on_a_cpu = page_blocks('openimages.md')
    assert all(
        '--device cuda' in one or one.startswith('torchrun') for one in on_gpus
    )
    follow(commands)
    split = tmp_path / 'data/openimages/ImageSets/Segmentation/train.txt'
    chosen = split.read_text().split()
    assert chosen and set(chosen) == set(open_images) - {GROUP[0]}
    labels = tmp_path / 'data/pseudo_labels/openimages'
    assert sorted(p.stem for p in labels.glob('*.png')) == sorted(chosen)

    follow(on_a_cpu)
    labels = tmp_path / 'work_dirs/openimages-cpu/round1/labels'
    assert sorted(p.stem for p in labels.glob('*.png')) == sorted(chosen)
    assert not (tmp_path / 'work_dirs/openimages-cpu/round1/final').exists()
    with (tmp_path / 'audits/openimages-cpu/findings.csv').open() as file:
        assert {row['image_id'] for row in csv.DictReader(file)} == set(chosen)
    (config,) = (tmp_path / 'work_dirs/pretrained').glob('*.py')
    config = Config.fromfile(config)
    assert config.model.decode_head.ignore_suspects == dict(threshold=0.2)
    data = config.train_dataloader.dataset
    assert data.data_root == 'data/openimages'
    assert tmp_path / data.pseudo_label_dir == labels
    # The fine-tuning starts from what the pre-training has learned.
    key = 'decode_head.seg_decoder.conv_seg.weight'
    before, after = (
        load_checkpoint_file(path).state_dict[key]
        for run in ('pretrained', 'finetuned')
        for path in (tmp_path / f'work_dirs/{run}').glob('iter_*.pth')
    )
    cosine = F.cosine_similarity(before.flatten(), after.flatten(), dim=0)
    assert cosine > 0.9 and not torch.equal(before, after)


def test_a_group_is_at_the_top_of_the_audit(
    open_images, untrained_round, run_tool_here, tmp_path, monkeypatch
):
    from box2seg_mmseg.audit import box_corrector

    monkeypatch.setattr(box_corrector, '_MOST_ITERATIONS', 2)
    split = tmp_path / 'all.txt'
    split.write_text('\n'.join(open_images))
    classes = tmp_path / 'classes.txt'
    classes.write_text('\n'.join(NAMES[voc] for voc in VOC_CLASSES))
    done = run_tool_here(
        'audit_boxes.py',
        *(untrained_round(open_images), tmp_path, '--split', split),
        *('--format', 'openimages', '--image-dir', 'images/train'),
        *('--classes', classes, '--out', tmp_path / 'audit'),
    )
    assert done.returncode == 0, done.stderr
    with (tmp_path / 'audit/findings.csv').open(newline='') as file:
        merged = [r for r in csv.DictReader(file) if r['mode'] == 'merged']
    assert (merged[0]['image_id'], int(merged[0]['box_index'])) == GROUP
    assert merged[0]['reason'] == 'Marked as a group or crowd'
    assert float(merged[0]['score']) == 1 > float(merged[1]['score'])
