"""What every room may use: the artifact store, progress, the host."""
