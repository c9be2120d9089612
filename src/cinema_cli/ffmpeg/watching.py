"""One decode that gives two things: every frame small, to find cuts in, and some larger, to keep.

The middle of a shot is known only when the shot is over, and seeking back for it costs more than
the decode.  So a larger picture is made of every n-th frame, whatever becomes of it.  It stays in the
decoder's own colours, half the bytes of RGB, until it is chosen.

Shapes:  small uint8 (h, w, 3), BGR, as OpenCV has it   large uint8 (3 H / 2, W), planes Y, U, V (4:2:0)
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from cinema_cli.errors import CinemaError, InputError
from cinema_cli.ffmpeg.binary import compile_command, has_filter
from cinema_cli.ffmpeg.opening import LANCZOS, RAW, cut_out, open_movie
from cinema_cli.ffmpeg.probing import MediaInfo
from cinema_cli.ffmpeg.reading import Frame
from cinema_cli.process import Child, widen

Planes = NDArray[np.uint8]

_WEIGHTS = {"bt709": (0.2126, 0.0722), "bt601": (0.299, 0.114), "bt2020": (0.2627, 0.0593)}
"""Share of red and of blue in the brightness."""
_SPELLED = {"bt470bg": "bt601", "smpte170m": "bt601", "bt2020nc": "bt2020", "bt2020c": "bt2020"}
HD = 720
"""Where a movie does not say how its colours are written, one at least so high is read as BT.709."""


@dataclass(frozen=True)
class Lens:
    """How to look at a movie."""

    crop: tuple[int, int, int, int]
    """Top, left, height and width, in pixels as shown; the rest is not looked at."""
    small: tuple[int, int]
    """Height and width of what cuts are found in."""
    large: tuple[int, int]
    """Height and width of what is kept, both even."""
    every: int
    """Of how many frames one is given large."""
    referenced_only: bool = False
    """Skip the frames that no other frame needs: less to decode, and cuts less exact."""
    fine: bool = False
    """Scale the small frames well, and map those made for bright screens: they are kept."""
    threads: int = 1
    """That decode."""


@dataclass(frozen=True)
class Glance:
    """One frame as it goes by."""

    number: int
    time: Fraction
    """Seconds, exact."""
    small: NDArray[np.uint8]
    large: Planes | None


class Watch:
    """A movie going by: ``for glance in watch``; afterwards ``complaints`` has what ffmpeg disliked."""

    def __init__(self, path: Path, info: MediaInfo, lens: Lens) -> None:
        """Nothing is started before the first frame is asked for."""
        self.path, self.info, self.lens = path, info, lens
        self.complaints: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Glance]:
        """Every frame once, in the order of showing."""
        lens = self.lens
        with ExitStack() as stack:
            (times, times_in), (pictures, pictures_in) = _pipe(stack), _pipe(stack)
            command = compile_command(_graph(self.path, self.info, lens, times_in, pictures_in))
            child = stack.enter_context(Child(command, f"read {self.path}", gives=(times_in, pictures_in)))
            number = 0
            while True:
                small = np.empty((*lens.small, 3), dtype=np.uint8)
                if not child.fill(small):
                    break
                large = None
                if number % lens.every == 0:
                    large = np.empty((lens.large[0] * 3 // 2, lens.large[1]), dtype=np.uint8)
                    if not child.fill(large, pictures):
                        raise CinemaError(f"{self.path}: frame {number} came without its picture.")
                yield Glance(number, _time(child.line(times)), small, large)
                number += 1
            child.finish()
            self.complaints = tuple(line.strip() for line in child.log().splitlines() if line.strip())


def colours(info: MediaInfo) -> str:
    """How the colours of the large pictures are written: bt709, bt601 or bt2020."""
    if info.hdr:
        return "bt709"  # that is what the tone mapping makes
    stated = _SPELLED.get(info.matrix, info.matrix)
    return stated if stated in _WEIGHTS else "bt709" if info.height >= HD else "bt601"


def to_rgb(planes: Planes, matrix: str) -> Frame:
    """A large picture as RGB."""
    import cv2

    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    half = planes[height:].reshape(2, height // 2, width // 2)
    blue, red = (cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in half)
    of_red, of_blue = _WEIGHTS[matrix]
    of_green = 1 - of_red - of_blue
    light, colour = 255 / 219, 255 / 224  # from the narrow range of movies to the whole
    from_blue, from_red = 2 * (1 - of_blue) * colour, 2 * (1 - of_red) * colour
    table = np.array(
        [
            [light, 0, from_red],
            [light, -of_blue / of_green * from_blue, -of_red / of_green * from_red],
            [light, from_blue, 0],
        ]
    )
    shift = table @ [-16, -128, -128]
    whole = cv2.merge([planes[:height], np.asarray(blue), np.asarray(red)])
    return np.asarray(cv2.transform(whole, np.column_stack([table, shift])), dtype=np.uint8)


def _pipe(stack: ExitStack) -> tuple[Any, int]:
    read, write = os.pipe()
    widen(read)
    return stack.enter_context(os.fdopen(read, "rb")), write


def _time(line: str | None) -> Fraction:
    """Seconds of a line such as "1001 1/24000"."""
    tick, base = (line or "").split()
    return int(tick) * Fraction(base)


def _graph(path: Path, info: MediaInfo, lens: Lens, times: int, pictures: int) -> Any:
    options: dict[str, Any] = {"threads": lens.threads, "reinit_filter": 0}
    if lens.referenced_only:
        options["skip_frame"] = "noref"
    # A movie may change its size half way: brought to one size first, which is nothing where it has it.
    video = open_movie(path, **options).filter("scale", info.width, info.height)
    if info.interlaced:
        video = video.filter("bwdif", mode="send_frame", deint="interlaced")
    both = cut_out(video, lens.crop).filter_multi_output("split")
    small = both[0].filter(
        "scale", lens.small[1], lens.small[0], flags=LANCZOS if lens.fine else "fast_bilinear"
    )
    if lens.fine and info.hdr:
        small = _tone_mapped(small, path, info)
    out = small.filter("format", "bgr24").output(
        "pipe:1", **RAW, stats_enc_pre=f"pipe:{times}", stats_enc_pre_fmt="{ptsi} {tbi}"
    )
    large = both[1]
    if lens.every > 1:
        large = large.filter("select", f"not(mod(n,{lens.every}))")
    return ffmpeg.merge_outputs(out, _kept(large, path, info, lens).output(f"pipe:{pictures}", **RAW))


def _kept(video: Any, path: Path, info: MediaInfo, lens: Lens) -> Any:
    height, width = lens.large
    shrinks = lens.crop[2] >= height
    flags = "area" if shrinks else "bicubic"
    if info.hdr:
        return _tone_mapped(video.filter("scale", width, height, flags=flags), path, info)
    matrix = colours(info)
    return video.filter(
        "scale", width, height, flags=flags, in_color_matrix=matrix, out_color_matrix=matrix, out_range="tv"
    ).filter("format", "yuv420p")


def _tone_mapped(video: Any, path: Path, info: MediaInfo) -> Any:
    """From a bright screen's picture to an ordinary one; what is brighter than paper is pressed together.

    Paper white is 203 nits (BT.2408); the curve is Moebius', which leaves the darker half as it is.
    """
    if not (has_filter("zscale") and has_filter("tonemap")):
        raise InputError(
            f"{path}: its pictures are made for bright screens ({info.hdr}). Wanted an ffmpeg with "
            "the filters zscale and tonemap, found one without. The one of imageio-ffmpeg has them: take the "
            "other one from the PATH."
        )
    transfer = {"PQ": "smpte2084", "HLG": "arib-std-b67"}[info.hdr]
    return (
        video.filter("zscale", tin=transfer, pin="bt2020", min="bt2020nc", t="linear", npl=203)
        .filter("format", "gbrpf32le")
        .filter("zscale", p="bt709")
        .filter("tonemap", tonemap="mobius", param=0.5, desat=0)
        .filter("zscale", t="bt709", m="bt709", r="tv")
        .filter("format", "yuv420p")
    )
