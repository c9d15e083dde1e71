"""One module or package per runtime: convert, quantize, load, run, inspect."""
