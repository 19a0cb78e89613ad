"""Bring VOC 2012, OpenImages or COCO to the layout that the configs read."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from preparation import coco_command, openimages_command, voc_command

from box2seg_mmseg.command_line import run

COMMANDS = dict(
    voc=voc_command, openimages=openimages_command, coco=coco_command
)


def main(args: Namespace) -> int:
    """Run the subcommand."""
    return COMMANDS[args.dataset].main(args)


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    commands = result.add_subparsers(dest='dataset', required=True)
    for name, command in COMMANDS.items():
        command.add_arguments(
            commands.add_parser(
                name,
                help=command.__doc__.partition('\n')[0],
                description=command.__doc__,
                formatter_class=RawDescriptionHelpFormatter,
            )
        )
    return result


if __name__ == '__main__':
    run(main, parser())
