"""What the front-end build left: hashed file names, icons, and the folder itself.

Vite writes ``app/web/dist`` with a manifest that maps each source entry to its files, whose names
carry a hash of their content::

    {"src/pages.ts": {"file": "assets/pages-C0ffee.js", "css": ["assets/pages-Beef.css"], …}}

So the files under ``assets/`` may be kept by browsers for ever, and pages name them by `entry`.
``icons.json`` maps icon names to the inside of their <svg>. Beside each script and style sheet lies
the same compressed, as ``….gz``.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi.staticfiles import StaticFiles
from markupsafe import Markup
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from app.api.compression import accepts_gzip

__all__ = ["DIST", "Assets", "Entry", "static_files"]

DIST = Path(__file__).parent / "dist"
STATIC_PATH = "/static"


@dataclass(frozen=True)
class Entry:
    """Addresses of what one entry of the build needs."""

    script: str
    styles: tuple[str, ...]
    preloads: tuple[str, ...]


@lru_cache(maxsize=8)
def _read_json(path: Path, _modified_ns: int) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


class Assets:
    """Reads the build in `dist`; follows a rebuild without a restart."""

    def __init__(self, dist: Path = DIST) -> None:
        self._dist = dist

    def _json(self, name: str) -> dict[str, Any]:
        path = self._dist / name
        try:
            return _read_json(path, path.stat().st_mtime_ns)
        except FileNotFoundError as error:
            raise RuntimeError("The front end is not built: run `make build`.") from error

    def entry(self, source: str) -> Entry:
        """The files of an entry, such as ``src/pages.ts``, with those of its shared chunks."""
        manifest = self._json(".vite/manifest.json")
        chunks: list[str] = []
        _collect(manifest, source, chunks)
        # Shared chunks stand before the entry, so its own rules win over theirs.
        styles = [css for name in chunks for css in manifest[name].get("css", ())]
        return Entry(
            script=_address(manifest[source]["file"]),
            styles=tuple(map(_address, dict.fromkeys(styles))),
            preloads=tuple(_address(manifest[name]["file"]) for name in chunks[:-1]),
        )

    def icon(self, name: str) -> Markup:
        """An icon as inline SVG, drawn in the colour of the text around it."""
        inside = self._json("icons.json")[name]
        return Markup(  # noqa: S704 - the drawing comes from our own build
            f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">{inside}</svg>'
        )


def _collect(manifest: dict[str, Any], name: str, found: list[str]) -> None:
    """Append the chunk's imports, then itself, each once."""
    for imported in manifest[name].get("imports", ()):
        if imported not in found:
            _collect(manifest, imported, found)
    found.append(name)


def _address(file: str) -> str:
    return f"{STATIC_PATH}/{file}"


class _Hashed(StaticFiles):
    """Static files whose names change with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await self._compressed(path, scope) or await super().get_response(path, scope)
        response.headers["Vary"] = "Accept-Encoding"
        if path.startswith("assets/") and response.status_code in (200, 206, 304):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        else:
            response.headers["Cache-Control"] = "no-cache"
        return response

    async def _compressed(self, path: str, scope: Scope) -> Response | None:
        """What the build has compressed of the file, for whoever takes that."""
        if not accepts_gzip(Headers(scope=scope)):
            return None
        try:
            response = await super().get_response(f"{path}.gz", scope)
        except HTTPException:
            return None
        response.headers["Content-Encoding"] = "gzip"
        return response


def static_files(dist: Path = DIST) -> StaticFiles:
    """The application that serves the build; a missing folder is a 404, not a failed start."""
    return _Hashed(directory=dist, check_dir=False)
