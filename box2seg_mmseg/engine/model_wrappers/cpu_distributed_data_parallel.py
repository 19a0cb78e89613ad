"""Training with several processes on CPUs."""

from typing import Any

from mmengine.dist import all_reduce_params
from mmengine.model import MMDistributedDataParallel, revert_sync_batchnorm
from mmengine.optim import OptimWrapper
from mmengine.registry import MODEL_WRAPPERS
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


# In mmengine's own registry, because the runner looks up the class there.
@MODEL_WRAPPERS.register_module()
class CPUDistributedDataParallel(MMDistributedDataParallel):
    """mmengine's MMDistributedDataParallel for processes without a GPU.

    A config chooses it with ``model_wrapper_cfg``; its
    ``env_cfg.dist_cfg.backend`` is ``gloo``.

    SyncBN runs on GPUs only. As mmengine does for a single process, the
    wrapper replaces it by BN, so that each process normalises with the mean
    and variance of its own images. After each training step the running mean
    and variance are averaged over the processes: all processes validate the
    same model, which is the one in the checkpoint.

    Args:
        module: The model.
        device_ids: Not used. mmengine passes the number of a GPU.
        **kwargs: As for MMDistributedDataParallel.
    """

    def __init__(
        self,
        module: nn.Module,
        device_ids: list[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(revert_sync_batchnorm(module), **kwargs)

    def train_step(
        self, data: dict | tuple | list, optim_wrapper: OptimWrapper
    ) -> dict[str, Tensor]:
        """Train on a batch, then average the running statistics of BN."""
        log_vars = super().train_step(data, optim_wrapper)
        statistics = [
            values
            for layer in self.module.modules()
            if isinstance(layer, _BatchNorm) and layer.track_running_stats
            for values in (layer.running_mean, layer.running_var)
        ]
        if statistics:
            all_reduce_params(statistics, op='mean')
        return log_vars
