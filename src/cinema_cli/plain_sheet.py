"""A storyboard as one plain picture: for a terminal's viewer, a README, a message."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from cinema_cli.contact_sheet import Run, name_hues, open_keyframe, text_runs
from cinema_cli.fields import seconds
from cinema_cli.storyboard import Shot, Storyboard

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

SHEET_NAME = "contact-sheet.png"
SHEET_SHOTS = 96
"""A plain picture shows at most so many shots, and says when there are more."""
CELL = (320, 160)
MARGIN = 16
LINES = 4
"""Lines of caption under a picture of the plain sheet."""
LINE = 19
PAPER, INK, DIM = (18, 18, 22), (226, 224, 218), (140, 138, 132)


def sheet_image(storyboard: Storyboard, folder: Path, columns: int = 4) -> "Image.Image":
    """A plain contact sheet: pictures in rows, each with its number, length and caption."""
    from PIL import Image, ImageDraw, ImageFont

    shown = storyboard.shots[:SHEET_SHOTS]
    columns = max(1, min(columns, len(shown)))
    width, height = CELL[0] + MARGIN, CELL[1] + LINE * (LINES + 1) + MARGIN + 8
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (columns * width + MARGIN, rows * height + 3 * LINE + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    title, body = ImageFont.load_default(22), ImageFont.load_default(14)
    more = f", the first {len(shown)} shown" if len(shown) < len(storyboard.shots) else ""
    draw.text((MARGIN, MARGIN), storyboard.title or "Untitled", INK, title)
    told = f"{len(storyboard.shots)} shots{more}"
    draw.text((sheet.width - MARGIN, MARGIN + 6), told, DIM, body, anchor="ra")
    hues = name_hues(storyboard)
    for index, shot in enumerate(shown):
        left = MARGIN + index % columns * width
        top = 3 * LINE + index // columns * height
        _draw_cell(draw, sheet, shot, folder, (left, top))
        _draw_runs(draw, text_runs(shot.caption, hues), (left, top + CELL[1] + 6 + LINE), body)
    return sheet


def _draw_cell(
    draw: "ImageDraw.ImageDraw", sheet: "Image.Image", shot: Shot, folder: Path, corner: tuple[int, int]
) -> None:
    from PIL import ImageFont, ImageOps

    left, top = corner
    picture = open_keyframe(shot, folder)
    draw.rectangle((left, top, left + CELL[0] - 1, top + CELL[1] - 1), (32, 32, 38))
    body = ImageFont.load_default(14)
    if picture is None:
        middle = (left + CELL[0] // 2, top + CELL[1] // 2)
        draw.text(middle, "not drawn yet", DIM, body, anchor="mm")
    else:
        fitted = ImageOps.contain(picture, CELL)
        sheet.paste(fitted, (left + (CELL[0] - fitted.width) // 2, top + (CELL[1] - fitted.height) // 2))
    below = top + CELL[1] + 6
    length = f"{float(seconds(shot.duration)):.3g} s"
    draw.text((left, below), f"{shot.id}  {shot.scene}"[:40], (240, 190, 90), body)
    draw.text((left + CELL[0], below), length, DIM, body, anchor="ra")


def _draw_runs(
    draw: "ImageDraw.ImageDraw",
    runs: list[Run],
    corner: tuple[int, int],
    font: "ImageFont.FreeTypeFont | ImageFont.ImageFont",
) -> None:
    """Set text word by word into the width of a cell; what does not fit ends in an ellipsis."""
    from PIL import ImageColor

    left, top = corner
    x, line = 0.0, 0
    space = draw.textlength(" ", font)
    for text, hue in runs:
        colour = INK if hue is None else ImageColor.getrgb(f"hsl({hue:.0f}, 80%, 70%)")
        for blank, word in re.findall(r"(\s*)(\S+|$)", text):
            x += space if blank and x else 0
            length = draw.textlength(word, font)
            if x + length > CELL[0] - (line == LINES - 1) * 2 * space:
                x, line = 0.0, line + 1
            if line == LINES:
                draw.text((left + CELL[0], top + (LINES - 1) * LINE), "…", DIM, font, anchor="ra")
                return
            draw.text((left + x, top + line * LINE), word, colour, font)
            x += length
