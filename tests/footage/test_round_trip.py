"""Movies whose truth is known, ingested: films that cinema made, and movies of the theatre."""

from fractions import Fraction
from pathlib import Path

import pytest

from cinema_cli.dataset import Ingested
from cinema_cli.ffmpeg import encode
from cinema_cli.fields import seconds
from cinema_cli.progress import Progress
from cinema_cli.rendering.film import assemble
from cinema_cli.storyboard import Shot, Storyboard
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.movies import Truth, write_movies
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import CLIP_RATE
from ingested import ingest, starts


def test_a_rendered_film_has_the_cuts_it_was_rendered_with(tmp_path: Path) -> None:
    """Assembled as ``cinema render`` does: clips at 8 frames a second, each frame shown three times."""
    counts = (8, 12, 6, 16, 10, 9)
    drawn = write_movie(seed=5, shots=60).shots
    chosen = [drawn[0]]
    for shot in drawn:
        if shot.staged.place != chosen[-1].staged.place and len(chosen) < len(counts):
            chosen.append(shot)
    shots = []
    for number, (shot, count) in enumerate(zip(chosen, counts, strict=True), start=1):
        clip = f"clips/{number:04d}.mp4"
        frames = (draw_frame(shot.staged, index / CLIP_RATE) for index in range(count))
        encode(frames, tmp_path / clip, Fraction(CLIP_RATE))
        shots.append(Shot(id=f"{number:04d}", duration=str(Fraction(count, CLIP_RATE)), clip=clip))
    board = Storyboard(title="six", frame_size=(128, 256), shots=tuple(shots))
    film = assemble(board, tmp_path, tmp_path / "film.mp4")
    (outcome,) = ingest([tmp_path / "film.mp4"], tmp_path / "ds").outcomes
    assert outcome.folder is not None
    assert tuple(starts(outcome.folder)) == (0, *film.cuts)
    again = Storyboard.load(outcome.folder)
    assert [seconds(shot.duration) for shot in again.shots] == [
        seconds(shot.duration) for shot in board.shots
    ]


def hard_cuts(truth: Truth, found: list[int]) -> tuple[int, int, int]:
    """Hard cuts that are found within a frame, those that are missed, and what is found besides."""
    hard = [shot.start_frame for shot in truth.shots if shot.transition == "cut"]
    soft = [
        range(shot.start_frame - 1, shot.start_frame + shot.transition_frames + 2)
        for shot in truth.shots
        if shot.transition == "dissolve"
    ]
    hits = sum(any(abs(cut - one) <= 1 for one in found) for cut in hard)
    false = [
        one
        for one in found
        if not any(abs(cut - one) <= 1 for cut in hard) and not any(one in few for few in soft)
    ]
    return hits, len(hard) - hits, len(false)


def f1(hits: int, missed: int, false: int) -> float:
    return 2 * hits / (2 * hits + missed + false)


def test_the_hard_cuts_of_a_theatre_movie_are_found(tmp_path: Path) -> None:
    (written,) = write_movies(tmp_path, 1, 0.25, 2, Progress(quiet=True))
    truth = Truth.load(written.sidecar)
    (outcome,) = ingest([written.path], tmp_path / "ds").outcomes
    assert outcome.folder is not None
    record = Ingested.load(outcome.folder)
    assert record.picture == truth.picture
    assert record.sha256 == truth.sha256
    assert f1(*hard_cuts(truth, starts(outcome.folder)[1:])) >= 0.99
    assert outcome.kept >= outcome.shots - 1


@pytest.mark.slow
def test_the_hard_cuts_of_many_theatre_movies_are_found(tmp_path: Path) -> None:
    written = write_movies(tmp_path, 4, 1.0, 40, Progress(quiet=True))
    counts = [0, 0, 0]
    for one, outcome in zip(
        written, ingest([w.path for w in written], tmp_path / "ds").outcomes, strict=True
    ):
        assert outcome.folder is not None
        found = hard_cuts(Truth.load(one.sidecar), starts(outcome.folder)[1:])
        counts = [count + more for count, more in zip(counts, found, strict=True)]
    assert f1(*counts) >= 0.99
