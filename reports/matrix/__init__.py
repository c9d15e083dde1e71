"""Many runs as one: which cells a plan had, what became of each, and what its tasks took."""
