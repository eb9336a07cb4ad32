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
from typing import Any

from tests.masks import ours
from tests.masks.peer import Call, ask_pycocotools
from tests.masks.questions import SUBJECTS, is_fair, some_calls
from tests.masks.shrink import shrink

CALLS_A_ROUND = 1000
_SECONDS_BETWEEN_LINES = 15.0

Answers = Callable[[Sequence[Call]], list[Any]]


def differences(calls: Sequence[Call], answer: Answers = ours.answer) -> list[int]:
    """The places of the calls that the engine and pycocotools answer differently."""
    mine = answer(calls)
    theirs = ask_pycocotools([ours.for_peer(call) for call in calls])
    return [i for i, pair in enumerate(zip(mine, theirs, strict=True)) if pair[0] != pair[1]]


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
        theirs = iter(ask_pycocotools([ours.for_peer(call) for case in asked for call in case]))
        return [
            good and found != list(islice(theirs, len(found)))
            for good, found in zip(sound, mine, strict=True)
        ]

    alone = calls[differences(calls, answer)[0]]
    case = [alone] if differences([alone], answer) else calls
    return case if _refused(answer(case)) else shrink(case, fails)


def _refused(answers: list[Any]) -> bool:
    return any(isinstance(one, str) and one.startswith("refused") for one in answers)


def report(calls: list[Call], answer: Answers = ours.answer) -> str:
    """What was asked and what both said."""
    mine = answer(calls)
    theirs = ask_pycocotools([ours.for_peer(call) for call in calls])
    lines = ["The engine and pycocotools differ. The smallest input found:"]
    for call, own, other in zip(calls, mine, theirs, strict=True):
        lines += [json.dumps(call), f"  engine       {own}", f"  pycocotools  {other}"]
    return "\n".join(lines)


def run(seconds: float, seed: int, answer: Answers = ours.answer) -> int:
    """Compare until the time is over or a difference is found; the exit status."""
    began = last = time.monotonic()
    done: Counter[str] = Counter()
    say(f"seed {seed}, {seconds:g} s")
    number = 0
    while time.monotonic() - began < seconds:
        for subject in SUBJECTS:
            if time.monotonic() - began >= seconds:
                break
            calls = some_calls(subject, (seed, number), CALLS_A_ROUND)
            if differences(calls, answer):
                say(f"{subject}: a difference with seed {seed} in round {number}")
                say(report(smallest(calls, answer), answer))
                return 1
            done[subject] += len(calls)
            if time.monotonic() - last > _SECONDS_BETWEEN_LINES:
                last = time.monotonic()
                say(f"{last - began:6.0f} s  {sum(done.values()):,} calls, no difference")
        number += 1
    for subject, count in done.items():
        say(f"{subject:<16}{count:>12,} calls, no difference")
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
