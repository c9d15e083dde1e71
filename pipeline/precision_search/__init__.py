"""Which precision is fastest where, as measured on this host."""
