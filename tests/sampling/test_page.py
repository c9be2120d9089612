import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinema_cli.errors import InputError
from cinema_cli.progress import Progress
from cinema_cli.sampling.page import ROWS, write_page
from cinema_cli.sampling.sample import SampleConfig, sample_dataset
from kept_films import change_shots, plain_film


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, str]:
    plain_film(tmp_path / "film", 24)
    change_shots(tmp_path / "film", {1: {"caption": "<Mira> & </p><!-- </script>"}})
    with Progress(quiet=True) as progress:
        found = sample_dataset(tmp_path, SampleConfig(pairs=(4, 30), effort=30), progress)
    page = tmp_path / "sequences.html"
    write_page(page, [part.manifests[0] for part in found.sampled], found.films)
    return tmp_path, page.read_text(encoding="utf-8")


def test_rows_show_the_true_keyframes_in_order(written: tuple[Path, str]) -> None:
    _, page = written
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)" alt="Keyframe of shot (\d{4})"', page)
    assert len(pictures) == ROWS * 4
    for data, shot in pictures:
        grey = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("L"), dtype=int)
        assert abs(grey - int(shot)).max() <= 2  # of shot n every pixel is n
    shots = [int(shot) for _, shot in pictures]
    assert shots[:4] == [1, 2, 3, 4]
    for row in range(ROWS):
        assert shots[4 * row : 4 * row + 4] == sorted(shots[4 * row : 4 * row + 4])
    strides = [int(stride) for stride in re.findall(r"<span>\+(\d+)</span>", page)]
    steps = [
        b - a
        for row in range(ROWS)
        for a, b in zip(shots[4 * row :], shots[4 * row + 1 : 4 * row + 4], strict=False)
    ]
    assert strides == steps


def test_the_page_needs_nothing_else_and_runs_nothing(written: tuple[Path, str]) -> None:
    _, page = written
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page
    assert "<script" not in page
    assert "&amp; &lt;/p&gt;&lt;!-- &lt;/script&gt;" in page
    assert ">Mira</b>" in page
    assert all(source.startswith("data:image/jpeg") for source in re.findall(r'src="([^"]+)', page))
    assert not re.findall(r"https?://|url\(", page)


def test_a_length_that_no_film_has_is_said(written: tuple[Path, str]) -> None:
    assert "No film keeps enough keyframes" in written[1]


def test_a_broken_keyframe_is_named(tmp_path: Path) -> None:
    plain_film(tmp_path / "film", 4)
    (tmp_path / "film/keyframes/0003.png").write_bytes(b"no picture")
    with Progress(quiet=True) as progress:
        found = sample_dataset(tmp_path, SampleConfig(pairs=(4,)), progress)
    with pytest.raises(InputError, match=r"0003\.png.*shot 0003 of film"):
        write_page(tmp_path / "page.html", [found.sampled[0].manifests[0]], found.films)
    assert not (tmp_path / "page.html").exists()
