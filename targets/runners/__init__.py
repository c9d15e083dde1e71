"""What ships with a run beside models: golden faces, and small programs that run a model and test themselves."""
