"""The quantized network in PyTorch, as runtimes will run it: programs, quantizers, error statistics, QDQ models out."""
