"""What a movie holds: read from its packets and from what ffmpeg says of it, without decoding a picture."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from cinema_cli.errors import InputError
from cinema_cli.ffmpeg.binary import compile_command
from cinema_cli.ffmpeg.opening import PICTURES_ONLY, open_movie
from cinema_cli.process import Child

MAX_FRAMES = 2**22
"""About two days at 24 frames a second: the most timestamps that are kept of one movie."""

_NTSC = tuple(Fraction(1000 * rate, 1001) for rate in (24, 30, 48, 60, 120))
_HDR = {"smpte2084": "PQ", "arib-std-b67": "HLG"}


@dataclass(frozen=True)
class MediaInfo:
    """What a movie holds."""

    width: int
    height: int
    """As shown: a turned picture is counted as ffmpeg turns it."""
    pixel_aspect: Fraction
    """Width of a pixel through its height, as shown."""
    rate: Fraction
    """Frames a second: exact when the rate is constant, else the average that the container states."""
    time_base: Fraction
    ticks: tuple[int, ...]
    """Presentation time of every frame in units of ``time_base``, in the order of showing."""
    end_tick: int
    has_audio: bool
    keys: tuple[int, ...] = ()
    """Times of the frames that stand for themselves, in units of ``time_base``."""
    video_tracks: int = 1
    """Cover pictures not counted; the first one is read."""
    interlaced: bool = False
    """Whether the container says that its frames are made of two fields."""
    hdr: str = ""
    """"PQ" or "HLG" where the picture is made for bright screens."""
    matrix: str = ""
    """How colours are written (bt709, bt470bg, ...), where it is stated."""
    promised: Fraction | None = None
    """Seconds that the header states; more than there is when the end of the file is missing."""

    @property
    def frames(self) -> int:
        """How many frames the container holds."""
        return len(self.ticks)

    @property
    def duration(self) -> Fraction:
        """Seconds from the first frame to the end of the last one."""
        return (self.end_tick - self.ticks[0]) * self.time_base

    def time(self, frame: int) -> Fraction:
        """Seconds at which a frame is shown; ``frames`` itself gives the end."""
        return (self.end_tick if frame == self.frames else self.ticks[frame]) * self.time_base


class _Packet(NamedTuple):
    tick: int
    length: int
    is_key: bool


def probe(path: Path) -> MediaInfo:
    """Read size, rate and the time of every frame from a movie's packets; no picture is decoded."""
    source = open_movie(path)
    command = compile_command(
        source.output("pipe:1", format="framecrc", vcodec="copy", **PICTURES_ONLY), level="info"
    )
    fields: dict[str, str] = {}
    packets: list[_Packet] = []
    with Child(command, f"read {path}") as child:
        for raw in child.lines():
            if raw.startswith("#"):
                name, _, value = raw[1:].partition(":")
                fields[name.split()[0]] = value.strip()
                continue
            packets.append(_packet(raw))
            if len(packets) > MAX_FRAMES:
                raise InputError(f"{path}: wanted at most {MAX_FRAMES} frames. Cut the movie into parts.")
        child.finish()
        log = child.log()
    if not packets or "dimensions" not in fields:
        raise InputError(f"{path}: wanted a movie with pictures, found none in it.")
    return _media_info(path, fields, sorted(packets), log.partition("Output #0")[0])


def _packet(line: str) -> _Packet:
    """One line of ffmpeg's list: stream, decoding time, time of showing, length, size, checksum, more."""
    _, decoded, shown, length = (int(value) for value in line.split(",")[:4])
    flags = re.search(r", F=0x([0-9A-Fa-f]+)", line)  # told only where they are other than "key"
    return _Packet(
        decoded if shown == -(2**63) else shown, length, flags is None or int(flags[1], 16) & 1 == 1
    )


def _media_info(path: Path, fields: Mapping[str, str], packets: Sequence[_Packet], log: str) -> MediaInfo:
    """Put together ffmpeg's list of packets and what it printed about the streams."""
    width, height = (int(side) for side in fields["dimensions"].split("x"))
    pixel = Fraction(fields.get("sar", "0/1").replace("/0", "/1")) or Fraction(1)
    pictures = _video_headers(log)
    header, _, details = (pictures[0] if pictures else "").partition("\n")
    turned = re.search(r"rotation of (-?\d+)", details)
    if turned and int(turned[1]) % 180:
        width, height, pixel = height, width, 1 / pixel
    ticks = tuple(packet.tick for packet in packets)
    time_base = Fraction(fields["tb"])
    rate = _rate(path, ticks, time_base, header)
    colours = re.search(r" [a-z]\w*\(((?:[^()]|\(swapped\))*)\), \d+x\d+", header)
    words = re.split(r", |/", colours[1]) if colours else []
    promised = re.search(r"Duration: (\d+):(\d+):(\d+)\.(\d+)", log)
    return MediaInfo(
        width=width,
        height=height,
        pixel_aspect=pixel,
        rate=rate,
        time_base=time_base,
        ticks=ticks,
        end_tick=ticks[-1] + (packets[-1].length or round(1 / (rate * time_base))),
        has_audio=re.search(r"^  Stream #0:\d+[^\n]*?: Audio: ", log, re.MULTILINE) is not None,
        keys=tuple(packet.tick for packet in packets if packet.is_key),
        video_tracks=len(pictures),
        interlaced=any("first" in word for word in words),
        hdr=next((name for word, name in _HDR.items() if word in words), ""),
        matrix=next((w for w in words if re.match(r"bt|smpte170|smpte240|fcc|gbr", w)), ""),
        promised=_clock(promised) if promised else None,
    )


def _rate(path: Path, ticks: Sequence[int], time_base: Fraction, header: str) -> Fraction:
    steps = {after - before for before, after in pairwise(ticks)}
    stated = re.search(r"([\d.]+)(k?) (?:fps|tbr)", header)
    if len(steps) == 1 and min(steps) > 0:
        return 1 / (steps.pop() * time_base)
    if stated and Fraction(stated[1]):
        return _exact_rate(Fraction(stated[1]) * (1000 if stated[2] else 1))
    raise InputError(f"{path}: wanted a movie with a frame rate, found none stated. Convert it to mp4 first.")


def _exact_rate(stated: Fraction) -> Fraction:
    """The log shows 24000/1001 as 23.98: a rate that rounds to one of the NTSC rates is that rate."""
    return next((rate for rate in _NTSC if abs(rate - stated) <= Fraction(1, 200)), stated)


def _video_headers(log: str) -> list[str]:
    """The lines about each video stream that is not a cover picture."""
    streams = re.split(r"^(?=  Stream #0:)", log, flags=re.MULTILINE)[1:]
    heads = [(stream, stream.partition("\n")[0]) for stream in streams]
    return [stream for stream, head in heads if ": Video: " in head and "(attached pic)" not in head]


def _clock(found: re.Match[str]) -> Fraction:
    hours, minutes, seconds, part = found.groups()
    return Fraction(60 * (60 * int(hours) + int(minutes)) + int(seconds)) + Fraction(
        int(part), 10 ** len(part)
    )
