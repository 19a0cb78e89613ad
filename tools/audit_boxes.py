"""Find the boxes that are probably wrong, without ground truth.

Three errors are looked for: an object without a box (missing), one box around
several objects (merged), and a box that does not fit its object (misaligned).
ROUND is a folder that train_rounds made, such as work_dirs/rounds/round1: each
of its networks judges the images that it was not trained on. Most boxes must
be right, because the tool learns from them what errors look like.

OUT gets audit.html, a page to look through the findings and mark them;
findings.csv, all findings, first the most suspicious of each error, then the
second of each, and so on; images.csv, the worst of each image; and
audit.json, everything. A score can only be compared with others of the same
error. A photograph that cannot be read stops the audit; check_dataset finds
all of them.
"""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections import Counter
from pathlib import Path

from box2seg_mmseg.boxes import ReadingReport
from box2seg_mmseg.command_line import (
    add_box_options,
    add_device_option,
    add_trust_option,
    list_skipped,
    print_report,
    read_box_source,
    read_boxes,
    run,
)
from box2seg_mmseg.files import existing_folder, only_run


def main(args: Namespace) -> int:
    """Audit the boxes and write the files."""
    existing_folder(args.round)
    report = ReadingReport(skip_bad=args.skip_bad)
    annotations, _ = read_boxes(args, report)
    images = list(annotations)
    # torch is imported only now, so that --help is fast.
    from audit.files import write_audit

    from box2seg_mmseg.apis.cross_fitted import CrossFittedNetworks
    from box2seg_mmseg.apis.training_rounds import networks_of_round
    from box2seg_mmseg.audit import audit_boxes
    from box2seg_mmseg.engine.hooks import keep_freed_memory

    keep_freed_memory()
    networks = CrossFittedNetworks(
        *networks_of_round(args.round),
        device=args.device,
        trust=args.trust_checkpoint,
    )
    with only_run(args.out):
        findings = audit_boxes(images, networks, progress=True)
        write_audit(
            findings,
            images,
            read_box_source(args).classes,
            args.out,
            dict(round=str(Path(args.round)), split=args.split),
            progress=True,
        )
    print_report(report)
    counts = Counter(finding.mode for finding in findings)
    for mode, count in sorted(counts.items()):
        worst = next(one for one in findings if one.mode == mode)
        print(
            f'{mode}: {count} scores, the highest {worst.score:.2f} in '
            f'{worst.image_id}'
        )
    print(f'open {Path(args.out, "audit.html")}')
    return list_skipped(report)


def parser() -> ArgumentParser:
    """The command line."""
    result = ArgumentParser(
        description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    result.add_argument(
        'round', help='folder of a round that train_rounds made'
    )
    result.add_argument(
        '--out', required=True, metavar='DIR', help='folder to write to'
    )
    add_device_option(result)
    add_trust_option(result)
    add_box_options(result)
    return result


if __name__ == '__main__':
    run(main, parser())
