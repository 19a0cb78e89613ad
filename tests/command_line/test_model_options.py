from argparse import ArgumentParser

import pytest

from box2seg_mmseg.command_line import add_device_option


@pytest.mark.parametrize('device', ['gpu0', 'cuda:99x'])
def test_a_device_that_is_not_there_is_wrong_use(device, capsys):
    parser = ArgumentParser()
    add_device_option(parser)
    assert parser.parse_args([]).device == 'cpu'
    with pytest.raises(SystemExit) as exit_:
        parser.parse_args(['--device', device])
    assert exit_.value.code == 2
    assert f'argument --device: {device}: torch ' in capsys.readouterr().err
