"""File names that came from outside: text to compare and to show, never a path of ours.

`match_name` is the form in which two names are compared: Unicode NFC, forward slashes, no empty or
``.`` steps. ``Bilder\\Müller.jpg`` from one system and ``./Bilder/Mu\\u0308ller.jpg`` from another
are the same name:

>>> match_name("Bilder\\\\Müller.jpg") == match_name("./Bilder/Mu\\u0308ller.jpg")
True

Two names may also agree only in their ends, because one side keeps more of the folders:

>>> share_an_end("train2017/a/1.jpg", "a/1.jpg"), share_an_end("b/1.jpg", "a/1.jpg")
(True, False)
"""

import re
import unicodedata

from app.errors import Invalid

__all__ = ["base_name", "check_file_name", "match_name", "share_an_end"]

LONGEST_NAME = 1024
_DRIVE = re.compile(r"[A-Za-z]:")


def check_file_name(name: str) -> str:
    """The name with forward slashes and without empty steps, or Invalid when it is hostile."""
    steps = [step for step in name.replace("\\", "/").split("/") if step not in ("", ".")]
    reason = None
    if not steps or name.endswith(("/", "\\")):
        reason = "The file has no name."
    elif any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in name):
        reason = "The file name has control characters in it."
    elif name[0] in "/\\" or _DRIVE.match(name):
        reason = "The file name is an absolute path."
    elif ".." in steps:
        reason = "The file name leads out of its folder."
    elif len(name) > LONGEST_NAME:
        reason = f"The file name is longer than {LONGEST_NAME} characters."
    if reason:
        raise Invalid(reason, code="file_name_invalid")
    return "/".join(steps)


def match_name(name: str) -> str:
    """The form in which names are compared; takes any text, imported records hold anything."""
    steps = unicodedata.normalize("NFC", name).replace("\\", "/").split("/")
    return "/".join(step for step in steps if step not in ("", "."))


def base_name(match: str) -> str:
    """The last step of a name."""
    return match.rpartition("/")[2]


def share_an_end(one: str, other: str) -> bool:
    """Whether one of the two is the other without its first folders."""
    return f"/{one}".endswith(f"/{other}") or f"/{other}".endswith(f"/{one}")
