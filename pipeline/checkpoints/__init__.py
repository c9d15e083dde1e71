"""Trained weights in: one module per file format, one `Checkpoint` out."""
