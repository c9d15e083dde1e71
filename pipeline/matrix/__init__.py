"""Many runs on many machines: a plan becomes cells, what they share becomes tasks, Dask runs them."""
