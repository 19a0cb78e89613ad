# ruff: noqa: F401
"""What the command lines in ``tools/`` share."""

from .arguments import (
    check_not_read,
    natural_number,
    out_file,
    positive_int,
    read_classes,
    share,
)
from .box_options import (
    add_box_options,
    add_mask_option,
    list_skipped,
    print_report,
    read_box_source,
    read_boxes,
    read_masks,
)
from .custom_imports import add_custom_imports
from .labeler_options import add_labeler_options, read_labeler
from .labelling import label_split
from .model_options import (
    add_device_option,
    add_model_arguments,
    add_trust_option,
    check_model_files,
)
from .refinement_options import add_refinement_options
from .report_options import add_report_options, write_reports
from .running import run
