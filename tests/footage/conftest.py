from pathlib import Path

import pytest

from drawn_movies import write
from ingested import LENGTHS


@pytest.fixture
def movies(tmp_path: Path) -> Path:
    folder = tmp_path / "movies"
    folder.mkdir()
    for number, name in enumerate(("a", "b", "c")):
        write(folder / f"{name}.mp4", LENGTHS, first=10 * number)
    return folder
