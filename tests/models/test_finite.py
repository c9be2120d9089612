import pytest
import torch

from cinema_cli.errors import CinemaError
from cinema_cli.models.encoders import ImageCodec, ShotTextEncoder, TextEncoder, VideoCodec
from cinema_cli.models.finite import finite
from tiny_models import (
    image_autoencoder,
    pooled_encoder,
    text_encoder,
    tokenizer,
    video_autoencoder,
)

FRAME = torch.zeros(1, 32, 64, 3, dtype=torch.uint8)


def broken(module, *path):
    """With a weight that is not a number."""
    for name in path:
        module = getattr(module, name)
    torch.nn.init.constant_(module.weight, float("nan"))


def test_finite_numbers_pass():
    numbers = torch.ones(3)
    assert finite(numbers, "x") is numbers


def test_numbers_that_overflow_in_float16_are_told_with_their_type():
    with pytest.raises(CinemaError, match=r"T5's words: .* as torch.float16 on cpu.*overflow in float16"):
        finite(torch.full((2,), 70000.0).half(), "T5's words")


def test_words_that_are_not_finite_are_refused():
    t5, clip, words = text_encoder().eval(), pooled_encoder().eval(), tokenizer()
    broken(t5.encoder, "final_layer_norm")
    with pytest.raises(CinemaError, match="T5's words"):
        TextEncoder(clip, words, t5, words, 24).encode(["a"])
    with pytest.raises(CinemaError, match="T5's words"):
        ShotTextEncoder(t5, words, 24).encode("a", ["b"])
    broken(clip, "final_layer_norm")
    with pytest.raises(CinemaError, match="CLIP's words"):
        TextEncoder(clip, words, t5, words, 24).encode(["a"])


def test_latents_and_pixels_that_are_not_finite_are_refused():
    image, video = ImageCodec(image_autoencoder().eval()), VideoCodec(video_autoencoder().eval())
    tokens, latents = image.encode(FRAME), video.encode(FRAME[None])
    broken(image.vae.decoder, "conv_out")
    broken(video.vae.decoder, "conv_out")
    with pytest.raises(CinemaError, match="the autoencoder's pixels"):
        image.decode(tokens, (4, 8))
    with pytest.raises(CinemaError, match="the autoencoder's pixels"):
        video.decode(latents)
    broken(image.vae.encoder, "conv_out")
    broken(video.vae.encoder, "conv_out")
    with pytest.raises(CinemaError, match="the autoencoder's latents"):
        image.encode(FRAME)
    with pytest.raises(CinemaError, match="the autoencoder's latents"):
        video.encode(FRAME[None])
