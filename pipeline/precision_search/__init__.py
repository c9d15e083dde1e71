"""The search for the precision that is fastest where, as measured on this host."""
