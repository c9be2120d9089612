import json
import socket
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.clip import CONFIG, WEIGHTS, ClipEncoder, squash, without_brackets
from cinema_cli.theatre.captions import canonical_caption
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.training.sequences import HELD_OUT
from tiny_models import LENGTH, build_tiny_clip

CPU = torch.device("cpu")
MAX_BYTES = 2_300_000
"""Of the embedded folder, tokenizer included."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    return build_tiny_clip(tmp_path_factory.mktemp("models") / "clip")


@pytest.fixture(scope="module")
def clip(folder) -> ClipEncoder:
    return ClipEncoder.load(folder, CPU)


@pytest.fixture
def changed(folder, tmp_path):
    """The folder with another config."""

    def change(**text_cfg: object) -> Path:
        for name in ("tokenizer.json", "tokenizer_config.json", WEIGHTS):
            (tmp_path / name).write_bytes((folder / name).read_bytes())
        config = json.loads((folder / CONFIG).read_text())
        config["model_cfg"]["text_cfg"] |= text_cfg
        (tmp_path / CONFIG).write_text(json.dumps(config))
        return tmp_path

    return change


def frames(count: int, height: int = 32, width: int = 64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, height, width, 3), dtype=torch.uint8, generator=generator)


def test_vectors_have_unit_length_and_do_not_depend_on_company(clip):
    captions = ["<Mira> waves.", "A medium shot of the harbour at night, empty.", "x"]
    text, image = clip.text(captions), clip.image(frames(70))
    assert text.shape == (3, 8)
    assert image.shape == (70, 8)
    for vectors in (text, image):
        assert torch.allclose(vectors.norm(dim=1), torch.ones(len(vectors)))
    assert torch.allclose(clip.text(captions[1:2])[0], text[1], atol=1e-6)
    assert torch.allclose(clip.image(frames(70)[69:])[0], image[69], atol=1e-6)


def test_open_clip_alone_gives_the_same_vectors(clip, folder):
    import open_clip

    model, _, preprocess = open_clip.create_model_and_transforms(
        f"local-dir:{folder}", image_resize_mode="squash"
    )
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    assert torch.allclose(
        clip.text(["Mira waves."]), model.eval().encode_text(tokenizer(["Mira waves."]), normalize=True)
    )
    smooth = frames(1, 4, 8).permute(0, 3, 1, 2).float()
    frame = torch.nn.functional.interpolate(smooth, (32, 64), mode="bilinear")[0].permute(1, 2, 0).byte()
    stock = model.encode_image(preprocess(Image.fromarray(frame.numpy()))[None], normalize=True)
    assert (clip.image(frame[None]) @ stock.T).item() > 0.9999


def test_the_sides_of_a_frame_are_seen(clip):
    plain = frames(1)
    other = plain.clone()
    other[:, :, :8] = 0
    assert (squash(plain, (16, 32)) != squash(other, (16, 32))).any()
    assert not torch.allclose(clip.image(plain), clip.image(other))


def test_tags_are_read_as_names(clip):
    assert without_brackets("<Anna-Lena> and <O'Brien> wave, 2 < 3.") == "Anna-Lena and O'Brien wave, 2 < 3."
    assert torch.equal(clip.text(["<Mira> waves."]), clip.text(["Mira waves."]))


def test_captions_that_lose_their_end_are_told(clip):
    fits = " ".join(["the"] * (LENGTH - 1))
    assert len(clip.tokenizer.tokenizer(fits)["input_ids"]) == LENGTH
    assert clip.cut(["short", fits, f"{fits} the", ""]) == [2]


def test_a_folder_never_asks_the_network(folder, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    ClipEncoder.load(folder, CPU)


def test_pickled_weights_are_not_read(folder, tmp_path):
    (tmp_path / CONFIG).write_bytes((folder / CONFIG).read_bytes())
    (tmp_path / "open_clip_pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(
        MissingError,
        match=r"open_clip_model.safetensors was wanted.*pytorch_model.bin: pickled weights may hold code",
    ):
        ClipEncoder.load(tmp_path, CPU)


@pytest.mark.parametrize(
    "text_cfg", [{"tokenizer_kwargs": {"trust_remote_code": True}}, {"hf_model_name": "somebody/model"}]
)
def test_a_config_that_leads_out_of_the_folder_is_refused(changed, text_cfg):
    with pytest.raises(InputError, match=r"may load what is not in the folder"):
        ClipEncoder.load(changed(**text_cfg), CPU)


def test_code_of_a_tokenizer_is_not_run(changed):
    folder = changed()
    (folder / "own.py").write_text("raise AssertionError('was run')")
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config |= {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["own.Own", "own.Own"]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"a tokenizer that fit"):
        ClipEncoder.load(folder, CPU)


def test_weights_of_another_shape_are_told(changed):
    with pytest.raises(InputError, match=r"that fit open_clip_config.json were wanted"):
        ClipEncoder.load(changed(width=24), CPU)


@pytest.mark.parametrize("source", ["ViT-B-32", "ViT-B-32/no-such-tag", "no/such/folder"])
def test_a_name_that_nobody_knows_is_told(source):
    with pytest.raises(InputError, match=r"ViT-B-32/laion2b_s34b_b79k, were wanted, found"):
        ClipEncoder.load(source, CPU)


def test_a_tag_with_pickled_weights_is_refused(monkeypatch, tmp_path):
    import open_clip

    monkeypatch.setattr(open_clip, "download_pretrained", lambda _: str(tmp_path / "ViT-B-32.pt"))
    with pytest.raises(InputError, match=r"safetensors were wanted, but ViT-B-32/openai has ViT-B-32.pt"):
        ClipEncoder.load("ViT-B-32/openai", CPU)


def test_a_tag_that_cannot_be_fetched_is_told(monkeypatch):
    import open_clip

    def fail(_: object) -> str:
        raise FileNotFoundError("no network")

    monkeypatch.setattr(open_clip, "download_pretrained", fail)
    with pytest.raises(MissingError, match=r"cannot be fetched \(no network\)"):
        ClipEncoder.load("ViT-B-32/laion2b_s34b_b79k", CPU)


def test_the_embedded_one_is_small_and_finds_frames_of_movies_it_never_saw():
    folder = Path(str(resources.files("cinema_cli"))) / "toy" / "clip"
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MAX_BYTES
    shots = [write_movie(HELD_OUT + 77 + movie, 12).shots[5].staged for movie in range(40)]
    captions = [canonical_caption(shot, {figure.puppet.name for figure in shot.figures}) for shot in shots]
    clip = ClipEncoder.load(folder, CPU)
    drawn = torch.from_numpy(np.stack([draw_frame(shot) for shot in shots]))
    best = (clip.text(captions) @ clip.image(drawn).T).argmax(dim=1)
    assert sum(index == i for i, index in enumerate(best.tolist())) >= 36


def test_importing_the_module_does_not_load_open_clip():
    code = "import sys, cinema_cli.models.clip; print('open_clip' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
