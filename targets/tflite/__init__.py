"""TFLite: our own lowering from ONNX to a flatbuffer, LiteRT's interpreter and LiteRT's quantizer."""

from ghostface_edge.targets.tflite.target import TfliteTarget

__all__ = ["TfliteTarget"]
