"""INT8 that keeps the accuracy: ranges, correction, distillation, sensitivity, and the QDQ graph that carries them."""
