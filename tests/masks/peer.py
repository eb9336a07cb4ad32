"""pycocotools in a process of its own: it may crash or hang on input that is only slightly odd.

Run as a script it reads one JSON list of calls from standard input and writes the answer to each
on a line of its own, so that it is known which call it was that ended it.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Call = dict[str, Any]
"""An operation and its arguments: ``{"op": ..., ...}``, as JSON."""

TIMEOUT_SECONDS = 60
CALLS_PER_PROCESS = 1000
# A polygon that reaches 1e7 pixels far costs pycocotools three of them.
MAX_BYTES = 5 << 30


def ask_pycocotools(calls: Sequence[Call], timeout: float = TIMEOUT_SECONDS) -> list[Any]:
    """The answer to each call; of one that ends the process, a text that says how it ended."""
    answers: list[Any] = []
    while len(answers) < len(calls):
        some = calls[len(answers) : len(answers) + CALLS_PER_PROCESS]
        came, end = _ask(some, timeout)
        answers += came
        if len(came) < len(some):
            answers.append(f"pycocotools: {end}")
    return answers


def is_answer(answer: Any) -> bool:
    """Whether pycocotools lived to give this answer."""
    return not (isinstance(answer, str) and answer.startswith("pycocotools: "))


def _ask(calls: Sequence[Call], timeout: float) -> tuple[list[Any], str]:
    """The answers that came, and how the process ended."""
    try:
        done = subprocess.run(
            [sys.executable, str(Path(__file__))],
            input=json.dumps(calls).encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        out, end = late.stdout or b"", f"no answer within {timeout} s"
    else:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        out, end = done.stdout, " ".join([f"ended with {done.returncode}", *said])
    lines = out.split(b"\n")[:-1]  # What stands behind the last line break is no whole answer.
    return [json.loads(line) for line in lines], end


# Inside of the child -----------------------------------------------------------------------------


def _rle(mask: Call) -> Any:
    """The peer's own object for counts that are a list, or a string."""
    from pycocotools import mask as peer

    if isinstance(mask["counts"], str):
        return mask
    return peer.frPyObjects(mask, *mask["size"])


def _text(rle: Any) -> Any:
    counts: bytes = rle["counts"]
    return {"size": list(rle["size"]), "counts": counts.decode()}


def _answer(op: str, **given: Any) -> Any:
    import numpy as np
    from pycocotools import mask as peer

    def measured(rles: list[Any]) -> Any:
        return [
            [_text(rle), peer.area([rle])[0].item(), peer.toBbox([rle])[0].tolist()] for rle in rles
        ]

    def bits(stack: Any) -> Any:
        return [list(stack.shape), np.packbits(np.ascontiguousarray(stack)).tobytes().hex()]

    match op:
        case "polygons":
            parts = peer.frPyObjects(given["polygons"], *given["size"])
            return measured([*parts, peer.merge(parts)])
        case "union":
            height, width = given["size"]
            if not given["polygons"]:
                return _text(peer.encode(np.zeros((height, width), np.uint8, order="F")))
            return _text(peer.merge(peer.frPyObjects(given["polygons"], height, width)))
        case "boxes":
            boxes = np.array(given["boxes"], np.float64)
            return measured(peer.frPyObjects(boxes, *given["size"]))
        case "rles":
            return measured([_rle(mask) for mask in given["masks"]])
        case "bitmaps":
            height, width = given["masks"][0]["size"]
            planes = [
                np.repeat(np.arange(len(m["counts"]), dtype=np.uint8) & 1, m["counts"])
                for m in given["masks"]
            ]
            stack = np.stack([p.reshape((height, width), order="F") for p in planes], axis=2)
            rles = peer.encode(np.asfortranarray(stack))
            return [*map(_text, rles), bits(peer.decode(rles))]
        case "decode":
            return [bits(peer.decode(_rle(mask))) for mask in given["masks"]]
        case "strings":
            rle = peer.frPyObjects({"size": [1, 1], "counts": given["counts"]}, 1, 1)
            # One mask alone is read from its string and written again.
            return [_text(rle)["counts"], _text(peer.merge([rle]))["counts"]]
        case "merge":
            return _text(peer.merge([_rle(mask) for mask in given["masks"]], given["intersect"]))
        case "iou":
            dt, gt = list(map(_rle, given["dt"])), [_rle(one["mask"]) for one in given["gt"]]
            return peer.iou(dt, gt, [one["iscrowd"] for one in given["gt"]]).tolist()
        case "iou_boxes":
            gt = [one["box"] for one in given["gt"]]
            return peer.iou(given["dt"], gt, [one["iscrowd"] for one in given["gt"]]).tolist()
    raise ValueError(op)


def _serve() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for call in json.load(sys.stdin):
        line = json.dumps(_answer(**call)) + "\n"
        os.write(1, line.encode())


if __name__ == "__main__":
    _serve()
