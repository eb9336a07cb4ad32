"""Maskwright: a self-hosted server for annotating images in the COCO format."""
