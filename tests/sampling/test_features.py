import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from cinema_cli.errors import InputError
from cinema_cli.models.encoders import ImageCodec, TextEncoder
from cinema_cli.sampling import features as module
from cinema_cli.sampling.features import BLOCK, PairFeatures
from cinema_cli.sampling.kept import KeptFilm, kept_film
from cinema_cli.sampling.pictures import small_keyframe
from kept_films import change_shots, drawn_film
from keyframe_runs import frozen_parts

SIZE = (16, 32)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageCodec, TextEncoder]:
    base = frozen_parts(tmp_path_factory.mktemp("run")) / "keyframes"
    return ImageCodec.load(base), TextEncoder.load(base, 24)


@pytest.fixture
def film(tmp_path: Path) -> KeptFilm:
    return kept_film(drawn_film(tmp_path / "film", BLOCK + 4))


def opened(
    film: KeptFilm, parts: tuple[ImageCodec, TextEncoder], folder: Path, told: list[str] | None = None
) -> PairFeatures:
    return PairFeatures([film], *parts, SIZE, folder, (told if told is not None else []).append)


def direct(film: KeptFilm, codec: ImageCodec, places: list[int]) -> torch.Tensor:
    frames = np.stack([small_keyframe(film, film.shots[place], SIZE) for place in places])
    return codec.encode(torch.from_numpy(frames))


def test_what_is_cached_is_what_the_encoders_give(film: KeptFilm, parts, tmp_path: Path) -> None:
    places = [0, 3, BLOCK - 1, BLOCK, BLOCK + 3]  # of two shards
    held = opened(film, parts, tmp_path / "cache")
    for _ in ("made", "read"):
        assert torch.allclose(held.latents(0, places), direct(film, parts[0], places), atol=2e-3)
        words = held.words(0, places)
        wanted = parts[1].encode([film.shots[place].caption for place in places])
        assert torch.allclose(words.text, wanted.text, atol=2e-3)
        assert torch.allclose(words.pooled, wanted.pooled, atol=2e-3)
    assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 4


def test_zeros_behind_captions_are_not_kept(film: KeptFilm, parts, tmp_path: Path) -> None:
    codec, text = parts
    base = TextEncoder(text.clip, text.clip_tokenizer, text.t5, text.t5_tokenizer, 96, "zeros")
    places = [0, BLOCK - 1, BLOCK, BLOCK + 3]
    wanted = base.encode([film.shots[place].caption for place in places])
    for _ in ("made", "read"):
        words = opened(film, (codec, base), tmp_path / "zeros").words(0, places)
        assert words.text.shape == wanted.text.shape
        assert torch.allclose(words.text, wanted.text, atol=2e-3)
    longest = [
        max(len(base.t5_tokenizer(shot.caption)["input_ids"]) for shot in shots)
        for shots in (film.shots[:BLOCK], film.shots[BLOCK:])
    ]
    shards = sorted((tmp_path / "zeros").rglob("*/*/*.safetensors"))
    assert [load_file(path)["text"].shape[1] for path in shards] == longest
    assert max(longest) < 96


def test_the_caller_s_autocast_does_not_reach_the_cache(film: KeptFilm, parts, tmp_path: Path) -> None:
    plain = opened(film, parts, tmp_path / "plain").latents(0, [0, 1])
    with torch.autocast("cpu", torch.bfloat16):
        inside = opened(film, parts, tmp_path / "inside").latents(0, [0, 1])
    assert torch.equal(plain, inside)


def test_trained_text_encoders_are_not_cached(film: KeptFilm, parts, tmp_path: Path) -> None:
    held = PairFeatures([film], parts[0], None, SIZE, tmp_path / "cache", print)
    assert held.words(0, [0, 1]) is None
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_only_a_changed_picture_s_shard_is_made_again(film: KeptFilm, parts, tmp_path: Path) -> None:
    told: list[str] = []
    held = opened(film, parts, tmp_path / "cache", told)
    before = held.latents(0, [0, BLOCK])
    path = film.folder / film.shots[0].keyframe
    Image.fromarray(np.full((32, 64, 3), 200, np.uint8)).save(path)
    after = held.latents(0, [0, BLOCK])
    assert torch.allclose(after, direct(film, parts[0], [0, BLOCK]), atol=2e-3)
    assert not torch.equal(before[0], after[0])
    assert len(told) == 1
    assert "0000.safetensors: its pictures or words changed" in told[0]


def test_a_changed_caption_is_read_anew(film: KeptFilm, parts, tmp_path: Path) -> None:
    opened(film, parts, tmp_path / "cache").words(0, [1])
    change_shots(film.folder, {2: {"caption": "A red boat."}})
    held = opened(kept_film(film.folder), parts, tmp_path / "cache")
    assert torch.allclose(held.words(0, [1]).pooled, parts[1].encode(["A red boat."]).pooled, atol=2e-3)


@pytest.mark.parametrize("what", ["weights", "frame size", "code"])
def test_whatever_makes_latents_names_their_cache(
    film: KeptFilm, parts, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = frozen_parts(tmp_path / "run") / "keyframes"
    codec = ImageCodec.load(base)
    PairFeatures([film], codec, None, SIZE, tmp_path / "cache", print)
    size = SIZE
    if what == "weights":
        with torch.no_grad():
            next(codec.vae.parameters()).add_(0.001)
    elif what == "frame size":
        size = (32, 64)
    else:
        monkeypatch.setattr(module, "CODE", 2)
    PairFeatures([film], codec, None, size, tmp_path / "cache", print)
    records = [json.loads(path.read_text()) for path in (tmp_path / "cache").glob("*/made-by.json")]
    assert len(records) == 2
    key = {"weights": "weights_sha256", "frame size": "frame_size", "code": "code"}[what]
    assert [name for name in records[0] if records[0][name] != records[1][name]] == [key]


def test_a_broken_keyframe_is_named(film: KeptFilm, parts, tmp_path: Path) -> None:
    held = opened(film, parts, tmp_path / "cache")
    (film.folder / film.shots[3].keyframe).write_bytes(b"half a picture")
    with pytest.raises(InputError, match=r"0004\.png.*shot 0004 of film"):
        held.latents(0, [0])
    (film.folder / film.shots[3].keyframe).unlink()
    with pytest.raises(InputError, match=r"0004\.png.*no such file"):
        held.latents(0, [0])


@pytest.mark.parametrize(
    ("size", "fits"), [((16, 32), True), ((32, 64), True), ((16, 16), False), ((64, 128), False)]
)
def test_no_frame_is_stretched_or_enlarged(
    film: KeptFilm, parts, tmp_path: Path, size: tuple[int, int], fits: bool
) -> None:
    if fits:
        PairFeatures([film], parts[0], None, size, tmp_path / "cache", print)
        return
    with pytest.raises(InputError, match=f"at least {size[0]} x {size[1]} .* found 32 x 64"):
        PairFeatures([film], parts[0], None, size, tmp_path / "cache", print)


def test_frames_are_made_smaller_without_aliasing(tmp_path: Path) -> None:
    """Stripes finer than the small frame become even grey; nearest or plain bilinear leave a pattern."""
    folder = drawn_film(tmp_path / "film", 1, frame_size=(64, 128))
    stripes = np.zeros((64, 128, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(folder / "keyframes/0001.png")
    film = kept_film(folder)
    small = small_keyframe(film, film.shots[0], (20, 40)).astype(int)
    assert small.shape == (20, 40, 3)
    assert abs(small[:, 2:-2] - 127).max() < 12
