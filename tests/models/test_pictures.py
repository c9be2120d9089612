from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinema_cli.errors import InputError
from cinema_cli.models.pictures import is_flat, read_picture, write_picture

FRAME = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)


def test_a_picture_comes_back_as_it_was(tmp_path: Path) -> None:
    write_picture(tmp_path / "new" / "a.png", FRAME)
    assert (read_picture(tmp_path / "new" / "a.png", (4, 6), "") == FRAME).all()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    Image.fromarray(FRAME).convert(mode).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png", (4, 6), "").shape == (4, 6, 3)


def test_what_is_no_such_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(InputError, match=r"a\.png.* no such file\. Draw it"):
        read_picture(path, (4, 6), "Draw it.")
    write_picture(path, FRAME)
    with pytest.raises(InputError, match="6 x 4 pixels was wanted, found 4 x 6"):
        read_picture(path, (6, 4), "")
    whole = path.read_bytes()
    for broken in (b"", b"GIF89a" + whole, whole[:-30], whole[:20]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="cannot be read"):
            read_picture(path, (4, 6), "")
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        read_picture(path, (4, 6), "")


def test_one_colour_is_flat_even_if_its_channels_differ() -> None:
    plain = np.full((4, 6, 3), (200, 10, 90), dtype=np.uint8)
    assert is_flat(plain)
    plain[1, 2, 1] += 40
    assert not is_flat(plain)
