"""Stock editors in their true layouts, run by diffusers' own pipelines."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import FluxKontextPipeline, FluxTransformer2DModel
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus
from gguf import GGMLQuantizationType as Kind
from PIL import Image

from cinema_cli.errors import CinemaError, InputError, MissingError
from cinema_cli.models.kept_latents import KeptLatents
from cinema_cli.models.pictures import Frame
from cinema_cli.models.thrift import Offload, Thrift
from cinema_cli.planning.artists.editor import EditorArtist, beside
from cinema_cli.planning.keyframes import DrawingConfig, MemoryFrame
from cinema_cli.runtime import generator
from cinema_cli.storyboard import Shot
from gguf_files import original_flux, write_gguf
from stock_models import BUILDERS

FRAME_SIZE = (64, 96)
CONFIG = DrawingConfig(steps=2, guidance=2.0, embedded_guidance=2.5, text_length=512)
SHOT = Shot(id="0002", caption="<Mira> waves.", duration="2", seed=7)


@pytest.fixture(scope="module", params=sorted(BUILDERS))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return BUILDERS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def kontext(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return BUILDERS["kontext"](tmp_path_factory.mktemp("models"))


def load(folder: Path, config: DrawingConfig = CONFIG, **how: Any) -> EditorArtist:
    return EditorArtist.load(folder, FRAME_SIZE, config, torch.device("cpu"), torch.float32, **how)


def picture(seed: int) -> Frame:
    return np.random.default_rng(seed).integers(0, 256, (*FRAME_SIZE, 3), dtype=np.uint8)


def remembered(seed: int) -> MemoryFrame:
    shot = Shot(id="0001", caption="A castle.", duration="2", seed=1)
    return MemoryFrame(shot, shot.caption, picture(seed), (2, 4))


def draw(artist: EditorArtist, *memory: MemoryFrame, shot: Shot = SHOT) -> Frame:
    (frame,) = artist.draw([shot], [shot.caption], memory).values()
    return frame


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Qwen's pipeline enlarges what it is shown to a megapixel."""
    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "VAE_IMAGE_SIZE", 64 * 96)
    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "CONDITION_IMAGE_SIZE", 64 * 96)


def test_an_editor_draws_beside_what_it_remembers(folder: Path) -> None:
    artist, steps = load(folder), []
    alone, seen = draw(artist), draw(artist, remembered(1))
    for frame in (alone, seen):
        assert (frame.shape, frame.dtype) == ((*FRAME_SIZE, 3), np.uint8)
    assert (draw(artist, remembered(1)) == seen).all()
    assert (seen != alone).any()
    assert (draw(artist, remembered(2)) != seen).any()
    assert (draw(artist, remembered(1), remembered(2)) != seen).any()
    assert (draw(artist, remembered(1), shot=SHOT.model_copy(update={"seed": 8})) != seen).any()
    artist.draw([SHOT], [SHOT.caption], [remembered(1)], on_step=lambda: steps.append(1))
    assert len(steps) == CONFIG.steps
    assert artist.cut(["short", "a long one " * 600]) == [1]


def test_kontext_is_called_as_its_pipeline_is_documented(kontext: Path) -> None:
    pipeline = FluxKontextPipeline.from_pretrained(kontext)
    pipeline.set_progress_bar_config(disable=True)
    (stock,) = pipeline(
        image=Image.fromarray(picture(1)),
        prompt=f"{CONFIG.instruction} Mira waves.",
        height=FRAME_SIZE[0],
        width=FRAME_SIZE[1],
        max_area=FRAME_SIZE[0] * FRAME_SIZE[1],
        _auto_resize=False,
        num_inference_steps=2,
        guidance_scale=2.5,
        generator=generator(7),
        output_type="np",
    ).images
    assert np.abs(draw(load(kontext), remembered(1)) / 255 - stock).max() < 1 / 255


def test_latents_are_decoded_as_the_pipeline_does_it(folder: Path) -> None:
    artist = load(folder)
    call = artist.pipeline.__call__
    options = {
        "prompt": "Mira waves.",
        "image": Image.fromarray(picture(1)),
        "height": FRAME_SIZE[0],
        "width": FRAME_SIZE[1],
        "num_inference_steps": 2,
    }
    if "Kontext" in type(artist.pipeline).__name__:
        options |= {"max_area": FRAME_SIZE[0] * FRAME_SIZE[1], "_auto_resize": False}
    stock = call(**options, generator=generator(7), output_type="np").images[0]
    latents = call(**options, generator=generator(7), output_type="latent").images
    assert np.abs(artist._decoded(SHOT, latents) / 255 - stock).max() < 1 / 255


@pytest.mark.parametrize("offload", ["model", "group"])
def test_parts_or_layers_take_turns_and_draw_the_same(folder: Path, offload: Offload) -> None:
    plain, thrifty = load(folder), load(folder, thrift=Thrift(offload=offload))
    for memory in ((), (remembered(1),)):
        for _ in range(2):
            assert (draw(thrifty, *memory) == draw(plain, *memory)).all()
    modules = thrifty.pipeline.transformer.modules()
    if offload == "group":
        assert sum(hasattr(each, "_diffusers_hook") for each in modules) >= 2  # itself and its blocks
    else:
        assert all(hasattr(part, "_hf_hook") for part in (thrifty.pipeline.transformer, thrifty.pipeline.vae))


def test_tiles_are_used_for_decoding_alone(kontext: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artist = load(kontext, thrift=Thrift(tile=True))
    vae, seen = artist.pipeline.vae, []
    for name in ("encode", "decode"):
        door = getattr(vae, name)

        def watched(*args, door=door, name=name, **options):
            seen.append((name, vae.use_tiling))
            return door(*args, **options)

        monkeypatch.setattr(vae, name, watched)
    draw(artist, remembered(1))
    assert seen == [("encode", False), ("decode", True)]
    assert vae.tile_sample_min_size <= 512


def test_memory_that_runs_out_at_decoding_loses_no_frame(folder: Path, tmp_path: Path) -> None:
    kept, steps = KeptLatents(tmp_path / "kept", "weights"), []
    artist, wanted = load(folder, kept=kept), draw(load(folder), remembered(1))

    def drawn(artist: EditorArtist, memory: MemoryFrame) -> Frame:
        return artist.draw([SHOT], [SHOT.caption], [memory], on_step=lambda: steps.append(1))["0002"]

    def full(*_args: object, **_options: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(artist.pipeline.vae, "decode", full)
        with pytest.raises(MissingError, match=r"decoding shot 0002: .*tile=true"):
            drawn(artist, remembered(1))
    assert len(steps) == CONFIG.steps
    again = load(folder, kept=kept)
    assert (drawn(again, remembered(1)) == wanted).all()
    assert len(steps) == CONFIG.steps
    drawn(again, remembered(2))
    assert len(steps) == 2 * CONFIG.steps


def test_memory_that_runs_out_while_drawing_is_told(kontext: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artist = load(kontext)

    def full(*_args: object, **_options: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(artist.pipeline.transformer, "forward", full)
    with pytest.raises(MissingError, match="drawing shot 0002: more memory was wanted"):
        draw(artist)


def test_kontext_takes_its_transformer_from_a_gguf_file(kontext: Path, tmp_path: Path) -> None:
    file = tmp_path / "kontext.gguf"
    stock = FluxTransformer2DModel.from_pretrained(kontext / "transformer")
    write_gguf(file, original_flux(stock), Kind.F16)
    apart = np.abs(draw(load(kontext, gguf=file)).astype(int) - draw(load(kontext)))
    assert apart.mean() < 1  # 0 to 255; the weights in half precision


def test_several_pictures_for_one_stand_side_by_side() -> None:
    both = np.asarray(beside([Image.fromarray(picture(1)), Image.fromarray(picture(2))]))
    assert (both == np.concatenate([picture(1), picture(2)], axis=1)).all()


def test_a_size_that_the_model_cannot_draw_is_refused(kontext: Path) -> None:
    with pytest.raises(InputError, match=r"divide by 8 .* found 36 x 64"):
        EditorArtist.load(kontext, (36, 64), CONFIG, torch.device("cpu"), torch.float32)


def test_flux_2_is_shown_no_picture_that_its_pipeline_refuses(tmp_path: Path) -> None:
    folder = BUILDERS["klein"](tmp_path)
    with pytest.raises(InputError, match=r"at least 64 pixels .* found 32 x 64"):
        EditorArtist.load(folder, (32, 64), CONFIG, torch.device("cpu"), torch.float32)


def test_parts_of_another_library_are_refused(tmp_path: Path) -> None:
    folder = BUILDERS["kontext"](tmp_path)
    index = folder / "model_index.json"
    index.write_text(index.read_text().replace('"scheduler": [\n    "diffusers"', '"scheduler": [\n    "os"'))
    with pytest.raises(InputError, match=r"found scheduler of os\. Take the original release"):
        load(folder)


def test_numbers_that_are_not_finite_are_no_picture(kontext: Path) -> None:
    broken = load(kontext)
    broken.pipeline.transformer.proj_out.weight.data.fill_(float("nan"))
    with pytest.raises(CinemaError, match=r"Shot 0002: .*not finite"):
        draw(broken)


def test_one_colour_is_no_picture(kontext: Path) -> None:
    broken = load(kontext)
    broken.pipeline.vae.decoder.conv_out.weight.data.zero_()
    with pytest.raises(CinemaError, match=r"Shot 0002: .*nothing but the colour"):
        draw(broken)
