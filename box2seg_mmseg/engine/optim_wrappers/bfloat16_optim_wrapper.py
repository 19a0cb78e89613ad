"""bfloat16 autocast on any device, including the CPU."""

import logging
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmseg.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Runs the forward pass under bfloat16 autocast where that is faster.

    mmengine's AmpOptimWrapper does not support the CPU. bfloat16 has the range
    of float32, so the loss is not scaled. Weights and optimizer state stay in
    float32.

    A CPU without bfloat16 instructions emulates them, many times slower than
    float32. On such a CPU the model is trained in float32 instead, and a
    warning in the log says so.

    Args:
        emulate: Use autocast even on such a CPU.
        **kwargs: As for mmengine's ``OptimWrapper``.
    """

    def __init__(self, emulate: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.emulate = emulate
        self._warned = False

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enable autocast on the device of the model."""
        device = next(model.parameters()).device.type
        fast = device != 'cpu' or has_bfloat16_instructions()
        if not fast and not self.emulate and not self._warned:
            print_log(
                'This CPU has no bfloat16 instructions: training in float32. '
                'Figures may differ in the last digits from a machine that '
                'has them.',
                logger='current',
                level=logging.WARNING,
            )
            self._warned = True
        with (
            super().optim_context(model),
            torch.autocast(
                device, dtype=torch.bfloat16, enabled=fast or self.emulate
            ),
        ):
            yield


def has_bfloat16_instructions() -> bool:
    """Whether this CPU has bfloat16 instructions and need not emulate them."""
    if platform.machine() not in ('x86_64', 'AMD64'):
        mkldnn = torch.backends.mkldnn.is_available()
        return mkldnn and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    # On x86 mkldnn says yes for every AVX-512 CPU, even where it emulates.
    # Versions of torch without these functions train in float32.
    questions = ('_is_avx512_bf16_supported', '_is_amx_tile_supported')
    return any(getattr(torch.cpu, question, bool)() for question in questions)
