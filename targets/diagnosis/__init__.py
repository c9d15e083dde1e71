"""Why a device's embeddings are not this host's: the first tensor that differs, and the cause that explains it."""
