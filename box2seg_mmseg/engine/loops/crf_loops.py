"""Test and validation in which the CRF overlaps with the network."""

from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from mmengine.runner import TestLoop, ValLoop, autocast
from mmseg.registry import LOOPS

from ...models.post_processing import finish
from ..bare_model import bare_model

_AHEAD = 8  # batches that the network may be ahead of the CRF


class _CRFLoopMixin:
    """Judges a batch some batches after the network has predicted it."""

    _stage: str

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: Sequence[dict]) -> None:
        """Predict a batch, and judge those whose time has come.

        Args:
            idx: Place of the batch in the data loader.
            data_batch: The batch.
        """
        if idx == 0:
            self._queue = deque()
        model = self.runner.model
        crf = getattr(bare_model(model), 'crf', None)
        self.runner.call_hook(
            f'before_{self._stage}_iter', batch_idx=idx, data_batch=data_batch
        )
        with (
            autocast(enabled=self.fp16),
            nullcontext([]) if crf is None else crf.deferred() as pending,
        ):
            outputs = getattr(model, f'{self._stage}_step')(data_batch)
        self._queue.append((idx, data_batch, outputs, pending))
        is_last = idx == len(self.dataloader) - 1
        while len(self._queue) > (0 if is_last else _AHEAD):
            self._judge(*self._queue.popleft())

    def _judge(self, idx, data_batch, outputs, pending) -> None:
        finish(pending)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook(
            f'after_{self._stage}_iter',
            batch_idx=idx,
            data_batch=data_batch,
            outputs=outputs,
        )


@LOOPS.register_module()
class CRFTestLoop(_CRFLoopMixin, TestLoop):
    """mmengine's TestLoop that does not wait for each CRF.

    With ``test_cfg.crf.workers`` of the model the CRF of an image runs while
    the network predicts the next ones. Use it as
    ``test_cfg=dict(type='CRFTestLoop')`` of the runner.
    """

    _stage = 'test'


@LOOPS.register_module()
class CRFValLoop(_CRFLoopMixin, ValLoop):
    """mmengine's ValLoop that does not wait for each CRF.

    See :class:`CRFTestLoop`.
    """

    _stage = 'val'
