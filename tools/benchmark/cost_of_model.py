"""Print what Box2Seg costs over the stock head, on this machine.

Step time and latency of the miniature's models in turn, in one process; time
and memory of the affinity loss in its linear form and pair by pair.
"""

import os
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from model_cost import measure_affinity, measure_models

from box2seg_mmseg.command_line import positive_int, run
from box2seg_mmseg.installed import installed_files

CONFIGS = installed_files('configs') / 'miniature'
MODELS = {
    'UPerHead': 'grabcut_',
    'Box2Seg, separate decoders': 'box2seg_',
    'Box2Seg, shared decoder': 'box2seg-shared_',
}
AFFINITY = (
    ('linear', 8, 128),
    ('linear', 8, 32),
    ('pairs', 8, 32),
    ('linear', 8, 56),
    ('pairs', 8, 56),
)


def main(args: Namespace) -> int:
    """Measure and print two tables."""
    print(f'{os.cpu_count()} cores; medians of {args.rounds} rounds\n')
    configs = {}
    for name, prefix in MODELS.items():
        (configs[name],) = CONFIGS.glob(f'{prefix}*.py')
    costs = measure_models(configs, args.rounds)
    stock = costs['UPerHead']
    print('| model | step, s | ratio | prediction, ms | ratio |')
    print('|---|---:|---:|---:|---:|')
    for name, cost in costs.items():
        step, predict = cost['step'], cost['predict']
        print(
            f'| {name} | {step:.2f} | {step / stock["step"]:.2f} '
            f'| {1e3 * predict:.1f} | {predict / stock["predict"]:.3f} |'
        )
    print('\n| affinity loss | batch x side | loss | time, s | peak, MiB |')
    print('|---|---|---:|---:|---:|')
    for form, batch, side in AFFINITY:
        loss, seconds, memory = measure_affinity(form, batch, side)
        print(
            f'| {form} | {batch} x {side} | {loss:.6f} | {seconds:.3f} '
            f'| {memory:.0f} |'
        )
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    result.add_argument(
        '--rounds', type=positive_int, default=7, help='default: %(default)s'
    )
    return result


if __name__ == '__main__':
    run(main, parser())
