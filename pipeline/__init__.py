"""From a trained checkpoint to deployable models: network, ONNX, stages, command line."""
