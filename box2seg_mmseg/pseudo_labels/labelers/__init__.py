"""The pseudo labelers, one file each, and what they share."""
