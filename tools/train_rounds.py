"""Train, label and train again: better pseudo labels in rounds, cross-fitted.

In each round, the training images of CONFIG are divided into folds. For each
fold, a network is trained on the other folds with the newest labels, and
refines the labels of this fold's images, which it has not seen. The last
network is trained on all images with the last round's labels, unless
--no-final is given.

The boxes, the split and the classes are those of CONFIG's training data. Each
training is a call of the stock train.py. The same command resumes an
interrupted run.
WORK_DIR gets folds/, for each round round1/fold0 and so on and round1/labels,
and for the last network final/ in the folder of the last round.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from box2seg_mmseg.command_line import (
    add_device_option,
    add_refinement_options,
    positive_int,
    run,
)
from box2seg_mmseg.files import existing_folder


def main(args: Namespace) -> int:
    """Run the rounds and the last training."""
    # torch is imported only now, so that --help is fast.
    from box2seg_mmseg.apis.training_rounds import TrainingRounds

    existing_folder(args.labels)
    command = TrainingRounds.train_command
    if args.processes > 1:
        command = [command[0], '-m', 'torch.distributed.run']
        command += ['--nproc_per_node', str(args.processes)]
        command += ['-m', 'box2seg_mmseg']
    rounds = TrainingRounds(
        args.config,
        args.labels,
        args.work_dir,
        args.folds,
        args.rounds,
        args.cfg_options,
        dict(
            crf=not args.no_crf,
            tightness=args.tightness,
            device=args.device,
        ),
        args.final_config,
        command,
        ['--launcher', 'pytorch'] if args.processes > 1 else [],
    )
    print(f'labels: {rounds.run()}')
    if not args.no_final:
        print(f'network: {rounds.train_final()}')
    return 0


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    result.add_argument('config', help='config of the network')
    result.add_argument(
        '--labels',
        required=True,
        metavar='DIR',
        help="folder of the first labels, such as GrabCut's",
    )
    result.add_argument(
        '--work-dir', required=True, metavar='DIR', help='folder to write to'
    )
    final = result.add_mutually_exclusive_group()
    final.add_argument(
        '--final-config',
        metavar='CONFIG',
        help='config of the last training, on the same data (default: CONFIG)',
    )
    final.add_argument(
        '--no-final',
        action='store_true',
        help='stop after the labels of the last round',
    )
    result.add_argument(
        '--folds',
        type=positive_int,
        default=2,
        help='parts of the split; 1 lets a network label the images that it '
        'was trained on (default: %(default)s)',
    )
    result.add_argument(
        '--rounds',
        type=positive_int,
        default=1,
        help='number of rounds (default: %(default)s)',
    )
    add_refinement_options(result)
    result.add_argument(
        '--processes',
        type=positive_int,
        default=1,
        help='processes of each training, such as one per GPU '
        '(default: %(default)s)',
    )
    add_device_option(
        result,
        'torch device that makes the labels, such as cuda; the trainings '
        'choose theirs themselves (default: %(default)s)',
    )
    result.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='overrides of both configs, as of the stock train.py',
    )
    return result


if __name__ == '__main__':
    run(main, parser())
