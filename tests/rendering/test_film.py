from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scenedetect import ContentDetector, FrameTimecode

from cinema_cli.errors import InputError
from cinema_cli.ffmpeg import decode, encode, find_ffmpeg, probe
from cinema_cli.process import Child
from cinema_cli.rendering.film import FilmInfo, assemble
from cinema_cli.storyboard import Shot, Storyboard
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import CLIP_RATE

FRAMES = (8, 12, 6, 16)
"""Frames of each clip; at 8 a second a shot lasts 1, 3/2, 3/4 and 2 s."""


def write_storyboard(folder: Path) -> Storyboard:
    """Four drawn shots with clips, every one at another place than the shot before it."""
    drawn = write_movie(seed=5, shots=40).shots
    chosen = [drawn[0]]
    for shot in drawn:
        if shot.staged.place != chosen[-1].staged.place and len(chosen) < len(FRAMES):
            chosen.append(shot)
    shots = []
    for number, (shot, count) in enumerate(zip(chosen, FRAMES, strict=True), start=1):
        clip = f"clips/{number:04d}.mp4"
        frames = [draw_frame(shot.staged, index / CLIP_RATE) for index in range(count)]
        encode(frames, folder / clip, Fraction(CLIP_RATE))
        duration = str(Fraction(count, CLIP_RATE))
        shots.append(Shot(id=f"{number:04d}", caption=shot.caption, duration=duration, clip=clip))
    board = Storyboard(title="A; small = film #1", caption="Four shots.", frame_size=(128, 256), shots=shots)
    board.save(folder)
    return Storyboard.load(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("film")


@pytest.fixture(scope="module")
def board(folder: Path) -> Storyboard:
    return write_storyboard(folder)


@pytest.fixture(scope="module")
def film(board: Storyboard, folder: Path) -> FilmInfo:
    return assemble(board, folder, folder / "film.mp4")


def with_clip(board: Storyboard, number: int, **changes: object) -> Storyboard:
    shots = list(board.shots)
    shots[number] = shots[number].model_copy(update=changes)
    return board.model_copy(update={"shots": tuple(shots)})


def test_every_frame_is_accounted_for(film: FilmInfo) -> None:
    info = probe(film.path)
    assert film.frames == info.frames == 3 * sum(FRAMES)
    assert film.seconds == info.duration == Fraction(sum(FRAMES), CLIP_RATE)
    assert info.rate == 24
    assert (info.height, info.width) == (512, 1024)
    assert film.cuts == (24, 60, 78)


def test_film_shows_each_clip_between_its_cuts(film: FilmInfo, board: Storyboard, folder: Path) -> None:
    shown = list(decode(film.path, (128, 256)))
    clips = [frame for shot in board.shots for frame in decode(folder / str(shot.clip))]
    for index, frame in enumerate(shown):
        assert np.abs(frame.astype(int) - clips[index // 3].astype(int)).mean() < 4
    assert {len(list(decode(film.path, (32, 64), keyframes_only=True)))} == {len(FRAMES)}


def test_a_cut_detector_finds_the_cuts(film: FilmInfo) -> None:
    detector = ContentDetector(min_scene_len=12)
    found = []
    for index, frame in enumerate(decode(film.path, (128, 256))):
        found += detector.process_frame(FrameTimecode(index, Fraction(24)), frame[..., ::-1])
    found += detector.post_process(FrameTimecode(film.frames, Fraction(24)))
    assert [cut.frame_num for cut in found] == list(film.cuts)


def test_chapters_and_title_are_in_the_file(film: FilmInfo, board: Storyboard) -> None:
    command = [find_ffmpeg(), "-hide_banner", "-i", str(film.path), "-f", "ffmetadata", "-"]
    with Child(command, "read chapters") as child:
        lines = list(child.lines())
        child.finish()
    assert "title=A\\; small \\= film \\#1" in lines
    starts = [int(line.removeprefix("START=")) for line in lines if line.startswith("START=")]
    assert starts == [1000 * cut // 24 for cut in (0, *film.cuts)]
    titles = [line.removeprefix("title=") for line in lines if line.startswith("title=0")]
    assert [title[:4] for title in titles] == [shot.id for shot in board.shots]
    assert all("<" not in title and len(title) > 10 for title in titles)


@pytest.mark.parametrize("duration", ["5/4", "7/4", "3"])
def test_a_clip_of_another_length_is_refused(board: Storyboard, folder: Path, duration: str) -> None:
    wrong = with_clip(board, 1, duration=duration)
    with pytest.raises(InputError, match=r"Shot 0002: wanted .* frames .* found a clip of 12.*--redo 0002"):
        assemble(wrong, folder, folder / "wrong.mp4")
    assert not (folder / "wrong.mp4").exists()


def test_a_missing_clip_is_named(board: Storyboard, folder: Path) -> None:
    with pytest.raises(InputError, match="shots 0003 have none"):
        assemble(with_clip(board, 2, clip=None), folder, folder / "wrong.mp4")
    with pytest.raises(InputError, match="no shot"):
        assemble(board.model_copy(update={"shots": ()}), folder, folder / "wrong.mp4")


def test_clips_that_do_not_fit_together_are_refused(board: Storyboard, folder: Path) -> None:
    frames = [draw_frame(write_movie(1, 1).shots[0].staged, 0, (64, 128))] * 10
    encode(frames, folder / "clips/small.mp4", Fraction(8))
    with pytest.raises(InputError, match="Shot 0002: wanted a clip of 128x256"):
        assemble(with_clip(board, 1, clip="clips/small.mp4", duration="5/4"), folder, folder / "wrong.mp4")
    encode(list(decode(folder / "clips/0002.mp4"))[:10], folder / "clips/ten.mp4", Fraction(10))
    with pytest.raises(InputError, match="goes into 24 frames a second, found 10"):
        assemble(with_clip(board, 1, clip="clips/ten.mp4", duration="1"), folder, folder / "wrong.mp4")


@pytest.mark.parametrize("colour", [(0, 0, 0), (90, 160, 40)])
def test_a_flat_frame_is_refused(board: Storyboard, folder: Path, colour: tuple[int, int, int]) -> None:
    frames = list(decode(folder / "clips/0002.mp4"))
    frames[7] = np.full_like(frames[7], colour)
    encode(frames, folder / "clips/flat.mp4", Fraction(8))
    with pytest.raises(InputError, match=r"Shot 0002: .*nothing but the colour .* in frame 7"):
        assemble(with_clip(board, 1, clip="clips/flat.mp4"), folder, folder / "wrong.mp4")
    assert not (folder / "wrong.mp4").exists()
