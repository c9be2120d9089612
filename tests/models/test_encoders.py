from pathlib import Path

import torch

from cinema_cli.models.encoders import TextEncoder, VideoCodec
from keyframe_runs import frozen_parts
from tiny_models import video_autoencoder


def test_clips_are_encoded_in_the_autoencoders_own_numbers_under_autocast() -> None:
    torch.manual_seed(0)
    codec = VideoCodec(video_autoencoder().eval())
    clip = torch.randint(0, 256, (1, 5, 32, 64, 3), dtype=torch.uint8)
    alone = codec.encode(clip)
    with torch.autocast("cpu", torch.bfloat16):
        inside = codec.encode(clip)
    assert inside.dtype == torch.float32
    assert torch.equal(alone, inside)


def test_zeros_stand_behind_a_caption_that_t5_sees_alone(tmp_path: Path) -> None:
    base = frozen_parts(tmp_path) / "keyframes"
    encoded, zeros = TextEncoder.load(base, 24), TextEncoder.load(base, 24, "zeros")
    captions = ["a red house", "rain on a long road by night"]
    for number, caption in enumerate(captions):
        ids = zeros.t5_tokenizer(caption, return_tensors="pt")["input_ids"]
        own = ids.shape[1]
        assert own < 24
        words = zeros.encode(captions)
        assert torch.allclose(words.text[number, :own], zeros.t5(ids)[0][0], atol=1e-5)
        assert not words.text[number, own:].any()
        assert torch.equal(words.pooled, encoded.encode(captions).pooled)
        assert encoded.encode(captions).text[number, own:].any(dim=1).all()
