"""Where the larger real COCO data is, when it stands beside the checkout.

What the tests need on any machine is committed under tests/data; tests over the whole of it skip,
and say so, where it is absent.
"""

from pathlib import Path

import pytest

__all__ = ["SHARED_DATA", "needs_shared_data"]

SHARED_DATA = Path(__file__).parent.parent.parent / "shared" / "data"

needs_shared_data = pytest.mark.skipif(
    not SHARED_DATA.is_dir(), reason="the larger COCO data does not stand beside this checkout"
)
