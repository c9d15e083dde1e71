"""The GhostFaceNet itself: architecture, PyTorch modules, trained weights in memory, the input it expects."""
