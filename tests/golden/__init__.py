"""A site of stored arrays: what it says is compared with what it said before."""
