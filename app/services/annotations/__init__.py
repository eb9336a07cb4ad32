"""Annotations: made, edited by plans that need no database, drawn, listed and shown."""
