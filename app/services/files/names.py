"""File names that came with uploads: text to compare and to show, never a path of ours.

Names are compared as `app.formats.coco.values.match_name` writes them. Two may also agree only in
their ends, because one side keeps more of the folders:

>>> share_an_end("train2017/a/1.jpg", "a/1.jpg"), share_an_end("b/1.jpg", "a/1.jpg")
(True, False)
"""

import re

from app.errors import Invalid
from app.formats.coco import values

__all__ = [
    "base_name",
    "check_file_name",
    "is_picture",
    "path_in_zip",
    "share_an_end",
    "step_in_zip",
]

LONGEST_NAME = 1024
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")
_DRIVE = re.compile(r"[A-Za-z]:")


def check_file_name(name: str) -> str:
    """The name with forward slashes and without empty steps, or Invalid when it is hostile."""
    steps = [step for step in name.replace("\\", "/").split("/") if step not in ("", ".")]
    reason = None
    if not steps or name.endswith(("/", "\\")):
        reason = "The file has no name."
    elif values.is_unsafe(name) or _DRIVE.match(name):
        reason = (
            "The file name is an absolute path, leads out of its folder or has control characters."
        )
    elif len(name) > LONGEST_NAME:
        reason = f"The file name is longer than {LONGEST_NAME} characters."
    if reason:
        raise Invalid(reason, code="file_name_invalid")
    return "/".join(steps)


def is_picture(name: str) -> bool:
    """Whether a file is called like an image that can be taken in."""
    return name.lower().endswith(_PICTURES)


def base_name(match: str) -> str:
    """The last step of a name."""
    return match.rpartition("/")[2]


def share_an_end(one: str, other: str) -> bool:
    """Whether one of the two is the other without its first folders."""
    return f"/{one}".endswith(f"/{other}") or f"/{other}".endswith(f"/{one}")


def path_in_zip(file_name: str, *, otherwise: str) -> str:
    """A file name as a path in a zip that leads out of no folder; `otherwise` when nothing is left.

    >>> path_in_zip("..\\\\train/./a.jpg", otherwise="1"), path_in_zip("..", otherwise="1")
    ('train/a.jpg', '1')
    """
    name = values.match_name(file_name) if values.is_unsafe(file_name) else file_name
    steps = [step for step in name.replace("\\", "/").split("/") if step not in ("", ".")]
    return "/".join(steps) or otherwise


def step_in_zip(subset: str) -> str:
    """A subset as one step of such a path.

    >>> step_in_zip("val/2017"), step_in_zip("..")
    ('val_2017', '_')
    """
    kept = "".join(char if char.isalnum() or char in "-_." else "_" for char in subset)
    return kept if kept.strip(".") else "_"
