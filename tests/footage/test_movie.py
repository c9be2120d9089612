"""Odd movies, each a real file that ffmpeg wrote: it is read rightly, or refused with a reason."""

from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinema_cli.dataset import Ingested
from cinema_cli.errors import InputError
from cinema_cli.ffmpeg import Frame, decode, encode, probe
from cinema_cli.fields import seconds
from cinema_cli.files import sha256_file
from cinema_cli.footage.movie import MovieFile, ReadConfig, read_movie
from cinema_cli.storyboard import Storyboard
from drawn_movies import RATE, dissolve, movie, run_ffmpeg, scene, shot, write

LENGTHS = [30, 24, 40]
CUTS = [Fraction(0), Fraction(30, 24), Fraction(54, 24)]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("plain") / "plain.mp4", LENGTHS)


def read(path: Path, out: Path, **settings: object) -> tuple[Storyboard, Ingested]:
    out.mkdir()
    config = ReadConfig.model_validate({"keyframe_format": "png", **settings})
    file = MovieFile(path, sha256_file(path), path.stat().st_size)
    board = read_movie(file, out, config, 1, lambda share: None)
    assert Storyboard.load(out) == board
    return board, Ingested.load(out)


def starts(board: Storyboard) -> list[Fraction]:
    return [seconds(one.source.start) for one in board.shots if one.source]


def keyframe(board: Storyboard, out: Path, index: int) -> Frame:
    with Image.open(out / str(board.shots[index].keyframe)) as picture:
        return np.asarray(picture.convert("RGB"))


def unlike(one: Frame, other: Frame) -> float:
    """Mean difference of two pictures, of 255, the second brought to the size of the first."""
    resized = Image.fromarray(other).resize((one.shape[1], one.shape[0]), Image.Resampling.BICUBIC)
    return float(np.abs(one.astype(int) - np.asarray(resized).astype(int)).mean())


def test_a_plain_movie_gives_shots_middles_and_times(plain: Path, tmp_path: Path) -> None:
    board, record = read(plain, tmp_path / "out")
    assert starts(board) == CUTS
    assert board.frame_size == (400, 800)
    assert board.frame_rate == "24"
    frames = list(decode(plain))
    for index, one in enumerate(board.shots):
        assert one.source is not None
        middle = seconds(one.source.mid) * 24
        assert middle.denominator == 1
        true = seconds(one.source.start) * 24 + Fraction(LENGTHS[index], 2)
        assert abs(middle - true) <= 1
        # The picture is the one of that very time: the white box at its foot counts frames.
        near = [
            unlike(keyframe(board, tmp_path / "out", index), frames[int(middle) + step])
            for step in (-1, 0, 1)
        ]
        assert near.index(min(near)) == 1
        assert near[1] < 3
    assert [seconds(one.duration) * 24 for one in board.shots] == LENGTHS
    assert (record.frames, seconds(record.duration), record.movie) == (94, Fraction(94, 24), "plain.mp4")
    page = (tmp_path / "out" / "contact-sheet.html").read_text()
    assert "3 shots · 0:04 · 800 × 400 · from plain.mp4" in page
    assert "0:01.25 · 0:01.75 · 0:02.25" in page
    assert "enlarged" in record.notes[0]


def test_what_speaks_against_a_keyframe_is_told_and_nothing_is_dropped(tmp_path: Path) -> None:
    black = [np.zeros((120, 240, 3), dtype=np.uint8)] * 30
    encode(chain(shot(1, 30), black, shot(1, 15), dissolve(1, 9, 30), shot(9, 15)), tmp_path / "a.mp4", RATE)
    board, _ = read(tmp_path / "a.mp4", tmp_path / "out", picture={"short_side": 120})
    assert [[flag.reason for flag in one.flags] for one in board.shots][:2] == [[], ["near-black"]]
    assert {flag.reason for flag in board.shots[2].flags} == {"double-exposure"}
    assert all((tmp_path / "out" / str(one.keyframe)).is_file() for one in board.shots)
    page = (tmp_path / "out" / "contact-sheet.html").read_text()
    assert "2 flagged" in page
    assert '<span class="flag" title="measured 0.0, limit 16.0">near-black</span>' in page


def test_borders_are_taken_off(tmp_path: Path) -> None:
    def boxed(frame: Frame) -> Frame:
        return np.pad(frame, ((20, 20), (0, 0), (0, 0)))

    encode(map(boxed, movie(LENGTHS)), tmp_path / "a.mp4", RATE)
    board, record = read(tmp_path / "a.mp4", tmp_path / "out", picture={"short_side": 120})
    assert record.picture == (20, 0, 120, 240)
    assert board.frame_size == (120, 240)
    assert unlike(keyframe(board, tmp_path / "out", 0), scene(0)) < 3
    whole, _ = read(
        tmp_path / "a.mp4", tmp_path / "w", picture={"borders": False, "shape": "fit", "short_side": 160}
    )
    assert whole.frame_size == (160, 240)


def test_variable_frame_rate_keeps_every_time(plain: Path, tmp_path: Path) -> None:
    uneven = "settb=1/1000,setpts=41*N+15*mod(N\\,3)"
    options = ("-fps_mode", "passthrough", "-enc_time_base", "1/1000")
    run_ffmpeg("-i", str(plain), "-vf", uneven, *options, str(tmp_path / "vfr.mkv"))
    board, record = read(tmp_path / "vfr.mkv", tmp_path / "out")
    assert record.frames == 94
    assert starts(board) == [Fraction(41 * frame + 15 * (frame % 3), 1000) for frame in (0, 30, 54)]
    for one in board.shots:
        assert one.source is not None
        tick = int(seconds(one.source.mid) * 1000)
        assert tick in probe(tmp_path / "vfr.mkv").ticks


def test_a_turned_movie_is_read_as_it_is_shown(tmp_path: Path) -> None:
    upright = write(tmp_path / "a.mp4", LENGTHS, size=(240, 120))
    turned = ("-vf", "transpose=clock", "-c:v", "libx264", "-qp", "10")
    run_ffmpeg("-i", str(upright), *turned, str(tmp_path / "lying.mp4"))
    run_ffmpeg(
        "-display_rotation", "90", "-i", str(tmp_path / "lying.mp4"), "-c", "copy", str(tmp_path / "b.mp4")
    )
    board, record = read(tmp_path / "b.mp4", tmp_path / "out", picture={"shape": "fit", "short_side": 120})
    assert record.frame_size == (240, 120)
    assert board.frame_size == (240, 120)
    assert unlike(keyframe(board, tmp_path / "out", 0), scene(0, (240, 120))) < 4


def test_pixels_that_are_not_square_are_shown_in_their_shape(plain: Path, tmp_path: Path) -> None:
    squeezed = ("-vf", "scale=160:120,setsar=3/2", "-c:v", "libx264", "-qp", "10")
    run_ffmpeg("-i", str(plain), *squeezed, str(tmp_path / "a.mkv"))
    board, record = read(tmp_path / "a.mkv", tmp_path / "out", picture={"short_side": 120})
    assert record.frame_size == (120, 160)
    assert board.frame_size == (120, 240)
    assert unlike(keyframe(board, tmp_path / "out", 0), scene(0)) < 8


def test_interlaced_frames_are_made_whole(tmp_path: Path) -> None:
    """A bar that moves between the two fields of a frame: woven together it has the teeth of a comb."""
    fields = []
    for number in range(120):
        field = np.full((120, 240, 3), 40, dtype=np.uint8)
        field[:, 8 * number // 5 :][:, :30] = 220
        fields.append(field)
    encode(fields, tmp_path / "fields.mp4", 2 * RATE)
    options = ("-c:v", "libx264", "-qp", "8", "-flags", "+ilme+ildct", "-x264-params", "tff=1")
    weave = "tinterlace=interleave_top,setfield=tff"
    run_ffmpeg("-i", str(tmp_path / "fields.mp4"), "-vf", weave, *options, str(tmp_path / "a.mkv"))
    woven = next(iter(list(decode(tmp_path / "a.mkv"))[30:]))
    board, record = read(tmp_path / "a.mkv", tmp_path / "out", picture={"short_side": 120})
    assert "interlaced: made whole again with bwdif" in record.notes
    assert (record.frames, len(board.shots)) == (60, 1)

    def comb(frame: Frame) -> float:
        rows = frame[20:100, :, 0].astype(int)
        return float(np.abs(rows[2:] - 2 * rows[1:-1] + rows[:-2]).mean())

    assert comb(keyframe(board, tmp_path / "out", 0)) < comb(woven) / 4


def test_ten_bits_and_no_sound_and_sound(plain: Path, tmp_path: Path) -> None:
    run_ffmpeg(
        "-i", str(plain), "-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-qp", "10", str(tmp_path / "a.mkv")
    )
    board, _ = read(tmp_path / "a.mkv", tmp_path / "out")
    assert starts(board) == [Fraction(0), Fraction(5, 4), Fraction(9, 4)]
    assert unlike(keyframe(board, tmp_path / "out", 0), scene(0)) < 5
    tone = ("-f", "lavfi", "-i", "sine=duration=5", "-c:v", "copy")
    run_ffmpeg("-i", str(plain), *tone, str(tmp_path / "b.mp4"))
    assert starts(read(tmp_path / "b.mp4", tmp_path / "out2")[0]) == CUTS


@pytest.mark.parametrize(("transfer", "name"), [("smpte2084", "PQ"), ("arib-std-b67", "HLG")])
def test_a_picture_for_bright_screens_is_tone_mapped(tmp_path: Path, transfer: str, name: str) -> None:
    # The same light twice: written for a bright screen, and as an ordinary picture.
    write(tmp_path / "sdr.mp4", LENGTHS)
    to_hdr = (
        "zscale=tin=bt709:pin=bt709:min=bt709:rin=tv:t=linear:npl=203,format=gbrpf32le,zscale=p=bt2020,"
        f"zscale=t={transfer}:m=bt2020nc:r=tv:npl=203,format=yuv420p10le"
    )
    tags = f"colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    run_ffmpeg(
        "-i", str(tmp_path / "sdr.mp4"), "-vf", to_hdr, "-c:v", "libx264", "-qp", "10", "-x264-params", tags,
        str(tmp_path / "hdr.mkv"),
    )  # fmt: skip
    assert probe(tmp_path / "hdr.mkv").hdr == name
    board, record = read(tmp_path / "hdr.mkv", tmp_path / "out")
    assert starts(board) == [Fraction(0), Fraction(5, 4), Fraction(9, 4)]
    assert f"made for bright screens ({name})" in record.notes[0]
    mapped, true = keyframe(board, tmp_path / "out", 0), scene(0)
    raw = next(decode(tmp_path / "hdr.mkv", (120, 240)))
    assert unlike(mapped, true) < 8
    assert unlike(raw, true) > 20


def test_of_several_pictures_the_first_is_read(plain: Path, tmp_path: Path) -> None:
    write(tmp_path / "b.mp4", [94], first=50)
    both = ("-map", "0:v", "-map", "1:v", "-c", "copy")
    run_ffmpeg("-i", str(plain), "-i", str(tmp_path / "b.mp4"), *both, str(tmp_path / "two.mkv"))
    board, record = read(tmp_path / "two.mkv", tmp_path / "out")
    assert len(board.shots) == 3
    assert "2 video tracks: the first was read" in record.notes


@pytest.mark.parametrize("name", ["cut.mkv", "cut.ts"])
def test_a_truncated_file_is_read_as_far_as_it_goes(plain: Path, tmp_path: Path, name: str) -> None:
    run_ffmpeg("-i", str(plain), "-c", "copy", str(tmp_path / f"whole{name[3:]}"))
    content = (tmp_path / f"whole{name[3:]}").read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) * 3 // 4])
    board, record = read(tmp_path / name, tmp_path / "out")
    assert 40 < record.frames < 94
    assert starts(board)[0] == 0
    if name == "cut.mkv":  # a transport stream has no header that promises anything
        assert any("of the 3.92 s it promises" in note for note in record.notes)


def test_an_mp4_whose_end_is_missing_is_read_as_far_as_it_goes(plain: Path, tmp_path: Path) -> None:
    content = plain.read_bytes()  # the index stands first
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) * 3 // 4])
    _, record = read(tmp_path / "cut.mp4", tmp_path / "out")
    assert 40 < record.frames < 94
    assert any("promises" in note for note in record.notes)


def test_an_mp4_without_its_index_is_refused(plain: Path, tmp_path: Path) -> None:
    run_ffmpeg("-i", str(plain), "-c", "copy", str(tmp_path / "late.mp4"))  # here the index stands last
    content = (tmp_path / "late.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="ffmpeg says"):
        read(tmp_path / "cut.mp4", tmp_path / "out")


def test_broken_bytes_in_the_middle_are_told(plain: Path, tmp_path: Path) -> None:
    run_ffmpeg("-i", str(plain), "-c", "copy", str(tmp_path / "a.ts"))
    content = bytearray((tmp_path / "a.ts").read_bytes())
    half = len(content) // 2
    content[half : half + 3000] = b"\x55" * 3000
    (tmp_path / "a.ts").write_bytes(content)
    board, record = read(tmp_path / "a.ts", tmp_path / "out")
    assert len(board.shots) >= 2
    assert any("ffmpeg says" in note for note in record.notes)


def test_a_movie_that_changes_its_size_half_way(plain: Path, tmp_path: Path) -> None:
    write(tmp_path / "b.mp4", [40], first=70, size=(180, 360))
    for name in ("plain.ts", "b.ts"):
        source = plain if name == "plain.ts" else tmp_path / "b.mp4"
        run_ffmpeg("-i", str(source), "-c", "copy", "-bsf:v", "h264_mp4toannexb", str(tmp_path / name))
    joined = tmp_path / "joined.ts"
    run_ffmpeg("-i", f"concat:{tmp_path / 'plain.ts'}|{tmp_path / 'b.ts'}", "-c", "copy", str(joined))
    board, record = read(joined, tmp_path / "out")
    assert record.frames == 134
    assert len(board.shots) == 4
    assert unlike(keyframe(board, tmp_path / "out", 3), scene(70, (180, 360))) < 6


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    run_ffmpeg("-f", "lavfi", "-i", "sine=duration=1", str(tmp_path / "a.mp4"))
    with pytest.raises(InputError):
        read(tmp_path / "a.mp4", tmp_path / "out")


def test_a_single_frame_is_a_shot(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [1])
    board, _ = read(path, tmp_path / "out")
    assert [one.duration for one in board.shots] == ["1/24"]


def test_fast_finds_the_cuts_nearly(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", LENGTHS)
    board, record = read(path, tmp_path / "out", fast=True)
    assert record.frames < 94
    assert len(board.shots) == 3
    for found, true in zip(starts(board), CUTS, strict=True):
        assert 0 <= found - true <= Fraction(4, 24)


@pytest.mark.parametrize("kind", ["jpg", "webp", "png"])
def test_keyframes_come_in_three_formats(plain: Path, tmp_path: Path, kind: str) -> None:
    board, _ = read(plain, tmp_path / "out", keyframe_format=kind, picture={"short_side": 120})
    with Image.open(tmp_path / "out" / f"keyframes/0001.{kind}") as picture:
        assert picture.format == {"jpg": "JPEG"}.get(kind, kind.upper())
    assert unlike(keyframe(board, tmp_path / "out", 0), scene(0)) < 5
