"""Annotation file formats, which know nothing of HTTP or SQL."""
