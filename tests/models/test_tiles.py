"""Decoding in tiles, with the toy's trained autoencoders: of random ones a tile would tell nothing.

A bound needs a scale: tiles are to cost less than the autoencoder itself does.
"""

import numpy as np
import pytest
import torch

from cinema_cli.models.encoders import ImageCodec, VideoCodec
from cinema_cli.models.weights import TOY, model_folder
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie

SIZE = (128, 256)


@pytest.fixture(scope="module")
def shots():
    return write_movie(3, 8).shots


def difference(whole: torch.Tensor, tiled: torch.Tensor) -> float:
    """On the average, in levels of 255."""
    return float((whole.int() - tiled.int()).abs().float().mean())


def test_a_picture_in_tiles_is_nearly_the_whole_one_and_is_encoded_as_before(shots):
    codec = ImageCodec.load(model_folder(TOY, "keyframes"))
    frame = torch.from_numpy(draw_frame(shots[0].staged, 0.0, SIZE).copy())[None]
    tokens, grid = codec.encode(frame), codec.grid(SIZE)
    whole = codec.decode(tokens, grid)
    codec.vae.tile_sample_min_size, codec.vae.tile_latent_min_size = 96, 96 * 2 // codec.patch
    codec.decode_in_tiles()
    apart = difference(whole, codec.decode(tokens, grid))
    assert 0 < apart < difference(whole, frame), apart  # measured 1.74 and 2.37
    assert torch.equal(codec.encode(frame), tokens)


def test_a_clip_in_tiles_is_nearly_the_whole_one_and_is_encoded_as_before(shots):
    codec = VideoCodec.load(model_folder(TOY, "video"))
    frames = [draw_frame(shots[0].staged, i / 8, SIZE) for i in range(5)]
    clip = torch.from_numpy(np.stack(frames))[None]
    latents = codec.encode(clip)
    whole = codec.decode(latents)
    codec.vae.tile_sample_min_height = codec.vae.tile_sample_min_width = 96
    codec.vae.tile_sample_stride_height = codec.vae.tile_sample_stride_width = 64
    codec.decode_in_tiles()
    apart = difference(whole, codec.decode(latents))
    assert 0 < apart < difference(whole, clip), apart  # measured 2.20 and 4.77
    assert torch.equal(codec.encode(clip), latents)
