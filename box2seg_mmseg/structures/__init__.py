"""What travels between datasets and models."""
