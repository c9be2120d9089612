import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from cinema_cli.captioning import pictures as module
from cinema_cli.captioning.pictures import shown
from cinema_cli.errors import InputError


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=("JPEG",))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_every_kind_is_shown_as_one_jpeg(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"frame.{suffix}"
    Image.new("RGB", (800, 400), (200, 30, 30)).save(path)
    picture = shown(path, 1024)
    assert (picture.kind, picture.longest) == ("image/jpeg", 1024)
    assert picture.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    with opened(picture.data) as found:
        assert found.size == (800, 400)
        red = found.getpixel((400, 200))
    assert isinstance(red, tuple)
    assert max(abs(a - b) for a, b in zip(red, (200, 30, 30), strict=True)) < 4


def test_a_large_picture_is_shown_smaller(tmp_path: Path) -> None:
    Image.new("RGBA", (3000, 1500)).save(tmp_path / "big.png")
    with opened(shown(tmp_path / "big.png", 512).data) as found:
        assert (found.size, found.mode) == ((512, 256), "RGB")


def test_another_format_under_a_known_name(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "frame.png", format="GIF")
    with pytest.raises(InputError, match="png, jpg or webp"):
        shown(tmp_path / "frame.png", 512)


def bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(9000, 9000), (100_000, 100_000)])
def test_a_bomb_is_not_decoded(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "bomb.png").write_bytes(bomb(*size))
    with pytest.raises(InputError, match=r"bomb\.png"):
        shown(tmp_path / "bomb.png", 512)


def test_bytes_are_bounded_and_absence_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="found nothing"):
        shown(tmp_path / "none.png", 512)
    os.mkfifo(tmp_path / "pipe.png")  # reading it would wait for ever
    with pytest.raises(InputError, match="another thing"):
        shown(tmp_path / "pipe.png", 512)
    Image.new("RGB", (64, 64)).save(tmp_path / "frame.png")
    monkeypatch.setattr(module, "MAX_PICTURE_BYTES", 20)
    with pytest.raises(InputError, match="at most 20 bytes"):
        shown(tmp_path / "frame.png", 512)
