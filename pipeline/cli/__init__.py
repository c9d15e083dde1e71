"""The command line: one module per group of verbs, thin over the functions that do the work."""
