"""The engine beside pycocotools for as long as one likes: ``make fuzz``.

Prints how far it is, and on a difference the smallest input that shows it, and ends with 1.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple

from tests.masks import ours
from tests.masks.peer import Call, ask_pycocotools, is_answer
from tests.masks.questions import SUBJECTS, is_fair, some_calls
from tests.masks.shrink import shrink

CALLS_A_ROUND = 1000
_SECONDS_BETWEEN_LINES = 15.0

Answers = Callable[[Sequence[Call]], list[Any]]


class Compared(NamedTuple):
    """The places of the calls that are answered differently, and of those that end pycocotools.

    The latter say nothing of the engine: there is a limit to what pycocotools has memory for.
    """

    differ: list[int]
    unanswered: list[int]


def compare(calls: Sequence[Call], answer: Answers = ours.answer) -> Compared:
    mine, theirs = answer(calls), _theirs(calls)
    places = range(len(calls))
    return Compared(
        [i for i in places if _differ(mine[i], theirs[i])],
        [i for i in places if not is_answer(theirs[i])],
    )


def _theirs(calls: Sequence[Call]) -> list[Any]:
    return ask_pycocotools([ours.for_peer(call) for call in calls])


def _differ(own: Any, other: Any) -> bool:
    return bool(own != other and is_answer(other))


def smallest(calls: list[Call], answer: Answers = ours.answer) -> list[Call]:
    """The smallest calls that differ, made from some that do.

    One call alone if it differs alone, else as many as it takes in one batch.
    """

    def fails(cases: list[list[Call]]) -> list[bool]:
        mine = [answer(case) for case in cases]
        # What the engine refuses is invalid input, which pycocotools must not be asked.
        sound = [
            not _refused(found) and all(map(is_fair, case))
            for case, found in zip(cases, mine, strict=True)
        ]
        asked = [case if good else [] for case, good in zip(cases, sound, strict=True)]
        theirs = iter(_theirs([call for case in asked for call in case]))
        return [
            any(map(_differ, found, list(islice(theirs, len(case)))))
            for case, found in zip(asked, mine, strict=True)
        ]

    alone = calls[compare(calls, answer).differ[0]]
    case = [alone] if compare([alone], answer).differ else calls
    return case if _refused(answer(case)) else shrink(case, fails)


def _refused(answers: list[Any]) -> bool:
    return any(isinstance(one, str) and one.startswith("refused") for one in answers)


def report(calls: list[Call], answer: Answers = ours.answer) -> str:
    """What was asked and what both said."""
    mine, theirs = answer(calls), _theirs(calls)
    lines = ["The engine and pycocotools differ. The smallest input found:"]
    for call, own, other in zip(calls, mine, theirs, strict=True):
        lines += [json.dumps(call), f"  engine       {own}", f"  pycocotools  {other}"]
    return "\n".join(lines)


def run(seconds: float, seed: int, answer: Answers = ours.answer) -> int:
    """Compare until the time is over or a difference is found; the exit status."""
    began = last = time.monotonic()
    done: Counter[str] = Counter()
    say(f"seed {seed}, {seconds:g} s")
    number = unanswered = 0
    while time.monotonic() - began < seconds:
        for subject in SUBJECTS:
            if time.monotonic() - began >= seconds:
                break
            calls = some_calls(subject, (seed, number), CALLS_A_ROUND)
            found = compare(calls, answer)
            if found.differ:
                say(f"{subject}: a difference with seed {seed} in round {number}")
                say(report(smallest(calls, answer), answer))
                return 1
            done[subject] += len(calls)
            unanswered += len(found.unanswered)
            if time.monotonic() - last > _SECONDS_BETWEEN_LINES:
                last = time.monotonic()
                say(f"{last - began:6.0f} s  {sum(done.values()):,} calls, no difference")
        number += 1
    for subject, count in done.items():
        say(f"{subject:<16}{count:>12,} calls, no difference")
    if unanswered:
        say(f"{unanswered:,} of them ended pycocotools or took it too long")
    return 0


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is what was asked for


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32, help="random")
    given = parser.parse_args(arguments)
    return run(given.seconds, given.seed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
