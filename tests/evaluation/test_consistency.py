"""Films of plain colours whose scores can be worked out, and drawn films before the embedded CLIP."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cinema_cli.errors import InputError, Interrupted
from cinema_cli.evaluation.consistency import COLUMNS, EncoderConfig, measure_encoders
from cinema_cli.evaluation.encoders import ImageEncoder, WordEncoder, load_encoder, load_word_encoder
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.report import Score, Section
from cinema_cli.ffmpeg import encode
from cinema_cli.progress import Progress
from cinema_cli.storyboard import Shot, Storyboard
from clipped_films import clipped_film
from colour_encoder import ColourEncoder
from kept_films import change_shots, drawn_film
from tiny_encoders import build_dino

SIZE = (32, 64)
RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)
YELLOW = (141, 141, 0)
"""Its cosine with RED, and with GREEN, is the root of one half."""
HALF = 0.5**0.5
Colour = tuple[int, int, int]


def picture(colour: Colour) -> np.ndarray:
    return np.full((*SIZE, 3), colour, np.uint8)


def coloured_film(folder: Path, *told: tuple[str, Colour | None, Sequence[Colour]]) -> Film:
    """A film of shots with a caption, a keyframe and the frames of a clip."""
    shots = []
    for number, (caption, keyframe, clip) in enumerate(told, start=1):
        names: dict[str, str] = {}
        if keyframe is not None:
            names["keyframe"] = f"keyframes/{number:04d}.png"
            (folder / "keyframes").mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture(keyframe)).save(folder / names["keyframe"])
        if clip:
            names["clip"] = f"clips/{number:04d}.mp4"
            (folder / "clips").mkdir(parents=True, exist_ok=True)
            encode([picture(colour) for colour in clip], folder / names["clip"], Fraction(8))
        shots.append(Shot(id=f"{number:04d}", duration="1", caption=caption, **names))
    Storyboard(frame_size=SIZE, shots=tuple(shots)).save(folder)
    return Film.open(folder)


def measure(film: Film, clip: WordEncoder | None = None, subject: ImageEncoder | None = None) -> Section:
    with Progress(quiet=True) as progress:
        return measure_encoders(film, clip or ColourEncoder(), subject, progress)


def scores(section: Section) -> dict[str, Score]:
    return {score.key: score for score in section.scores}


def close(value: float) -> object:
    """Per cent; a colour comes out of an mp4 a little changed."""
    return pytest.approx(value, abs=0.5)


# -- by hand -------------------------------------------------------------------------------------


def test_within_clips_and_across_them(tmp_path: Path) -> None:
    film = coloured_film(
        tmp_path,
        ("red", RED, [RED, RED, RED]),  # 1, 1
        ("red", RED, [RED, YELLOW, GREEN]),  # (h + h) / 2, (h + 0) / 2
        ("blue", BLUE, [BLUE, BLUE]),  # 1
    )
    section = measure(film, subject=ColourEncoder())
    found = scores(section)
    within = (1 + 1 + HALF + HALF / 2 + 1) / 5
    across = (1 + 0) / 2  # red, red, blue: the second as the first, the third as none
    for key in ("subject", "background"):
        assert found[f"{key}_consistency"].value == close(100 * within)
        assert found[f"{key}_consistency"].n == 5
        assert found[f"{key}_across"].value == close(100 * across)
        assert found[f"{key}_across"].n == 2
    assert found["consistency"].value == close(100 * within)
    assert found["subject_long"].value == close(100 * (0.7 * within + 0.3 * across))
    assert found["background_long"].value == close(100 * (0.8 * within + 0.2 * across))
    assert {found[key].unit for key in ("consistency", "subject_long")} == {"%"}
    assert section.columns == COLUMNS
    rows = [section.shots[shot.id][:2] for shot in film.shots]
    assert rows == [(close(100),) * 2, (close(75 * HALF),) * 2, (close(100),) * 2]


class Halved(ColourEncoder):
    """Sees no green."""

    name = "halved"

    def image(self, frames: np.ndarray) -> np.ndarray:
        return super().image(frames * np.array([1, 0, 1], np.uint8))


def test_table_1_takes_the_mean_of_both_sides(tmp_path: Path) -> None:
    film = coloured_film(tmp_path, ("red", RED, [RED, YELLOW]))
    section = measure(film, subject=Halved())
    found = scores(section)
    assert found["subject_consistency"].value == close(100)
    assert found["background_consistency"].value == close(100 * HALF)
    assert found["consistency"].value == close(50 * (1 + HALF))
    assert section.title == "Encoders: halved for subjects, colours for the rest"


def test_captions_are_compared_with_their_own_keyframe(tmp_path: Path) -> None:
    film = coloured_film(
        tmp_path,
        ("A red wall.", RED, []),
        ("A red wall.", YELLOW, []),
        ("", RED, []),
        ("A red wall.", None, []),
    )
    section = measure(film)
    found = scores(section)["text_alignment"]
    assert found.value == pytest.approx((1 + HALF) / 2, abs=1e-4)
    assert found.n == 2
    assert "only the beginning" not in found.note
    assert [section.shots[shot.id][2] for shot in film.shots] == [
        pytest.approx(1, abs=1e-4),
        pytest.approx(HALF, abs=1e-4),
        None,
        None,
    ]


def test_captions_that_are_too_long_are_counted(tmp_path: Path) -> None:
    film = coloured_film(tmp_path, ("red " * 30, RED, []), ("blue", BLUE, []))
    assert "of 1 captions only the beginning is read" in scores(measure(film))["text_alignment"].note


def test_characters_are_known_again_by_their_keyframes(tmp_path: Path) -> None:
    film = coloured_film(
        tmp_path,
        ("<Mira>, red", RED, []),
        ("<Tom>, blue", BLUE, []),
        ("<Mira>, red", YELLOW, []),
        ("<Mira>, red, and <Tom>", GREEN, []),
        ("<Mira>, red", GREEN, []),
    )
    section = measure(film)
    found = scores(section)
    assert found["identity_consistency"].value == pytest.approx(0.5)  # yellow passes, green does not
    assert found["identity_cosine"].value == pytest.approx(2 * HALF / 3, abs=1e-4)
    assert found["identity_between"].value == pytest.approx(0, abs=1e-4)
    assert section.shots["0003"][3] == pytest.approx(HALF, abs=1e-4)
    assert section.shots["0001"][3] is None


# -- what is missing -----------------------------------------------------------------------------


def test_without_clips_nothing_is_said_within_them(tmp_path: Path) -> None:
    film = coloured_film(tmp_path, ("red", RED, []), ("blue", BLUE, []), ("red", RED, [RED]))
    section = measure(film, subject=ColourEncoder())
    found = scores(section)
    for key in ("subject_consistency", "background_consistency", "consistency"):
        assert found[key].value is None
        assert found[key].note == "no clip of two frames or more"
    assert found["background_across"].value == close(25)  # blue: 0; red: 0 and 1
    assert found["background_long"].value is None
    assert "Shots without a clip: 2. Across clips their keyframe stands in for it." in section.notes
    assert all(row[:2] == (None, None) for row in section.shots.values())


def test_without_an_encoder_of_subjects_they_are_not_measured(tmp_path: Path) -> None:
    section = measure(coloured_film(tmp_path, ("red", RED, [RED, RED]), ("red", RED, [RED, RED])))
    found = scores(section)
    for key in ("subject_consistency", "subject_across", "consistency"):
        assert found[key].value is None
        assert "facebook/dino-vitb16" in found[key].note
    assert found["background_consistency"].value == close(100)
    assert section.title == "Encoders: colours"


def test_a_film_without_pictures_or_words(tmp_path: Path) -> None:
    section = measure(coloured_film(tmp_path, ("", None, []), ("", None, [])), subject=ColourEncoder())
    assert all(score.value is None and score.note for score in section.scores)
    assert set(section.shots.values()) == {(None, None, None, None)}


def test_a_broken_clip_is_told(tmp_path: Path) -> None:
    film = coloured_film(tmp_path, ("red", RED, [RED, RED]))
    (tmp_path / "clips/0001.mp4").write_bytes(b"no film")
    with pytest.raises(InputError, match=r"0001.mp4"):
        measure(film)


def test_a_signal_ends_the_work_between_two_shots(tmp_path: Path) -> None:
    film = coloured_film(tmp_path, ("red", RED, []), ("red", RED, []))
    with Progress(quiet=True) as progress, pytest.raises(Interrupted, match="stopped on request"):
        measure_encoders(film, ColourEncoder(), None, progress, stopped=lambda: True)


# -- real encoders -------------------------------------------------------------------------------


def test_the_embedded_clip_before_a_drawn_film(tmp_path: Path) -> None:
    film = Film.open(clipped_film(tmp_path / "film", [5, 9, 5, 5]))
    cpu = torch.device("cpu")
    config = EncoderConfig(subject=str(build_dino(tmp_path / "dino")))
    assert config.subject is not None
    section = measure(film, load_word_encoder(config.clip, cpu), load_encoder(config.subject, cpu))
    found = scores(section)
    assert (found["background_consistency"].n, found["subject_consistency"].n) == (20, 20)
    for key in ("subject_consistency", "background_consistency", "consistency"):
        assert 50 < found[key].value <= 100
    assert found["background_across"].value < found["background_consistency"].value
    assert "The encoder toy has seen the theatre's puppets and nothing else." in section.notes
    assert all(cell is not None for row in section.shots.values() for cell in row[:3])


def test_captions_of_other_shots_fit_worse(tmp_path: Path) -> None:
    film = Film.open(drawn_film(tmp_path / "film", 8, seed=3, frame_size=(128, 256)))
    clip = load_word_encoder("toy", torch.device("cpu"))
    right = scores(measure(film, clip))["text_alignment"].value
    captions = [shot.caption for shot in film.shots]
    moved = {number: {"caption": captions[(number + 2) % 8]} for number in range(1, 9)}
    change_shots(film.folder, moved)
    wrong = scores(measure(Film.open(film.folder), clip))["text_alignment"].value
    assert right is not None
    assert wrong is not None
    assert right > wrong + 0.1
