"""ONNX Runtime Web: the network in a browser, tried in Node."""

from ghostface_edge.targets.web.target import WEB, WebTarget

__all__ = ["WEB", "WebTarget"]
