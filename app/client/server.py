"""A dataset on a running server, over its REST API.

Only the standard library speaks HTTP here, so that scripts need nothing that the server does not.
The token goes to the server alone: it is not sent along when an answer points somewhere else.
"""

import http.client
import json
import os
import re
import secrets
import shutil
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import IO, Any, BinaryIO

from app.client.errors import BadResults, ClientError, ServerError
from app.formats.coco import rawjson

__all__ = ["TOKEN_VARIABLE", "RemoteDataset", "is_address", "save_from_web"]

TOKEN_VARIABLE = "MASKWRIGHT_TOKEN"  # noqa: S105 - the name of a variable, not a token
# Between two pieces of an answer; a whole answer may take as long as it likes.
_TIMEOUT_SECONDS = 120
_PAGE = 500
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 1.0
_MOST_BYTES_IN_MEMORY = 8 << 20
# As many ids as stay far below the length that servers and proxies take for an address.
_IDS_AT_ONCE = 100
_DATASET = re.compile(r"(?P<server>https?://.+?)/(?:api/)?datasets/(?P<id>[0-9]{1,18})(?:[/?#].*)?")


def is_address(text: str) -> bool:
    """Whether this is an address rather than the name of a file."""
    return text.startswith(("http://", "https://"))


class RemoteDataset:
    """One dataset on a server; the token is that of `token`, or of $MASKWRIGHT_TOKEN."""

    def __init__(self, server: str, dataset: int | str, token: str | None = None) -> None:
        if not is_address(server):
            raise ClientError(f"A server's address begins with http:// or https://, not {server}.")
        self._server = server.rstrip("/")
        self._token = token or os.environ.get(TOKEN_VARIABLE)
        self._id = dataset if isinstance(dataset, int) else self._find(dataset)

    @classmethod
    def at(cls, address: str, token: str | None = None) -> "RemoteDataset":
        """The dataset whose page, or whose place in the API, has this address."""
        found = _DATASET.fullmatch(address)
        if found is None:
            raise ClientError(
                f"{address} is not the address of a dataset, such as "
                "http://localhost:8000/datasets/3."
            )
        return cls(found["server"], int(found["id"]), token)

    def load(
        self, *, task: str = "instances", subset: str | None = None, status: str | None = None
    ) -> dict[str, Any]:
        """The dataset as a COCO object, as it is in this moment."""
        wanted = {"subset": subset, "status": status}
        path = f"/api/datasets/{self._id}/export/{urllib.parse.quote(task, safe='')}.json"
        loaded = self._get(path, {key: value for key, value in wanted.items() if value is not None})
        if not isinstance(loaded, dict):
            raise ServerError("The server's answer is not a COCO file.")
        return loaded

    def images(self, coco_ids: Sequence[Any] | None = None) -> Iterator[dict[str, Any]]:
        """The server's records of the images with these ids in COCO files, or of all."""
        path = f"/api/datasets/{self._id}/images"
        if coco_ids is None:
            yield from self._items(path, {})
            return
        for start in range(0, len(coco_ids), _IDS_AT_ONCE):
            some = [json.dumps(coco_id) for coco_id in coco_ids[start : start + _IDS_AT_ONCE]]
            yield from self._items(path, {"coco_id": some})

    def import_results(self, file: BinaryIO, *, file_name: str, name: str | None) -> dict[str, Any]:
        """Import a results file as predictions; waits for the end and returns the report.

        Raises BadResults when nothing could be imported.
        """
        fields = {"task": "results", **({} if name is None else {"name": name})}
        with _multipart(fields, file, file_name) as (body, headers):
            job = self._get(f"/api/datasets/{self._id}/imports", body=body, headers=headers)
        pause = _FIRST_PAUSE_SECONDS
        while job["state"] in ("queued", "running"):
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            job = self._get(f"/api/jobs/{job['id']}")
        if job["state"] != "succeeded":
            codes = list((job["result"] or {}).get("issue_counts", ()))
            raise BadResults(job["message"] or f"The import {job['state']}.", "".join(codes[:1]))
        report: dict[str, Any] = job["result"]
        return report

    def save_file(self, image_id: int, target: Path) -> None:
        """The original bytes of an image, by the server's id."""
        with self._open(f"/api/images/{image_id}/file") as answer:
            _save(answer, target)

    def _find(self, name: str) -> int:
        """The id of the dataset with this name, or with this id."""
        for dataset in self._items("/api/datasets", {}):
            if dataset["name"] == name:
                return int(dataset["id"])
        if name.isascii() and name.isdigit():
            return int(name)
        raise ServerError(f"{self._server} has no dataset called {name}.", "not_found", 404)

    def _items(self, path: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        wanted = {**query, "limit": _PAGE}
        while True:
            page = self._get(path, wanted)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            wanted["cursor"] = page["next_cursor"]

    def _get(self, path: str, query: Mapping[str, Any] | None = None, **sent: Any) -> Any:
        with self._open(path, query, **sent) as answer:
            try:
                return rawjson.decode(answer.read())
            except ValueError:
                raise ServerError(f"{self._server} did not answer with JSON.") from None

    @contextmanager
    def _open(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        body: IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[HTTPResponse]:
        """What the server answers to a GET or, with a body, to a POST."""
        text = urllib.parse.urlencode(query or {}, doseq=True)
        address = f"{self._server}{path}{'?' if text else ''}{text}"
        request = urllib.request.Request(address, body, dict(headers or {}))  # noqa: S310
        request.add_header("Accept", "application/json, */*")
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        with _answer(request) as answer:
            yield answer


@contextmanager
def _multipart(
    fields: Mapping[str, str], file: BinaryIO, file_name: str
) -> Iterator[tuple[IO[bytes], dict[str, str]]]:
    """A form with a file as a body, and the headers that describe it; large ones stay on disk."""
    boundary = secrets.token_hex(16)
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="'
    # As browsers do it: a quote and a line's end are the only characters with a meaning.
    shown = file_name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    with tempfile.SpooledTemporaryFile(_MOST_BYTES_IN_MEMORY) as body:
        for field, value in fields.items():
            body.write(f'{head}{field}"\r\n\r\n{value}\r\n'.encode())
        body.write(f'{head}file"; filename="{shown}"\r\n'.encode())
        body.write(b"Content-Type: application/json\r\n\r\n")
        shutil.copyfileobj(file, body)
        body.write(f"\r\n--{boundary}--\r\n".encode())
        length = body.tell()
        body.seek(0)
        yield (
            body,
            {
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "Content-Length": str(length),
            },
        )


@contextmanager
def _answer(request: urllib.request.Request) -> Iterator[HTTPResponse]:
    """What a server sends; ServerError for refusals, and for answers that break off."""
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            yield answer
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error) from None
    except urllib.error.URLError as error:
        raise ServerError(f"{request.host} cannot be reached: {error.reason}.") from None
    except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
        told = str(error) or type(error).__name__
        raise ServerError(f"The answer of {request.host} broke off: {told}.") from None


def _refusal(error: urllib.error.HTTPError) -> ServerError:
    """The problem that the server describes; its bare status where it describes none."""
    detail, code = f"{error.url} answered {error.code} {error.reason}.", ""
    try:
        problem = json.loads(error.read(1 << 20))
        detail, code = str(problem["detail"]), str(problem["code"])
    except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
        pass
    if error.code == 401:
        detail += f" Give a token, or set {TOKEN_VARIABLE}."
    return ServerError(detail, code, error.code)


def save_from_web(address: str, target: Path) -> None:
    """The file at a public address; no token goes along."""
    if not is_address(address):
        raise ClientError(f"{address} is not an address that can be downloaded.")
    with _answer(urllib.request.Request(address)) as answer:  # noqa: S310
        _save(answer, target)


def _save(source: HTTPResponse, target: Path) -> None:
    """Write a file that is there when it is complete, and not before."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.part")
    try:
        with draft.open("wb") as file:
            shutil.copyfileobj(source, file)
        if source.length:
            # Read piece by piece, an answer that breaks off looks like one that ends.
            raise http.client.IncompleteRead(b"", source.length)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
