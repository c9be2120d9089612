"""Assembly of a film from its clips: the one door out (paper, section 3.3).

Every clip is decoded, enlarged by a whole factor, each frame repeated up to the film's rate, and all
of it goes through one encoder: no second packing that could move a cut.  Every frame is accounted
for: a shot holds exactly duration x rate frames, starts with a keyframe and has its own chapter.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from textwrap import shorten

from cinema_cli.errors import CinemaError, InputError
from cinema_cli.ffmpeg import Frame, MediaInfo, Part, decode, join, probe
from cinema_cli.fields import inside, seconds
from cinema_cli.models.pictures import is_flat
from cinema_cli.progress import Task
from cinema_cli.rendering.subtitles import write_subtitles
from cinema_cli.storyboard import Shot, Storyboard, strip_tags

FILM_HEIGHT = 512
"""Small clips are enlarged by the whole factor that comes nearest to this."""

CHAPTER_WIDTH = 72


@dataclass(frozen=True)
class FilmInfo:
    """What was written."""

    path: Path
    frames: int
    seconds: Fraction
    cuts: tuple[int, ...]
    """Number of the first frame of every shot but the first."""
    subtitles: Path | None = None
    """What is said, in a file of its own; none where nobody speaks."""


def assemble(storyboard: Storyboard, folder: Path, out: Path, task: Task | None = None) -> FilmInfo:
    """Write the film of a storyboard whose shots all have clips in ``folder``.

    Args:
        storyboard: Its ``frame_rate`` becomes the film's.
        folder: The folder that the clips' paths are relative to.
        out: The mp4 file to write.
        task: Advanced by one for every shot.
    """
    missing = [shot.id for shot in storyboard.shots if shot.clip is None]
    if missing or not storyboard.shots:
        found = f"shots {', '.join(missing)} have none" if missing else "no shot at all"
        raise InputError(f"Wanted a clip for every shot, found that {found}. Run: cinema render")
    rate = seconds(storyboard.frame_rate)
    parts: list[Part] = []
    size: tuple[int, int] | None = None
    for shot in storyboard.shots:
        clip = inside(folder, str(shot.clip))
        info = probe(clip)
        size = size or (info.height, info.width)
        repeats = _check(shot, info, size, rate)
        title = f"{shot.id} {shorten(strip_tags(shot.caption), CHAPTER_WIDTH, placeholder=' …')}".strip()
        parts.append(Part(title, _shot_frames(shot, clip, size, repeats, task), info.frames * repeats))
    assert size is not None
    factor = max(1, round(FILM_HEIGHT / size[0]))
    metadata = {"title": storyboard.title, "comment": strip_tags(storyboard.caption)}
    frames = join(parts, out, rate, size_out=(size[0] * factor, size[1] * factor), metadata=metadata)
    if (written := probe(out).frames) != frames:
        raise CinemaError(f"{out}: {frames} frames went in, {written} came out. Please report this.")
    starts = tuple(accumulate(part.count for part in parts[:-1]))
    return FilmInfo(out, frames, frames / rate, starts, write_subtitles(storyboard, out))


def _check(shot: Shot, info: MediaInfo, size: tuple[int, int], rate: Fraction) -> int:
    """How often each frame of the clip is shown; a clip that does not fit its shot is refused."""
    again = f"Make it again: cinema render --redo {shot.id}"
    if (info.height, info.width) != size:
        raise InputError(
            f"Shot {shot.id}: wanted a clip of {size[0]}x{size[1]} like the first shot's, "
            f"found {info.height}x{info.width}. {again}"
        )
    repeats = rate / info.rate
    if repeats.denominator != 1:
        raise InputError(
            f"Shot {shot.id}: wanted a clip rate that goes into {rate} frames a second, "
            f"found {info.rate}. {again}"
        )
    wanted = seconds(shot.duration) * info.rate
    if wanted != info.frames:
        raise InputError(
            f"Shot {shot.id}: wanted {wanted} frames ({shot.duration} s at {info.rate} a second), "
            f"found a clip of {info.frames}. {again}"
        )
    return int(repeats)


def _shot_frames(
    shot: Shot, clip: Path, size: tuple[int, int], repeats: int, task: Task | None
) -> Iterator[Frame]:
    for number, frame in enumerate(decode(clip, size)):
        if is_flat(frame):
            colour = tuple(int(level) for level in frame[0, 0])
            raise InputError(
                f"Shot {shot.id}: wanted a picture, found nothing but the colour {colour} in frame {number}. "
                f"Make it again: cinema render --redo {shot.id}"
            )
        for _ in range(repeats):
            yield frame
    if task is not None:
        task.advance()
