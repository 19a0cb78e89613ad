"""What a notebook calls: label, predict, compare, export."""
