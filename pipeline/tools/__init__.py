"""One verb's work on files that the user names: inspect, evaluate, benchmark, quantize, bundle, fetch, align."""
