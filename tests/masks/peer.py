"""pycocotools in a process of its own: it may crash or hang on input that is only slightly odd.

Run as a script it reads one JSON list of calls from standard input and writes their answers.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 60
CALLS_PER_PROCESS = 1000


def ask_pycocotools(calls: list[dict[str, Any]]) -> list[Any]:
    """The answer to each call ``{"op": ..., ...}``, a child process for so many of them."""
    answers: list[Any] = []
    for first in range(0, len(calls), CALLS_PER_PROCESS):
        done = subprocess.run(
            [sys.executable, str(Path(__file__))],
            input=json.dumps(calls[first : first + CALLS_PER_PROCESS]),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
        answers += json.loads(done.stdout)
    return answers


def _answer(op: str, **given: Any) -> Any:
    from pycocotools import mask

    def text(rle: dict[str, Any]) -> dict[str, Any]:
        return {"size": list(rle["size"]), "counts": rle["counts"].decode()}

    if op == "polygons":
        height, width = given["size"]
        # The first of several polygons must not look like a box to pycocotools.
        parts = mask.frPyObjects(given["polygons"], height, width)
        merged = mask.merge(parts)
        measures = [mask.area([merged])[0].item(), mask.toBbox([merged])[0].tolist()]
        return [text(merged), *measures]
    if op == "merge":
        return text(mask.merge(given["masks"], intersect=given["intersect"]))
    if op == "iou":
        return mask.iou(given["dt"], given["gt"], given["iscrowd"]).tolist()
    if op == "decode":
        return mask.decode(given["mask"]).tolist()
    raise ValueError(op)


if __name__ == "__main__":
    print(json.dumps([_answer(**call) for call in json.load(sys.stdin)]))  # noqa: T201
