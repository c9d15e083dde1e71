"""TensorFlow Lite for Microcontrollers, and Ethos-U NPUs behind it."""

from ghostface_edge.targets.tflite_micro.target import TfliteMicroTarget

__all__ = ["TfliteMicroTarget"]
