"""Training: faces of known people in, a GhostFaceNet's weights out."""
