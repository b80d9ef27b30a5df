"""Rendered faces with ground truth: a generator, and the set that ships."""
