"""Find the boxes that are probably wrong, without ground truth."""

from .box_audit import audit_boxes
from .finding import MODES, Finding

__all__ = ['MODES', 'Finding', 'audit_boxes']
