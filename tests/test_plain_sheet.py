from pathlib import Path

import numpy as np
from PIL import Image

from cinema_cli.models.pictures import write_picture
from cinema_cli.plain_sheet import PAPER, SHEET_SHOTS, sheet_image
from cinema_cli.storyboard import Shot, Storyboard
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie


def test_sheet_image_shows_pictures_and_words(tmp_path: Path) -> None:
    (tmp_path / "keyframes").mkdir()
    write_picture(tmp_path / "keyframes/0001.png", draw_frame(write_movie(3, 1).shots[0].staged))
    caption = "<Mira> waves to <O'Neil>, 1 < 2."
    drawn = Shot(id="0001", caption=caption, duration="2", keyframe="keyframes/0001.png")
    board = Storyboard(frame_size=(128, 256), shots=(drawn, Shot(id="0002", duration="2")))
    sheet = np.asarray(sheet_image(board, tmp_path, columns=2))
    first = sheet[57:217, 16:336]
    wanted = Image.open(tmp_path / "keyframes/0001.png").convert("RGB").resize((320, 160))
    assert np.abs(first.astype(int) - np.asarray(wanted, dtype=int)).mean() < 8
    words = sheet[242:318, 16:336].reshape(-1, 3)
    assert (words.max(axis=1) > 150).any()
    assert (np.ptp(words.astype(int), axis=1) > 60).any()  # the coloured names
    assert (sheet[:, :16] == PAPER).all()
    assert (sheet[:, -16:] == PAPER).all()


def test_sheet_image_of_many_shots_is_bounded(tmp_path: Path) -> None:
    few = [Shot(id=f"{n:04d}", duration="2", caption="word " * 200) for n in range(SHEET_SHOTS)]
    more = [*few, *(Shot(id=f"x{n}", duration="2") for n in range(40))]
    sheets = [sheet_image(Storyboard(frame_size=(8, 16), shots=shots), tmp_path) for shots in (few, more)]
    assert sheets[0].size == sheets[1].size
