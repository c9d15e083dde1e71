"""The ONNX graph: export, canonical form, function-preserving rewrites, parity."""
