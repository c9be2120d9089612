"""A child process that is fed frames or read from, under limits: how ``ffmpeg.py`` runs ffmpeg.

It is killed when it stalls, when it takes too long, and when its frames are no longer wanted.
A child that reads a stranger's movie may write no file and may not eat the machine.
"""

import fcntl
import math
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from cinema_cli.errors import CinemaError, InputError, MissingError

STALL = 120.0
"""Seconds that the child may take for the next frame."""
TIME_LIMIT = 6 * 3600.0
"""Seconds that may be spent waiting for one child; what its reader does in between is not counted."""

ROOMY = 2**20
"""Bytes that a pipe holds, where the system lets us choose: whole frames, so that both sides run on."""

# No file and no core dump written; a day of processor time; 8 GiB of address space.
_LIMITS = 'ulimit -c 0; ulimit -f 0; ulimit -t 86400; ulimit -v 8388608; exec "$0" "$@"'


def widen(pipe: int) -> None:
    """Let a pipe hold ``ROOMY`` bytes, where the system can and allows it."""
    command = getattr(fcntl, "F_SETPIPE_SZ", None)
    if command is not None:
        with suppress(OSError):
            fcntl.fcntl(pipe, command, ROOMY)


class Child:
    """A running ffmpeg: killed when it stalls, takes too long, or nobody wants it any more."""

    def __init__(
        self, command: list[str], purpose: str, feeds: bool = False, gives: Sequence[int] = ()
    ) -> None:
        """Start it.

        Args:
            command: The argument list.
            purpose: What it is for, to be told when it fails: "read night-train.mp4".
            feeds: It is handed frames, else it is read from.
            gives: Write ends of further pipes that it inherits; they are closed here, whatever happens.
        """
        self._purpose = purpose
        self._feeds = feeds
        if not feeds:
            command = ["/bin/sh", "-c", _LIMITS, *command]
        # A session of its own: Ctrl-C reaches cinema, which lets the item in hand finish.
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if feeds else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if feeds else subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=gives,
                pipesize=ROOMY,
            )
        finally:
            for handle in gives:
                os.close(handle)
        self._log = bytearray()
        self._left = TIME_LIMIT
        self._deadline = math.inf
        self._late = False
        self._over = Event()
        self._threads = [Thread(target=work, daemon=True) for work in (self._drain, self._watch)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        self._close_input()

    def fill(self, frame: NDArray[np.uint8], pipe: IO[bytes] | None = None) -> bool:
        """Read one frame from stdout or from a further pipe; False at the end of the movie."""
        source = pipe or self._process.stdout
        assert source is not None
        room = frame.data.cast("B")
        with self._patience():
            found = 0
            while found < len(room) and (step := source.readinto(room[found:])):  # type: ignore[attr-defined]
                found += step
        if 0 < found < len(room):
            self.finish()
            raise InputError(f"Could not {self._purpose}: the last frame is incomplete.")
        return found > 0

    def line(self, pipe: IO[bytes] | None = None) -> str | None:
        """Read a line from stdout or from a further pipe; None at the end."""
        source = pipe or self._process.stdout
        assert source is not None
        with self._patience():
            line = source.readline(4096)
        return line.decode("utf-8", "replace").strip() if line else None

    def lines(self) -> Iterator[str]:
        """Read what the child prints, line by line."""
        while (line := self.line()) is not None:
            yield line

    def feed(self, frame: NDArray[np.uint8]) -> None:
        """Hand one frame over."""
        assert self._process.stdin is not None
        try:
            with self._patience():
                self._process.stdin.write(np.ascontiguousarray(frame).data)
        except BrokenPipeError:
            self.finish()

    def finish(self) -> None:
        """Wait for the end; an error of ffmpeg becomes one of ours."""
        with self._patience():
            self._close_input()
            code = self._process.wait()
        if self._late:
            raise InputError(f"Could not {self._purpose}: ffmpeg did not answer in time and was stopped.")
        self._threads[0].join()
        if code:
            raise self._failure(code)

    def log(self) -> str:
        """What ffmpeg printed, capped."""
        return self._log.decode("utf-8", "replace")

    def _failure(self, code: int) -> CinemaError:
        # "[in#0 @ 0x55d0]" names a part of ffmpeg's memory: of no use, and never the same.
        lines = [re.sub(r"^\[[^]]* @ 0x\w+\] ", "", line).strip() for line in self.log().splitlines()]
        lines = [line for line in lines if line]
        said = " | ".join(lines[-3:]) or f"exit code {code}"
        message = f"Could not {self._purpose}. ffmpeg says: {said}"
        if self._feeds and re.search(r"No space left|Permission denied|Read-only file system", said):
            return MissingError(f"{message}. Make room or choose another folder.")
        if self._feeds:
            return MissingError(f"{message}. Wanted an ffmpeg that writes H.264; see: cinema doctor")
        return InputError(f"{message}. Wanted an mp4, mov, mkv, webm, avi or ts movie.")

    def _close_input(self) -> None:
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """Time counts only while we wait for the child, not while the reader works on a frame."""
        start = monotonic()
        self._deadline = start + min(STALL, self._left)
        try:
            yield
        finally:
            self._deadline = math.inf
            self._left -= monotonic() - start

    def _drain(self) -> None:
        assert self._process.stderr is not None
        while piece := self._process.stderr.read1(4096):  # type: ignore[attr-defined]
            # The head names the streams, the tail the error: drop from the middle.
            self._log += piece
            del self._log[32768:-16384]

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            if monotonic() > self._deadline:
                self._late = True
                self._process.kill()
                return
