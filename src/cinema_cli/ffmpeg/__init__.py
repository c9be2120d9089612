"""The only caller of ffmpeg: look at media, read frames, write a film.  What other rooms need stands here.

binary.py    which ffmpeg
opening.py   a stranger's movie as an input, hardened
probing.py   what a movie holds, read from its packets
reading.py   frames of a movie
watching.py  one decode that gives small frames to detect cuts in and larger ones to keep
writing.py   frames to H.264

Shapes:  a frame is uint8 (H, W, 3), RGB; sizes are (height, width) in pixels.
"""

from cinema_cli.ffmpeg.binary import OLDEST, ffmpeg_version, find_ffmpeg
from cinema_cli.ffmpeg.probing import MediaInfo, probe
from cinema_cli.ffmpeg.reading import Frame, Grey, decode, key_pictures
from cinema_cli.ffmpeg.watching import Glance, Lens, Watch
from cinema_cli.ffmpeg.writing import Part, encode, join

__all__ = [
    "OLDEST",
    "Frame",
    "Glance",
    "Grey",
    "Lens",
    "MediaInfo",
    "Part",
    "Watch",
    "decode",
    "encode",
    "ffmpeg_version",
    "find_ffmpeg",
    "join",
    "key_pictures",
    "probe",
]
