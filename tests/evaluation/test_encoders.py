"""Encoders of the true classes, and what is refused before it is loaded."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from cinema_cli.errors import InputError
from cinema_cli.evaluation.encoders import BATCH, load_encoder, load_word_encoder
from cinema_cli.theatre.captions import canonical_caption
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.training.sequences import HELD_OUT
from tiny_encoders import build_clip, build_dino, build_dinov2
from tiny_models import LENGTH, build_tiny_clip

CPU = torch.device("cpu")
BUILDERS = {"clip": build_clip, "dinov2": build_dinov2, "dino": build_dino}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("encoders")
    return {kind: build(root / kind) for kind, build in BUILDERS.items()}


def frames(count: int, height: int = 32, width: int = 64) -> np.ndarray:
    """Smooth pictures: noise would be gone once it is made small."""
    coarse = np.random.default_rng(count).integers(0, 256, (count, 4, 8, 3), dtype=np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize((width, height))) for one in coarse])


# -- transformers --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BUILDERS)
def test_vectors_have_unit_length_and_do_not_depend_on_company(folders: dict[str, Path], kind: str) -> None:
    encoder = load_encoder(str(folders[kind]), CPU)
    many = frames(BATCH + 5)
    found = encoder.image(many)
    assert found.shape == (BATCH + 5, 12 if kind == "clip" else 16)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(len(many)), abs=1e-5)
    assert encoder.image(many[-1:])[0] == pytest.approx(found[-1], abs=1e-5)
    assert not np.allclose(found[0], found[1], atol=1e-3)


@pytest.mark.parametrize("kind", ["dinov2", "dino"])
def test_dino_is_its_class_token(folders: dict[str, Path], kind: str) -> None:
    picture = frames(1)
    processor = transformers.AutoImageProcessor.from_pretrained(folders[kind])
    cls = transformers.Dinov2Model if kind == "dinov2" else transformers.ViTModel
    options = {} if kind == "dinov2" else {"add_pooling_layer": False}
    model = cls.from_pretrained(folders[kind], **options).eval()
    with torch.no_grad():
        seen = model(**processor(images=[Image.fromarray(picture[0])], return_tensors="pt"))
    wanted = torch.nn.functional.normalize(seen.last_hidden_state[:, 0], dim=1)
    assert load_encoder(str(folders[kind]), CPU).image(picture) == pytest.approx(wanted.numpy(), abs=1e-5)


def test_clip_says_what_transformers_says(folders: dict[str, Path]) -> None:
    picture, captions = frames(1), ["Mira waves.", "A harbour at night, empty."]
    processor = transformers.AutoImageProcessor.from_pretrained(folders["clip"])
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders["clip"])
    model = transformers.CLIPModel.from_pretrained(folders["clip"]).eval()
    with torch.no_grad():
        both = model(
            **tokenizer(captions, padding=True, return_tensors="pt"),
            **processor(images=[Image.fromarray(picture[0])], return_tensors="pt"),
        )
    encoder = load_word_encoder(str(folders["clip"]), CPU)
    assert encoder.image(picture) == pytest.approx(both.image_embeds.numpy(), abs=1e-5)
    assert encoder.text(["<Mira> waves.", captions[1]]) == pytest.approx(both.text_embeds.numpy(), abs=1e-5)


def test_the_folders_own_processor_prepares_frames(folders: dict[str, Path], tmp_path: Path) -> None:
    """DINOv2's crops the middle out of a wide frame; DINO's squashes it."""
    wide = frames(1)
    sides = wide.copy()
    sides[:, :, :10] = 0
    cropped, squashed = (load_encoder(str(folders[kind]), CPU) for kind in ("dinov2", "dino"))
    assert np.allclose(cropped.image(wide), cropped.image(sides))
    assert not np.allclose(squashed.image(wide), squashed.image(sides), atol=1e-3)
    other = shutil.copytree(folders["dino"], tmp_path / "other")
    path = other / "preprocessor_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "image_mean": [0.1, 0.2, 0.3]}))
    assert not np.allclose(load_encoder(str(other), CPU).image(wide), squashed.image(wide), atol=1e-4)


def test_captions_that_lose_their_end_are_told(folders: dict[str, Path], tmp_path: Path) -> None:
    fits = " ".join(["the"] * (LENGTH - 1))
    captions = ["short", fits, f"{fits} the"]
    for folder in (folders["clip"], build_tiny_clip(tmp_path / "open")):
        encoder = load_word_encoder(str(folder), CPU)
        assert encoder.cut(captions) == [2]
        assert encoder.text(captions).shape[0] == 3


# -- open_clip -----------------------------------------------------------------------------------


def test_the_toy_clip_knows_its_puppets() -> None:
    shots = [write_movie(HELD_OUT + 77 + movie, 12).shots[5].staged for movie in range(12)]
    captions = [canonical_caption(shot, {figure.puppet.name for figure in shot.figures}) for shot in shots]
    encoder = load_word_encoder("toy", CPU)
    assert encoder.name == "toy"
    fits = encoder.text(captions) @ encoder.image(np.stack([draw_frame(shot) for shot in shots])).T
    assert (fits.argmax(axis=1) == np.arange(12)).sum() >= 10


def test_a_folder_of_open_clip_is_known_by_its_config(tmp_path: Path) -> None:
    torch.manual_seed(0)
    encoder = load_word_encoder(str(build_tiny_clip(tmp_path / "clip")), CPU)
    assert encoder.image(frames(3)).shape == encoder.text(["a", "b", "c"]).shape == (3, 8)


# -- what is refused -----------------------------------------------------------------------------


def test_one_that_only_sees_reads_no_captions(folders: dict[str, Path]) -> None:
    with pytest.raises(InputError, match="a CLIP, which reads captions too, was wanted"):
        load_word_encoder(str(folders["dino"]), CPU)


@pytest.fixture
def broken(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A copy to be broken."""
    return shutil.copytree(folders["dino"], tmp_path / "broken")


def edit(folder: Path, **changes: object) -> str:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return str(folder)


def test_weights_of_another_shape_are_told(broken: Path) -> None:
    with pytest.raises(InputError, match="weights and an image processor that fit"):
        load_encoder(edit(broken, hidden_size=32), CPU)


def test_weights_that_are_lacking_are_not_made_up(broken: Path) -> None:
    with pytest.raises(InputError, match=r"all weights of ViTModel were wanted, but \d+ are missing"):
        load_encoder(edit(broken, num_hidden_layers=3), CPU)


def test_code_of_a_model_is_not_run(broken: Path) -> None:
    (broken / "own.py").write_text("raise AssertionError('was run')")
    edit(broken, auto_map={"AutoModel": "own.Own"})
    path = broken / "preprocessor_config.json"
    own = {"image_processor_type": "Own", "auto_map": {"AutoImageProcessor": "own.Own"}}
    path.write_text(json.dumps({**json.loads(path.read_text()), **own}))
    with pytest.raises(InputError, match="an image processor that fit"):
        load_encoder(str(broken), CPU)


def test_a_name_that_nobody_knows_is_told() -> None:
    with pytest.raises(InputError, match=r"no folder of that name: .*an encoder was wanted: toy, a folder"):
        load_encoder("no folder of that name", CPU)
