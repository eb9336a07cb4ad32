"""Maskwright: a self-hosted server for annotating images in the COCO format."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("maskwright")
except PackageNotFoundError:  # a checkout that nobody installed
    __version__ = "0"
