"""Places where native code runs, here, in another Python or on a board; one protocol of plain messages."""
