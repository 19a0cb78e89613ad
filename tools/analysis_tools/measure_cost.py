"""Compare Box2Seg with the stock network: time, memory, waits for the GPU.

Measures a training step and a prediction of the config's model, of the same
model with a shared decoder or separate decoders, and of the plain network with
the stock decode head. Images and weights are random. With --workers it also
measures how fast the config's training data is loaded.
"""

from argparse import ArgumentParser, Namespace
from copy import deepcopy

from box2seg_mmseg.command_line import (
    add_device_option,
    positive_int,
    run,
)
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.installed import find_config

DTYPES = ('float32', 'bfloat16', 'float16')


def main(args: Namespace) -> int:
    """Measure and print the table."""
    import torch
    from model_cost import Measurement, loading_seconds

    from box2seg_mmseg.model_config import read_config
    from box2seg_mmseg.models.checkpoints import drop_initial_weights

    cfg = read_config(find_config(args.config))
    model = cfg.model
    head = model.decode_head
    if not isinstance(head, dict) or head.get('type') != 'Box2SegHead':
        raise UsageError(f'{args.config}: decode_head is no Box2SegHead')
    drop_initial_weights(model)
    stock, separate, shared = (deepcopy(model) for _ in range(3))
    stock.decode_head = head.decoder
    separate.decode_head.share_decoder = False
    shared.decode_head.share_decoder = True
    shared.decode_head.pop('branch_decoder', None)
    models = {
        f'stock {head.decoder.type}': stock,
        'Box2Seg, shared decoder': shared,
        'Box2Seg, separate decoders': separate,
    }
    if head.get('branch_decoder'):
        full = deepcopy(separate)
        full.decode_head.pop('branch_decoder')
        models['the same, branches of full width'] = full

    measurement = Measurement(
        args.device,
        getattr(torch, args.dtype),
        (args.size, args.size),
        args.batch_size,
        args.rounds,
    )
    costs = measurement.measure(models)
    is_cuda = torch.device(args.device).type == 'cuda'
    device = torch.cuda.get_device_name(args.device) if is_cuda else 'CPU'
    print(
        f'{device}, {torch.get_num_threads()} threads, torch '
        f'{torch.__version__}, {args.dtype}; batch {args.batch_size} x '
        f'{args.size} px; medians of {args.rounds} rounds\n'
    )
    least = next(iter(costs.values()))
    header = '| model | step, ms | ratio | activations, MiB | ratio '
    print(header + '| prediction, ms |' + is_cuda * ' peak, MiB | waits |')
    print('|---|---:|---:|---:|---:|---:|' + is_cuda * '---:|---:|')
    for name, cost in costs.items():
        line = (
            f'| {name} | {1e3 * cost.step:.0f} | {cost.step / least.step:.2f} '
            f'| {cost.activations:.0f} '
            f'| {cost.activations / least.activations:.2f} '
            f'| {1e3 * cost.predict:.0f} |'
        )
        print(line + is_cuda * f' {cost.peak:.0f} | {cost.waits} |')
    if args.workers:
        seconds = loading_seconds(cfg.train_dataloader, args.workers)
        images = cfg.train_dataloader.batch_size
        print(
            f'\nloading with {args.workers} workers: {1e3 * seconds:.0f} ms '
            f'for a batch of {images}, {1e3 * seconds / images:.0f} ms for '
            'an image'
        )
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(description=__doc__)
    result.add_argument('config', help='config of a Box2Seg model')
    add_device_option(result)
    result.add_argument(
        '--dtype',
        choices=DTYPES,
        default='float32',
        help='the forward pass runs in it; bfloat16 and float16 use autocast '
        '(default: %(default)s)',
    )
    result.add_argument(
        '--workers',
        type=positive_int,
        metavar='N',
        help='also load training data, with N workers',
    )
    for name, default, text in (
        ('size', 512, 'height and width of the images in pixels'),
        ('batch-size', 4, 'images in a training step'),
        ('rounds', 7, 'timed rounds'),
    ):
        result.add_argument(
            f'--{name}',
            type=positive_int,
            default=default,
            metavar='N',
            help=f'{text} (default: %(default)s)',
        )
    return result


if __name__ == '__main__':
    run(main, parser())
