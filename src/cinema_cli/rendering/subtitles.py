"""What is said in a film, as subtitles in a file beside it; nothing is burnt into the picture.

A line is shown in its own shot only, never across a cut: lines share the time of their shot by their length.
The file is named as players look for it, with a language that is not told: ``film.und.srt``.  A plain
``film.srt`` would be read by ``cinema caption`` as what is seen.
"""

from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

from cinema_cli.fields import seconds
from cinema_cli.files import write_atomic
from cinema_cli.storyboard import Shot, Storyboard

SUFFIX = ".und.srt"


def write_subtitles(storyboard: Storyboard, film: Path) -> Path | None:
    """Write the subtitles of a film beside it.

    Args:
        storyboard: Its shots follow each other without a gap.
        film: The film's file.

    Returns:
        The file; none where nobody speaks, and then there is no such file.
    """
    path = film.with_suffix(SUFFIX)
    cues = subtitles(storyboard)
    if not cues:
        path.unlink(missing_ok=True)
        return None
    write_atomic(path, "\n".join(cues))
    return path


def subtitles(storyboard: Storyboard) -> list[str]:
    """The blocks of a SubRip file: a number, from when to when, who says what."""
    cues: list[str] = []
    start = Fraction(0)
    for shot in storyboard.shots:
        for (begin, end), line in zip(pairwise(_moments(shot, start)), shot.lines, strict=False):
            cues.append(f"{len(cues) + 1}\n{_clock(begin)} --> {_clock(end)}\n{line.speaker}: {line.text}\n")
        start += seconds(shot.duration)
    return cues


def _moments(shot: Shot, start: Fraction) -> list[Fraction]:
    """When each line of a shot begins, and when the last one ends, in seconds of the film."""
    lengths = [len(line.text) for line in shot.lines]
    shares = accumulate(lengths, initial=0)
    return [start + seconds(shot.duration) * share / max(1, sum(lengths)) for share in shares]


def _clock(moment: Fraction) -> str:
    """``0:01:02.5`` as SubRip writes it: 00:01:02,500."""
    thousandths = round(moment * 1000)
    rest, thousandths = divmod(thousandths, 1000)
    rest, second = divmod(rest, 60)
    hour, minute = divmod(rest, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d},{thousandths:03d}"
