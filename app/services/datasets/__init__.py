"""Datasets, their members and categories, their counters, and numbers about them."""
