from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from threading import enumerate as threads

import ffmpeg as graphs
import numpy as np
import pytest

from cinema_cli import process
from cinema_cli.errors import InputError, MissingError
from cinema_cli.ffmpeg import (
    Frame,
    Lens,
    Part,
    Watch,
    decode,
    encode,
    ffmpeg_version,
    find_ffmpeg,
    join,
    probe,
)
from cinema_cli.ffmpeg.binary import is_capable
from cinema_cli.ffmpeg.watching import to_rgb

RATE = Fraction(24)


def gradient(seed: int, count: int, size: tuple[int, int] = (64, 96)) -> list[Frame]:
    """Smooth coloured frames, each a little brighter, so that order can be read back."""
    height, width = size
    across = np.linspace(20, 120, width)[None, :, None] * np.ones((height, 1, 3))
    tint = np.array([seed * 37 % 90, seed * 53 % 90, seed * 71 % 90])
    return [(across + tint + 2 * index).astype(np.uint8) for index in range(count)]


def run_ffmpeg(*arguments: str) -> None:
    """Make a file by ffmpeg's own means, to be read by ours."""
    graphs_command = [find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", *arguments]
    with process.Child(graphs_command, "make a test movie", feeds=True) as child:
        child.finish()


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("movie") / "movie.mp4"
    encode(gradient(1, 20), path, RATE)
    return path


def test_binding_and_binary_are_the_right_ones() -> None:
    assert callable(graphs.compile)
    assert ffmpeg_version().lstrip("n")[0].isdigit() or ffmpeg_version().startswith("N-")


@pytest.mark.parametrize(
    ("version", "capable"),
    [
        ("ffmpeg version 7.1.1-1 Copyright\nconfiguration: --enable-libx264", True),
        ("ffmpeg version n6.1 Copyright\nconfiguration: --enable-libx264", True),
        ("ffmpeg version N-118193-g5f38c82536 Copyright\nconfiguration: --enable-libx264", True),
        ("ffmpeg version 5.1.6-0+deb12u1 Copyright\nconfiguration: --enable-libx264", False),
        ("ffmpeg version 7.1 Copyright\nconfiguration: --enable-libopenh264", False),
    ],
)
def test_old_or_crippled_system_ffmpeg_is_not_taken(version: str, capable: bool) -> None:
    assert is_capable(version) is capable


def test_frames_come_back_as_they_were(movie: Path) -> None:
    wanted = gradient(1, 20)
    found = list(decode(movie))
    assert len(found) == 20
    for before, after in zip(wanted, found, strict=True):
        error = np.abs(before.astype(int) - after.astype(int))
        assert error.mean() < 1.5
        assert after.dtype == np.uint8


def test_probe_counts_and_times_every_frame(movie: Path) -> None:
    info = probe(movie)
    assert (info.height, info.width, info.frames, info.rate) == (64, 96, 20, RATE)
    assert info.duration == Fraction(20, 24)
    assert [info.time(index) for index in (0, 7, 20)] == [0, Fraction(7, 24), Fraction(20, 24)]
    assert not info.has_audio
    assert info.pixel_aspect == 1


@pytest.mark.parametrize("every", [1, 7, 200])
def test_rare_large_pictures_do_not_hold_the_small_ones_up(tmp_path: Path, every: int) -> None:
    frames = gradient(3, 40) * 5
    encode(frames, tmp_path / "a.mp4", RATE)
    info = probe(tmp_path / "a.mp4")
    lens = Lens((0, 0, 64, 96), (320, 480), large=(64, 96), every=every)
    glances = list(Watch(tmp_path / "a.mp4", info, lens))
    assert [glance.number for glance in glances if glance.large is not None] == list(range(0, 200, every))
    for glance in glances:
        if glance.large is not None:
            shown = to_rgb(glance.large, "bt709").astype(int)
            assert np.abs(shown - frames[glance.number]).mean() < 6


def test_ntsc_rate_is_exact_in_mp4_and_matroska(tmp_path: Path) -> None:
    rate = Fraction(24000, 1001)
    encode(gradient(2, 12), tmp_path / "a.mp4", rate)
    run_ffmpeg("-i", str(tmp_path / "a.mp4"), "-c", "copy", str(tmp_path / "a.mkv"))
    assert probe(tmp_path / "a.mp4").rate == rate
    assert probe(tmp_path / "a.mkv").rate == rate
    assert probe(tmp_path / "a.mkv").frames == 12


def test_colours_are_tagged_so_that_players_agree(movie: Path) -> None:
    command = [find_ffmpeg(), "-hide_banner", "-i", str(movie), "-t", "0", "-f", "null", "-"]
    with process.Child(command, "read tags") as child:
        child.finish()
        log = child.log()
    assert "yuv420p(tv, bt709" in log
    content = movie.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # faststart: a player can begin at once


def test_scale_and_crop_happen_inside_ffmpeg(movie: Path) -> None:
    assert next(decode(movie, (32, 48))).shape == (32, 48, 3)
    whole, part = next(decode(movie)), next(decode(movie, crop=(10, 20, 30, 41)))
    assert part.shape == (30, 41, 3)
    assert np.abs(whole[10:40, 20:61].astype(int) - part.astype(int)).max() <= 6


def test_variable_frame_rate_loses_no_frame(tmp_path: Path, movie: Path) -> None:
    jumpy = tmp_path / "vfr.mkv"
    uneven = "settb=1/1000,setpts=41*N+15*mod(N\\,3)"
    run_ffmpeg(
        "-i", str(movie), "-vf", uneven, "-fps_mode", "passthrough", "-enc_time_base", "1/1000", str(jumpy)
    )
    info = probe(jumpy)
    assert len(list(decode(jumpy))) == info.frames == 20
    assert len({b - a for a, b in pairwise(info.ticks)}) > 1


def test_sound_is_seen_and_turned_pictures_are_counted_as_shown(tmp_path: Path, movie: Path) -> None:
    path = tmp_path / "turned.mp4"
    tone = ("-f", "lavfi", "-i", "sine=duration=0.5")
    run_ffmpeg("-display_rotation", "90", "-i", str(movie), *tone, "-c:v", "copy", str(path))
    info = probe(path)
    assert info.has_audio
    assert (info.height, info.width) == (96, 64)
    assert next(decode(path)).shape == (96, 64, 3)


def test_closing_early_leaves_no_child(movie: Path) -> None:
    before = set(threads())
    frames = decode(movie)
    next(frames)
    assert set(threads()) > before
    frames.close()
    assert set(threads()) == before


def test_join_cuts_exactly(tmp_path: Path) -> None:
    counts = (7, 24, 10)
    parts = [
        Part(f"000{n} a=b; #c \\ d", gradient(3 * n, count), count) for n, count in enumerate(counts, start=1)
    ]
    out = tmp_path / "film.mp4"
    assert join(parts, out, RATE, size_out=(128, 192), metadata={"title": "Lamp = Keeper; 1"}) == 41
    found = list(decode(out))
    assert len(found) == 41
    assert found[0].shape == (128, 192, 3)
    steps = [np.abs(b.astype(int) - a.astype(int)).mean() for a, b in pairwise(found)]
    assert {index + 1 for index, step in enumerate(steps) if step > 10} == {7, 31}
    assert len(list(decode(out, keyframes_only=True))) == 3
    notes = tmp_path / "notes.txt"
    run_ffmpeg("-i", str(out), "-f", "ffmetadata", str(notes))
    text = notes.read_text()
    assert "title=Lamp \\= Keeper\\; 1" in text
    assert text.count("[CHAPTER]") == 3
    assert "title=0002 a\\=b\\; \\#c \\\\ d" in text


@pytest.mark.parametrize(("frames", "found"), [(5, "found 5"), (7, "found more")])
def test_join_refuses_a_part_of_another_length(tmp_path: Path, frames: int, found: str) -> None:
    out = tmp_path / "film.mp4"
    with pytest.raises(InputError, match=f"0001: wanted 6 frames, {found}"):
        join([Part("0001", gradient(1, frames), 6)], out, RATE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("concat.mp4", "ffconcat version 1.0\nfile '{movie}'\n"),
        ("playlist.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{movie}\n#EXT-X-ENDLIST\n"),
        ("notes.mkv", "no movie at all"),
        ("empty.mov", ""),
    ],
)
def test_what_only_looks_like_a_movie_is_refused(
    tmp_path: Path, movie: Path, name: str, content: str
) -> None:
    path = tmp_path / name
    path.write_text(content.format(movie=movie))
    with pytest.raises(InputError, match=f"{name}.*ffmpeg says"):
        probe(path)
    with pytest.raises(InputError, match="ffmpeg says"):
        list(decode(path, (64, 96)))


def test_truncated_movie_is_refused(tmp_path: Path, movie: Path) -> None:
    path = tmp_path / "half.mp4"
    path.write_bytes(movie.read_bytes()[:1500])
    with pytest.raises(InputError):
        list(decode(path))


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.mkv"
    source = ("-f", "lavfi", "-i", "color=black:s=9000x9000:d=0.04:r=25")
    run_ffmpeg(*source, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", str(bomb))
    with pytest.raises(InputError):
        list(decode(bomb, (64, 64)))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found nothing"):
        probe(tmp_path / "none.mp4")
    with pytest.raises(InputError, match="found a folder"):
        list(decode(tmp_path))


def test_stalled_child_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STALL", 0.2)
    with (
        process.Child(["/bin/sh", "-c", "exec sleep 60"], "wait") as child,
        pytest.raises(InputError, match="did not answer in time"),
    ):
        child.finish()


def test_endless_complaints_are_capped() -> None:
    script = "i=0; while [ $i -lt 20000 ]; do echo complaint $i >&2; i=$((i+1)); done; exit 1"
    with process.Child(["/bin/sh", "-c", script], "listen") as child:
        with pytest.raises(InputError, match="complaint 19999"):
            child.finish()
        assert len(child.log()) <= 49152 + 4096


def test_encode_refuses_what_it_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"older")
    with pytest.raises(InputError, match="even height and width"):
        encode(gradient(1, 2, (63, 96)), path, RATE)
    with pytest.raises(InputError, match="found none"):
        encode([], path, RATE)
    with pytest.raises(InputError, match="at frame 2"):
        encode([*gradient(1, 2), *gradient(1, 1, (32, 32))], path, RATE)
    with pytest.raises(ZeroDivisionError):
        encode((np.uint8(1 // (3 - n)) * gradient(1, 1)[0] for n in range(9)), path, RATE)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_failing_encoder_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="ffmpeg says"):
        encode(gradient(1, 3), tmp_path / "film.mp4", RATE, crf=-99)
