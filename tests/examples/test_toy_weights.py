"""The recipe's own losses: reading captions, and whose words are whose."""

import sys
from pathlib import Path

import pytest
import torch

import cinema_cli
from cinema_cli.models.encoders import ImageCodec, TextEncoder
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.training.latents import LatentCache
from cinema_cli.training.sequences import TheatreSequences
from keyframe_runs import frozen_parts, tiny_training

SCRIPTS = Path(__file__).parents[2] / "examples" / "toy-weights"


@pytest.fixture
def scripts(monkeypatch):
    """The recipe's folder on the path, as where one of its scripts is run."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield
    for name in ("owners", "reading", "export", "matrices", "image_autoencoder", "video_autoencoder"):
        sys.modules.pop(name, None)


@pytest.fixture
def task(scripts, tmp_path):
    """A stage of four pairs, tiny, with four single-stream blocks to be asked."""
    import owners

    config = tiny_training(
        "transformer.num_single_layers=4", "text_length=96", "stages.4.sequences=3", "stages.4.describe=0"
    )
    folder = frozen_parts(tmp_path) / "keyframes"
    codec, text = ImageCodec.load(folder), TextEncoder.load(folder, config.text_length)
    assert config.transformer is not None
    model = InterleavedFlux(**config.transformer.model_dump())
    data = TheatreSequences(codec, LatentCache(tmp_path / "cache", "d" * 64), 40, 12, 0.0, None, 0.7)
    return owners.OwnersTask(model, codec, text, data, 4, config)


def test_figures_are_asked_where_they_are_named_and_shown(task):
    batch = task.batch(3)
    task._gone = torch.zeros(3, 4, dtype=torch.bool)
    words, frames, first, puppets = task._asked(batch.sequences)
    figures = [f for sequence in batch.sequences.shots for shot in sequence for f in shot.figures]
    assert puppets == [figure.puppet for figure in figures]
    captions = [caption for sequence in batch.sequences.captions for caption in sequence]
    tellers = {}
    for where, own, teller, puppet in zip(words, frames, first, puppets, strict=True):
        ((row, token),) = where.tolist()
        told_at = tellers.setdefault((row // 4, puppet.name), [row, token])
        assert teller.tolist() == [told_at], "the first caption with that name tells the look"
        read = task.text.t5_tokenizer(captions[row])
        assert captions[row][slice(*read.token_to_chars(0, token))].strip().startswith("<")
        assert f"<{puppet.name}>" in captions[row]
        assert len(own)
        assert set(own[:, 0].tolist()) == {row}
        assert own[:, 1].min() >= 96
    shown = batch.sequences.subjects.flatten(0, 1)
    for own in frames:
        assert shown[own[0, 0]][own[:, 1] - 96].all()


def test_a_look_whose_caption_is_gone_is_not_asked(task):
    batch = task.batch(3)
    task._gone = torch.zeros(3, 4, dtype=torch.bool)
    task._gone[:, 0] = True
    first = {f.puppet.name for sequence in batch.sequences.shots for f in sequence[0].figures}
    asked = {puppet.name for puppet in task._asked(batch.sequences)[3]}
    assert first
    assert not first & asked


def test_scenery_is_led_to_where_the_place_was_seen_at_this_size(task):
    batch = next(batch for seed in range(30) if len(set(places(batch := task.batch(seed)))) < 12)
    task._gone = torch.zeros(3, 4, dtype=torch.bool)
    tokens, same = task._scenery(batch.sequences)
    shown = batch.sequences.subjects.flatten(0, 1)
    assert tokens
    for own, other in zip(tokens, same, strict=True):
        (row,), seen = set(own[:, 0].tolist()), set(other[:, 0].tolist())
        assert len(seen) == 1
        assert row not in seen
        assert {places(batch)[row]} == {places(batch)[r] for r in seen}
        assert torch.equal(own[:, 1], other[:, 1])  # the same token there
        for r in (row, *seen):
            assert not shown[r][own[:, 1] - 96].any()
    led = {int(own[0, 0]) for own in tokens}
    returning = [row for row, place in enumerate(places(batch)) if places(batch).count(place) > 1]
    assert led <= set(returning)
    task._gone[:] = True  # what is not told cannot be known
    assert task._scenery(batch.sequences) == ([], [])


def places(batch):
    """By frame: whose film, which place, how large."""
    shots = enumerate(batch.sequences.shots)
    return [(number, shot.place, shot.size) for number, sequence in shots for shot in sequence]


def test_its_loss_is_more_than_the_velocitys_and_moves_model_and_readers(task):
    from cinema_cli.training.keyframes import KeyframeTask

    batch = task.batch(3)
    both = task.loss(batch, torch.Generator().manual_seed(1))
    alone = KeyframeTask.loss(task, batch, torch.Generator().manual_seed(1))
    assert both > alone
    both.backward()
    late = task.model.single_transformer_blocks[0].attn.to_k.weight.grad
    assert late is not None
    assert late.abs().sum() > 0
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in task.owners.parameters() if p.ndim > 1)


def test_names_are_matched_across_the_captions_of_a_cast(scripts, tmp_path):
    from transformers import PreTrainedTokenizerFast

    import reading
    from tiny_models import pooled_encoder, text_encoder

    folder = frozen_parts(tmp_path) / "keyframes"
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer_2")
    task = reading.Reading(pooled_encoder(), text_encoder(), tokenizer, 24)
    task.length = 96
    batch = task.batch(5)
    assert torch.equal(batch.same, batch.same.T)
    assert batch.same.any(dim=1).float().mean() > 0.8
    assert not batch.same.diagonal().any()
    loss = task.loss(batch, torch.Generator())
    loss.backward()
    assert task.readers.name.weight.grad.abs().sum() > 0


def test_the_mean_of_two_stages_is_exported_in_half_precision(scripts, tmp_path):
    from export import FLUX, export

    frozen = frozen_parts(tmp_path) / "keyframes"
    shape = tiny_training().transformer
    assert shape is not None
    stages = []
    for number in (8, 16):
        torch.manual_seed(number)
        model = InterleavedFlux(**shape.model_dump())
        model.save_pretrained(tmp_path / f"stage-{number}" / "ema" / "transformer")
        stages.append((tmp_path / f"stage-{number}", model.proj_out.weight.detach()))
    folders, weights = zip(*stages, strict=True)
    export(frozen, [folders[-1]], FLUX, 4.0, tmp_path / "out", folders)
    kept = InterleavedFlux.from_pretrained(tmp_path / "out" / "transformer").proj_out.weight
    assert torch.equal(kept, torch.stack(weights).mean(dim=0).bfloat16().to(kept))
    export(frozen, [folders[-1]], FLUX, 4.0, tmp_path / "out")
    alone = InterleavedFlux.from_pretrained(tmp_path / "out" / "transformer").proj_out.weight
    assert torch.equal(alone, weights[-1].bfloat16().to(alone))


@pytest.mark.parametrize("frames", [1, 9])
def test_convolutions_that_keep_matrices_compute_the_same(scripts, frames):
    from diffusers import AutoencoderKLWan

    import matrices

    torch.manual_seed(0)
    shape = {"dim_mult": [1, 2, 2], "temperal_downsample": [True, True], "num_res_blocks": 1, "patch_size": 2}
    stock = AutoencoderKLWan(
        base_dim=8, decoder_base_dim=8, z_dim=4, is_residual=True, in_channels=12, out_channels=12, **shape
    )
    before = {name: weight.clone() for name, weight in stock.state_dict().items()}
    clip = torch.rand(1, 3, frames, 16, 32) * 2 - 1
    latents = stock.encode(clip).latent_dist.mean
    shown = stock.decode(latents).sample
    matrices.as_matrices(stock)
    assert {p.ndim for name, p in stock.named_parameters() if "conv" in name and "weight" in name} == {2}
    assert torch.allclose(stock.encode(clip).latent_dist.mean, latents, atol=1e-5)
    assert torch.allclose(stock.decode(latents).sample, shown, atol=1e-5)
    matrices.as_convolutions(stock)
    after = stock.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(weight, before[name]) for name, weight in after.items())


def moved(module):
    """Whether a gradient reached it."""
    return any(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())


def test_an_image_decoder_learns_alone_and_the_latents_stay(scripts):
    from diffusers import AutoencoderKL

    import image_autoencoder
    import matrices

    shipped = Path(cinema_cli.__file__).parent / "toy" / "keyframes" / "vae"
    before = AutoencoderKL.from_pretrained(shipped, dtype=torch.float32)
    task = image_autoencoder.ImageDecoder(1, shipped)
    with torch.compiler.set_stance("force_eager"):
        task.loss(task.batch(4), torch.Generator().manual_seed(1)).backward()
    assert moved(task.vae.decoder)
    assert not moved(task.vae.encoder)
    matrices.as_convolutions(task.vae)
    after = task.vae.state_dict()
    assert after.keys() == before.state_dict().keys()
    assert all(torch.equal(weight, after[name]) for name, weight in before.state_dict().items())
    assert "_name_or_path" not in task.vae.config


def test_an_image_decoder_learns_from_latents_with_noise(scripts, monkeypatch):
    import image_autoencoder

    shipped = Path(cinema_cli.__file__).parent / "toy" / "keyframes" / "vae"
    task = image_autoencoder.ImageDecoder(1, shipped)
    batch, losses = task.batch(4), []
    for noise in (0.0, 0.4, 4.0):
        monkeypatch.setattr(image_autoencoder, "NOISE", noise)
        with torch.compiler.set_stance("force_eager"), torch.no_grad():
            losses.append(task.loss(batch, torch.Generator().manual_seed(1)).item())
    assert losses == sorted(losses)
    assert losses[2] > 2 * losses[0]


def test_what_moves_and_the_first_frame_count_more(scripts):
    import video_autoencoder

    clips = torch.zeros(2, 3, 5, 4, 4)
    clips[0, 1, ::2, 0, 0] = 1  # one pixel of the first clip blinks
    weights = video_autoencoder._weights(clips)
    assert weights.shape == (2, 1, 5, 4, 4)
    assert weights.mean().item() == pytest.approx(1)
    still, moving = weights[1, 0, 1, 0, 0], weights[0, 0, 1, 0, 0]
    assert moving / still == pytest.approx(1 + video_autoencoder.MOVING)
    assert (weights[1, 0, 0] / still).flatten().tolist() == pytest.approx([video_autoencoder.FIRST] * 16)
    assert torch.allclose(video_autoencoder._weights(clips[:, :, :1]), torch.ones(2, 1, 1, 4, 4))


def test_a_video_autoencoder_starts_quietly_and_its_decoder_can_learn_alone(scripts):
    import video_autoencoder

    whole = video_autoencoder.VideoAutoencoder(frames=5, clips=1)
    alone = video_autoencoder.VideoAutoencoder(frames=5, clips=1, decoder_only=True)
    batch = whole.batch(4)
    assert batch.shape == (1, 3, 5, 128, 256)
    assert batch.abs().max() <= 1
    with torch.compiler.set_stance("force_eager"):
        losses = [t.loss(batch, torch.Generator().manual_seed(1)) for t in (whole, alone)]
        assert torch.equal(*losses)
        losses[0].backward()
        losses[1].backward()
        spread = whole.vae.encode(batch).latent_dist.logvar
    assert torch.allclose(spread, torch.full_like(spread, video_autoencoder.QUIET))
    assert moved(whole.vae.encoder)
    assert moved(whole.vae.decoder)
    assert moved(alone.vae.decoder)
    assert not moved(alone.vae.encoder)


def test_latents_of_whole_clips_alone_are_noised(scripts, monkeypatch):
    import video_autoencoder

    task = video_autoencoder.VideoAutoencoder(frames=5, clips=1)
    batch, losses = task.batch(4), []
    with torch.compiler.set_stance("force_eager"), torch.no_grad():
        for whole, noise in ((17, 0.5), (17, 0.0), (5, 0.5), (5, 0.0)):
            monkeypatch.setattr(video_autoencoder, "CLIP_FRAMES", whole)
            monkeypatch.setattr(video_autoencoder, "NOISE", noise)
            losses.append(task.loss(batch, torch.Generator().manual_seed(1)))
    assert losses[0] == losses[1] == losses[3] != losses[2]


def test_a_keyframe_is_decoded_without_noise(scripts, monkeypatch):
    import video_autoencoder

    monkeypatch.setattr(video_autoencoder, "CLIP_FRAMES", 1)
    alone = video_autoencoder.VideoAutoencoder(frames=1, clips=1, decoder_only=True)
    batch, losses = alone.batch(4), []
    with torch.compiler.set_stance("force_eager"), torch.no_grad():
        for noise in (0.0, 5.0):
            monkeypatch.setattr(video_autoencoder, "NOISE", noise)
            losses.append(alone.loss(batch, torch.Generator().manual_seed(1)))
    assert torch.equal(*losses)
