"""What a decode head does if a run has several processes."""

from collections.abc import Sequence

import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor


def average_over_processes(
    results: dict[str, Tensor], outputs: Sequence[Tensor]
) -> dict[str, Tensor]:
    """Average losses and statistics over the processes of a run.

    mmengine logs what the first process computes. Here every process gets the
    mean value over all of them, by one collective operation for all values
    together. The gradients of a loss stay those of the process's own batch:
    DistributedDataParallel averages them.

    DistributedDataParallel also needs a gradient for every parameter. An
    output that no loss of this step reads, such as the classes in a warm-up
    of the attention alone, therefore gets the gradient 0.

    Args:
        results: Losses and statistics by name, with the same names in each
            process.
        outputs: All outputs of the decoders.

    Returns:
        The averages; with one process, ``results`` itself.
    """
    if get_world_size() == 1:
        return results
    values = [value.detach().float().mean() for value in results.values()]
    means = torch.stack(values)
    all_reduce(means, op='mean')
    averages = dict(zip(results, means.unbind(), strict=True))
    # The gradient of an empty sum is 0, whatever the outputs are.
    nothing = sum(output.flatten()[:0].sum() for output in outputs)
    for name, value in results.items():
        if 'loss' in name:  # as mmengine finds what to add up
            own = value.mean() + nothing
            averages[name] = averages[name] + (own - own.detach())
    return averages
