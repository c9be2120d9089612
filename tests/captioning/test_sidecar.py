import random
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from cinema_cli.captioning import sidecar as module
from cinema_cli.captioning.sidecar import Cue, Sidecar, find_sidecar, read_sidecar
from cinema_cli.errors import InputError, MissingError
from cinema_cli.storyboard import Source
from cinema_cli.theatre.captions import describe_look
from cinema_cli.theatre.movies import Truth, plan_truth

SRT = """1
00:00:00,000 --> 00:00:02,500
<Mira> walks <i>fast</i>
to {Tom}.

2
00:00:03,000 --> 00:00:04,000
<font color="red">A boat</font> & <b>a tree</b>.
"""
VTT = """WEBVTT - captions

NOTE not a caption

STYLE
::cue { color: red }

first
00:00.000 --> 00:02.500 align:start position:10%
<Mira> walks <i.loud>fast</i> &amp; <00:01.000>sees &lt;Tom&gt;.

01:00:03.000 --> 01:00:04.000
<v Narrator>A boat.</v>
"""
JSONL = """{"start": 0, "end": 2.5, "caption": "<Mira> walks.", "characters": ["Mira"]}

{"start": "3", "end": "1001/240", "keep": false, "reject_reason": "blurred"}
{"shot": "0007", "caption": "A boat."}
{"start": 5, "end": 6, "keep": false}
"""


def write(folder: Path, text: str | bytes, name: str = "movie.srt") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def source(start: str, mid: str, end: str) -> Source:
    return Source(movie="movie.mp4", start=start, mid=mid, end=end)


def cues(path: Path) -> list[Cue]:
    return read_sidecar(path)._timed


def test_srt(tmp_path: Path) -> None:
    found = cues(write(tmp_path, SRT))
    assert [(cue.start, cue.end, cue.caption) for cue in found] == [
        (0, Fraction(5, 2), "<Mira> walks fast to {Tom}."),
        (3, 4, "A boat & a tree."),
    ]


def test_vtt(tmp_path: Path) -> None:
    found = cues(write(tmp_path, VTT))  # its name says srt
    assert [(cue.start, cue.end, cue.caption) for cue in found] == [
        (0, Fraction(5, 2), "<Mira> walks fast & sees <Tom>."),
        (3603, 3604, "A boat."),
    ]


def test_json_lines(tmp_path: Path) -> None:
    sidecar = read_sidecar(write(tmp_path, "\ufeff" + JSONL))
    first, second, third = sidecar._timed
    assert (first.end, first.caption, first.characters, first.rejected) == (
        Fraction(5, 2),
        "<Mira> walks.",
        ("Mira",),
        None,
    )
    assert (second.end, second.rejected) == (Fraction(1001, 240), "blurred")
    assert third.rejected == "discarded in the sidecar"
    cue = sidecar.cue("0007", None)
    assert cue is not None
    assert cue.caption == "A boat."


def test_the_theatres_truth(tmp_path: Path) -> None:
    truth = plan_truth(3, 240).model_copy(update={"sha256": "b" * 64})
    path = write(tmp_path, truth.model_dump_json(indent=2), "movie.truth.json")
    sidecar = read_sidecar(path)
    assert (sidecar.about.title, sidecar.about.caption) == (truth.title, truth.caption)
    assert [(one.name, one.look) for one in sidecar.about.cast] == [
        (puppet.name, describe_look(puppet)) for puppet in truth.cast
    ]
    assert sidecar.movie == "b" * 64
    for shot in truth.shots:
        mid = str((Fraction(shot.start) + Fraction(shot.end)) / 2)
        cue = sidecar.cue("0001", source(shot.start, mid, shot.end))
        assert cue is not None
        assert cue.caption == shot.caption
    assert Truth.load(path) == truth


# -- which words for which shot ----------------------------------------------------------------


def timed(folder: Path, *spans: tuple[int, int]) -> Sidecar:
    lines = [Cue(start=start, end=end, caption=f"{start}-{end}") for start, end in spans]
    return Sidecar(write(folder, ""), lines)


@pytest.mark.parametrize(
    ("spans", "found"),
    [
        ([(0, 10), (10, 20)], "10-20"),  # the mid-clip time is 12
        ([(0, 12), (12, 13)], "12-13"),  # at mid, though the other overlaps more
        ([(11, 13), (9, 19)], "9-19"),  # two at mid: the larger overlap
        ([(0, 9), (16, 30)], "16-30"),  # none at mid: the larger overlap
        ([(0, 100), (3, 4), (5, 6)], "0-100"),  # a long one that began before shorter ones
        ([(0, 8), (20, 30)], None),  # touching is no overlap
        ([], None),
    ],
)
def test_words_at_the_mid_clip_time_then_largest_overlap(
    tmp_path: Path, spans: list[tuple[int, int]], found: str | None
) -> None:
    cue = timed(tmp_path, *spans).cue("0001", source("8", "12", "20"))
    assert (cue.caption if cue else None) == found


def test_matching_equals_a_look_at_every_cue(tmp_path: Path) -> None:
    rng = random.Random(5)
    for _ in range(200):
        starts = [rng.randrange(60) for _ in range(rng.randrange(12))]
        spans = list(dict.fromkeys((start, start + rng.randint(1, 20)) for start in starts))
        start, length = rng.randrange(60), rng.randint(2, 12)
        mid, end = start + rng.randrange(length), start + length

        def overlap(span: tuple[int, int], start: int = start, end: int = end) -> int:
            return min(span[1], end) - max(span[0], start)

        near = [span for span in spans if overlap(span) > 0]
        best = [span for span in near if span[0] <= mid < span[1]] or near
        cue = timed(tmp_path, *spans).cue("0001", source(str(start), str(mid), str(end)))
        assert (cue is None) == (not best)
        assert cue is None or overlap((cue.start, cue.end)) == max(map(overlap, best))


# -- what is found, what is refused ------------------------------------------------------------


def test_the_first_kind_that_is_there_is_read_and_the_others_are_told(tmp_path: Path) -> None:
    movie = tmp_path / "night train.mp4"
    with pytest.raises(MissingError, match=r"night train\.truth\.json"):
        find_sidecar(movie, tmp_path)
    srt = write(tmp_path, SRT, "night train.srt")
    vtt = write(tmp_path, VTT, "night train.vtt")
    assert find_sidecar(movie, tmp_path) == (vtt, [srt])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "captions as the theatre's truth"),
        ("Once upon a time", "found 'Once upon a time'"),
        (b"\xff\xfe1\x00", "UTF-8"),
        ('{"start": 1, "end": 0, "caption": "x"}', "line 1.*before"),
        ('{"start": 0, "end": 1}', "line 1.*a caption was wanted"),
        ('{"start": 0, "end": 1, "caption": "x", "mood": "y"}', "mood"),
        ('{"start": true, "end": 1, "caption": "x"}', "seconds were wanted"),
        ('{"start": -1, "end": 1, "caption": "x"}', "0 to 360000 seconds"),
        ('{"start": 0, "end": 1e400000, "caption": "x"}', "seconds"),
        ('{"start": 1e-400000, "end": 1, "caption": "x"}', "12 decimals"),
        ('{"start": 0, "end": Infinity, "caption": "x"}', "Infinity"),
        ('{"start": 0, "end": 1, "caption": "x"}\n{"start"', "line 2"),
        ('{"start": 0, "end": 1, "caption": "' + "x" * 5000 + '"}', "caption"),
        ('{"format": "cinema-theatre-truth", "version": 9}', "version"),
        ("1\n00:00:03,000 --> 00:00:01,000\nBackwards.\n", "before"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str | bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_sidecar(write(tmp_path, text))


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, SRT)
    monkeypatch.setattr(module, "MAX_CUES", 1)
    with pytest.raises(InputError, match="at most 1 captions"):
        read_sidecar(path)
    monkeypatch.setattr(module, "MAX_TEXT_BYTES", 10)
    with pytest.raises(InputError, match="at most 10 bytes"):
        read_sidecar(path)
    shutil.rmtree(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_sidecar(path)
