import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinema_cli.errors import InputError
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.page import PAGE_NAME, inlined, write_page
from cinema_cli.evaluation.plots import line_plot
from cinema_cli.evaluation.published import Table2Row
from cinema_cli.evaluation.report import FilmReport, Score, Section
from cinema_cli.storyboard import Shot
from measured_films import made_film

EVIL = '<script>alert(1)</script>"&'


class Page(HTMLParser):
    """Every tag with its attributes, and the text that is seen, a cell a word."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, name: str) -> list[str]:
        return [str(attrs[name]) for found, attrs in self.tags if found == tag and name in attrs]


def report(film: Film, name: str = "A film", **changes: object) -> FilmReport:
    section = {
        "name": "pixels",
        "title": "Without downloads",
        "how": "By hand.",
        "scores": (
            Score(key="found", text="Found", value=75, unit="%", n=4, low=30, high=95, better="higher"),
            Score(key="sharp", text="Sharp", value=6.5, note="at a short side of 256"),
            Score(key="missing", text="Missing", value=None, note="no clips"),
        ),
        "columns": ("sharp", "dynamic", "nearest", "same"),
        "shots": {shot.id: (float(n), n > 1, "0001", 5.0) for n, shot in enumerate(film.shots, 1)},
        "notes": ("0002 repeats 0001.",),
    }
    return FilmReport(
        title=name,
        folder=film.folder.name,
        storyboard_sha256=film.sha256,
        shots=len(film.shots),
        sections=(Section.model_validate({**section, **changes}),),
    )


def page_of(reports: list[FilmReport], films: list[Film], out: Path, **more: object) -> Page:
    path = write_page(reports, films, out, **more)  # type: ignore[arg-type]
    assert path == out / PAGE_NAME
    return Page(path.read_text(encoding="utf-8"))


def test_the_page_shows_everything_that_was_measured(tmp_path: Path) -> None:
    film = made_film(tmp_path / "film", 3, clips=False)
    page = page_of([report(film)], [film], tmp_path)
    assert "Found ↑ 75.0 % 30.0 % to 95.0 % 4" in page.text
    assert "Sharp 6.5 at a short side of 256" in page.text
    assert "Missing - no clips" in page.text
    assert "0002 repeats 0001." in page.text
    assert "Shot sharp dynamic nearest same 0001 1 no 0001 5 0002 2 yes 0001 5" in page.text
    assert "3 shots · 0:03" in page.text
    assert "Captain Cinema 57.2 61.7 91.0 65.4 26.1 3.3 3.7" in page.text
    assert "The films beside each other" not in page.text


def test_every_shot_has_its_picture_and_its_values(tmp_path: Path) -> None:
    film = made_film(tmp_path / "film", 3, clips=False)
    board = film.board.model_copy(update={"shots": (*film.shots, Shot(id="0004", duration="1"))})
    film = Film(film.folder, board)
    page = page_of([report(film)], [film], tmp_path)
    pictures = page.all("img", "src")
    assert len(pictures) == 3
    for shot, uri in zip(film.shots, pictures, strict=False):
        head, _, data = uri.partition(",")
        assert head == "data:image/jpeg;base64"
        small = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).resize((256, 128)), dtype=int)
        assert np.abs(small - film.keyframe(shot)).mean() < 5
    assert page.text.count("not drawn yet") == 1
    assert page.text.count("Without downloads sharp") == 4
    targets = {target[1:] for target in page.all("a", "href")}
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    assert targets <= ids


def test_the_page_asks_nothing_of_the_network_and_runs_no_script(tmp_path: Path) -> None:
    film = made_film(tmp_path / "film", 2, clips=False)
    shots = tuple(shot.model_copy(update={"caption": EVIL}) for shot in film.shots)
    film = Film(film.folder, film.board.model_copy(update={"title": EVIL, "shots": shots}))
    evil = report(film, EVIL, title=EVIL, how=EVIL, notes=(EVIL,), columns=(EVIL, "b", "c", "d"))
    score = Score(key="a", text=EVIL, value=1.0, note=EVIL, target=EVIL)
    evil = evil.model_copy(
        update={"sections": (evil.sections[0].model_copy(update={"scores": (score,)}),), "folder": EVIL}
    )
    figure = line_plot({EVIL: [(1, 1)]}, EVIL, EVIL, EVIL)
    row = Table2Row(EVIL, 8)
    path = write_page([evil, evil], [film, film], tmp_path, stress=[row], figures=[figure])
    html = path.read_text(encoding="utf-8")
    page = Page(html)
    assert {"script", "link", "iframe", "object", "foreignobject"}.isdisjoint(tag for tag, _ in page.tags)
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    own = re.sub(r"data:image/jpeg;base64,[A-Za-z0-9+/=]+", "", html).replace(
        'xmlns="http://www.w3.org/2000/svg"', ""
    )
    assert not re.search(r"https?:|//|@import|url\(", own)
    assert any("default-src 'none'" in policy for policy in page.all("meta", "content"))
    assert page.text.count("alert(1)") > 10


def test_a_plot_for_every_column_whose_numbers_differ(tmp_path: Path) -> None:
    film = made_film(tmp_path / "film", 3, clips=False)
    page = page_of([report(film)], [film], tmp_path)
    assert page.all("svg", "aria-label") == ["sharp"]
    figure = line_plot({"a": [(8, 1)]}, "Identity", "pairs", "share")
    page = page_of([report(film)], [film], tmp_path, figures=[figure])
    assert page.all("svg", "aria-label") == ["sharp", "Identity"]


def test_a_bar_shows_the_value_and_its_interval(tmp_path: Path) -> None:
    film = made_film(tmp_path / "film", 1, clips=False)
    scores = (
        Score(key="a", text="A", value=75, unit="%", low=30, high=95),
        Score(key="b", text="B", value=0.5, unit="0 to 1"),
        Score(key="c", text="C", value=4.5, unit="0 to 5"),
        Score(key="d", text="D", value=31, unit="dB"),
    )
    page = page_of([report(film, scores=scores)], [film], tmp_path)
    widths = [style for style in page.all("i", "style") if style.startswith("width")]
    assert widths == ["width:75.0%", "width:50.0%", "width:90.0%"]
    assert page.all("u", "style") == ["left:30.0%;width:65.0%"]


def test_films_stand_beside_each_other(tmp_path: Path) -> None:
    films = [made_film(tmp_path / name, 1, clips=False) for name in ("one", "two")]
    other = (Score(key="found", text="Found", value=50, unit="%", better="higher"),)
    page = page_of([report(films[0]), report(films[1], scores=other)], films, tmp_path)
    assert "Score A film (one) A film (two) Without downloads Found ↑ 75.0 % 50.0 %" in page.text
    assert "Sharp 6.5 -" in page.text
    assert "A film (two) (measured here) - - - - - - -" in page.text


def test_rows_of_a_stress_test_stand_below_table_2(tmp_path: Path) -> None:
    film = made_film(tmp_path / "film", 1, clips=False)
    page = page_of([report(film)], [film], tmp_path, stress=[Table2Row("puppets", 48, identity=0.875)])
    assert "puppets 48 - - - - - - 0.88" in page.text


def test_a_keyframe_that_is_gone_is_named_and_no_page_is_left(tmp_path: Path) -> None:
    film = made_film(tmp_path / "film", 2, clips=False)
    (film.folder / "keyframes/0002.png").unlink()
    with pytest.raises(InputError, match=r"0002\.png"):
        write_page([report(film)], [film], tmp_path)
    assert not (tmp_path / PAGE_NAME).exists()


def test_pictures_are_small() -> None:
    large = np.random.default_rng(0).integers(0, 256, (800, 1600, 3), dtype=np.uint8)
    for frame, wanted in ((large, (320, 160)), (large[:20, :40], (80, 40))):
        data = base64.b64decode(inlined(frame, 320).partition(",")[2])
        assert Image.open(io.BytesIO(data)).size == wanted
