from argparse import ArgumentParser, Namespace

import pytest
import torch

from box2seg_mmseg.boxes import VOC_CLASSES
from box2seg_mmseg.command_line import (
    add_device_option,
    check_network_classes,
)
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.installed import find_config

CLASSES_20 = find_config(
    'miniature/grabcut_upernet_effnet-lite2_1xb8-800_voc-mini-256x256.py'
)
ONE_CLASS = find_config(
    'voc-mini-1class/'
    'grabcut_upernet_effnet-lite2_1xb8-800_voc-mini-1class-256x256.py'
)


def test_a_network_is_for_the_classes_of_its_training(tmp_path):
    def check(config, classes, allow_one_class, trained=VOC_CLASSES):
        path = tmp_path / 'iter_1.pth'
        meta = dict(dataset_meta=dict(classes=('background', *trained)))
        torch.save(dict(state_dict={}, meta=meta), path)
        args = Namespace(
            config=config, checkpoint=path, trust_checkpoint=False
        )
        check_network_classes(args, classes, allow_one_class)

    check(CLASSES_20, VOC_CLASSES, allow_one_class=False)
    check(ONE_CLASS, VOC_CLASSES, allow_one_class=True)
    check(ONE_CLASS, ['mug'], False, trained=['mug'])
    for config, classes, allowed in (
        (CLASSES_20, VOC_CLASSES[::-1], True),
        (CLASSES_20, VOC_CLASSES[:-1], True),
        (ONE_CLASS, VOC_CLASSES, False),
    ):
        with pytest.raises(UsageError, match='not those of the boxes: class '):
            check(config, classes, allowed)


@pytest.mark.parametrize('device', ['gpu0', 'cuda:99x'])
def test_a_device_that_is_not_there_is_wrong_use(device, capsys):
    parser = ArgumentParser()
    add_device_option(parser)
    assert parser.parse_args([]).device == 'cpu'
    with pytest.raises(SystemExit) as exit_:
        parser.parse_args(['--device', device])
    assert exit_.value.code == 2
    assert f'argument --device: {device}: torch ' in capsys.readouterr().err
