"""Devices: places that models are for, by name."""
