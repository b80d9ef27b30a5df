"""Tasks and keys, the store of results, and the run that computes what is missing."""
