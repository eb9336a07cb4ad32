"""Predictions: sets of what models found, and the decisions about them."""
