"""`python -m mlconform.mock_server.parity FOLDER...`: replay recordings, a line a scenario."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from mlconform.mock_server.opensearch_ml.behaviours import BEHAVIOURS
from mlconform.mock_server.parity.recording import RecordingError, read_recording
from mlconform.mock_server.parity.replay import Compared, Replayed, replay

_COLUMNS = ("exchanges", "status", "error type", "shape", "values")


def replay_folder(folder: Path, *, behaviour: str | None = None, nodes: int | None = None) -> list[Replayed]:
    """Replay every recording of a folder.

    Without a behaviour the recorded version's own is taken, without a number of nodes three where the
    folder's name says so. Raises RecordingError for a folder without recordings and for a file that is none.
    """
    paths = sorted(folder.glob("*.jsonl"))
    if not paths:
        raise RecordingError(f"{folder} holds no recordings: expected files *.jsonl")
    count = nodes or (3 if folder.name.endswith("three-nodes") else 1)
    replays = []
    for path in paths:
        recording = read_recording(path)
        own = f"opensearch-{'.'.join(recording.version.split('.')[:2])}"
        replays.append(replay(recording, behaviour=behaviour or own, nodes=count))
    return replays


def counts(compared: Sequence[Compared]) -> tuple[int, ...]:
    """How many exchanges there are, and how many agree in status, error type, shape and values."""
    return (
        len(compared),
        sum(one.status for one in compared),
        sum(one.error_type for one in compared),
        sum(one.shape for one in compared),
        sum(one.values for one in compared),
    )


def table(replays: Sequence[Replayed]) -> str:
    """A scenario a line, and the sum."""
    rows = [(one.recording.scenario, counts(one.compared)) for one in replays]
    rows.append(("all", counts([one for replayed in replays for one in replayed.compared])))
    width = max(len(name) for name, _ in rows)
    lines = [" ".join([f"{'scenario':<{width}}", *(f"{name:>10}" for name in _COLUMNS)])]
    lines += [" ".join([f"{name:<{width}}", *(f"{number:>10}" for number in row)]) for name, row in rows]
    exchanges, *_, values = rows[-1][1]
    return "\n".join([*lines, f"same values in {100 * values / exchanges:.1f} %"])


def differences(replays: Sequence[Replayed]) -> Iterable[str]:
    """Every exchange whose values differ, with both sides."""
    for replayed in replays:
        for one in replayed.compared:
            if not one.values:
                request = one.exchange.request
                yield (
                    f"{replayed.recording.scenario}#{one.exchange.number} {request.method} {request.path} "
                    f"{request.body.decode('utf-8', 'replace')}\n"
                    f"  recorded {one.exchange.status} {json.dumps(one.expected)}\n"
                    f"  mock     {json.dumps(one.got)}"
                )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 when an exchange differs in status, error type or shape, or too many in values."""
    parser = argparse.ArgumentParser(prog="python -m mlconform.mock_server.parity", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="folders of recordings")
    parser.add_argument("--behaviour", choices=BEHAVIOURS, help="default: that of the recorded version")
    parser.add_argument("--nodes", type=int, help="nodes of the mock; default: as recorded")
    parser.add_argument(
        "--values", type=float, default=99.0, help="percentage of equal values that is enough"
    )
    parser.add_argument("--show", action="store_true", help="print every difference too")
    options = parser.parse_args(arguments)
    enough = True
    for folder in options.folders:
        try:
            replays = replay_folder(folder, behaviour=options.behaviour, nodes=options.nodes)
        except RecordingError as error:
            parser.error(str(error))
        sys.stdout.write(f"{folder.name}\n{table(replays)}\n\n")
        if options.show:
            sys.stdout.writelines(f"{difference}\n" for difference in differences(replays))
        exchanges, *same, values = counts([one for replayed in replays for one in replayed.compared])
        enough &= all(number == exchanges for number in same) and 100 * values >= options.values * exchanges
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
