import os
import pty
import re
import signal
import subprocess
import sys
import threading

import pytest

from cinema_cli.progress import Progress, clock, finishing_on_signal


def test_without_a_terminal_there_are_a_few_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        task = progress.task("drawing keyframes", total=50, unit="shots")
        for number in range(50):
            task.advance(note=f"shot [{number}]")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith("drawing keyframes: 50/50 shots, 0:0")
    assert err.splitlines()[-1].endswith("elapsed, shot [49]")
    assert len(err.splitlines()) < 10


def test_quiet_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(quiet=True) as progress:
        progress.say("a word")
        progress.task("drawing", total=1).advance()
    assert capsys.readouterr() == ("", "")


def test_items_of_an_earlier_run_count(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress.task("training", total=10, unit="steps", done=9).advance()
    assert "training: 10/10 steps" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "text"), [(7.2, "0:07"), (59.6, "1:00"), (750, "12:30"), (3900, "1:05:00")]
)
def test_the_clock_reads_as_people_write_it(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_first_signal_only_asks_and_a_second_stops(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with finishing_on_signal() as stop:
        assert not stop.requested
        signal.raise_signal(number)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) == before


def test_in_another_thread_signals_are_left_alone() -> None:
    seen: list[bool] = []

    def work() -> None:
        with finishing_on_signal() as stop:
            seen.append(stop.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


BARS = """
from cinema_cli.progress import Progress
with Progress() as progress:
    task = progress.task("drawing [red]", total=2, unit="shots")
    task.advance()
    progress.say("shot 1 is [done]")
    task.advance(note="shot [2]")
"""


def test_on_a_terminal_there_are_bars() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    subprocess.run([sys.executable, "-c", BARS], stderr=theirs, env=environment, check=True)
    os.close(theirs)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", os.read(ours, 65536).decode())
    os.close(ours)
    assert "shot 1 is [done]" in shown
    last = next(line for line in reversed(shown.splitlines()) if line.strip())
    assert last.startswith("drawing [red]")
    assert "2/2 shots" in last
    assert "shot [2]" in last


WORKER = """
import sys
from cinema_cli.errors import Interrupted
from cinema_cli.progress import finishing_on_signal
try:
    with finishing_on_signal() as stop:
        for item in range(1000):
            print("begun", item, flush=True)
            sys.stdin.readline()
            print("finished", item, flush=True)
            if stop.requested:
                raise Interrupted(f"stopped after {item}")
except Interrupted as error:
    sys.exit(error.exit_code)
"""


def test_a_real_process_finishes_the_item_in_hand() -> None:
    command = [sys.executable, "-c", WORKER]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stderr is not None
        assert worker.stdout.readline() == "begun 0\n"
        worker.terminate()
        assert worker.stderr.readline() == "\n"  # the handler has run
        assert "Finishing the item in hand" in worker.stderr.readline()
        out, _ = worker.communicate("\n")
    assert out == "finished 0\n"
    assert worker.returncode == 5
