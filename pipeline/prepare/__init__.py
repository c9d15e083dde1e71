"""Rewrites of the canonical float32 graph that keep its function and make it easy to quantize."""
