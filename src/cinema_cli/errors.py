"""What can go wrong, as one tree.  ``cli/app.py`` turns a type into a sentence and an exit code.

    CinemaError                 1  internal fault, or a base for the ones below
    ├── InputError              3  a story, storyboard, movie or config that cannot be used
    ├── MissingError            4  something the machine lacks: weights, ffmpeg, disk, a device
    └── Interrupted             5  stopped half way; the same command goes on where it stopped

Every message says what was wanted, what was found and what to do.
"""


class CinemaError(Exception):
    """Base of every error that cinema raises on purpose."""

    exit_code = 1


class InputError(CinemaError):
    """The input or the config is invalid; nothing was written."""

    exit_code = 3


class MissingError(CinemaError):
    """The machine lacks something that the command needs."""

    exit_code = 4


class Interrupted(CinemaError):
    """Stopped on request after the item in hand was saved; run again to continue."""

    exit_code = 5
