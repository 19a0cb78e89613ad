"""The page of ``tools/audit_boxes.py``."""
