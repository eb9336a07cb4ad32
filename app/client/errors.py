"""What can go wrong.

::

    ClientError
    ├── BadFile       a file that is not COCO JSON                   (also a ValueError)
    ├── BadGeometry   an annotation without a mask                   (also a ValueError)
    ├── BadResults    results that do not belong to these images     (also a ValueError)
    ├── ServerError   what the server answered, or that it did not
    └── UnknownId     an image, category or annotation that is not there  (also a KeyError)

Where pycocotools raises a built-in error for the same mistake on purpose, ours is one, too.
"""

__all__ = ["BadFile", "BadGeometry", "BadResults", "ClientError", "ServerError", "UnknownId"]


class ClientError(Exception):
    """Anything that `app.client` raises; `code` is stable, where there is one."""

    def __init__(self, detail: str, code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code

    def __str__(self) -> str:
        # A KeyError would show the sentence in quotes.
        return self.detail


class BadFile(ClientError, ValueError):
    """A file that is not COCO JSON."""


class BadGeometry(ClientError, ValueError):
    """An annotation without a mask; the codes are those of docs/imports.md and docs/errors.md."""


class BadResults(ClientError, ValueError):
    """Results that cannot be read, or that do not belong to these images."""


class UnknownId(ClientError, KeyError):
    """An image, category or annotation that is not there."""


class ServerError(ClientError):
    """What the server answered; `status` is the HTTP status, or None when it did not answer."""

    def __init__(self, detail: str, code: str = "", status: int | None = None) -> None:
        super().__init__(detail, code)
        self.status = status
