import torch

from cinema_cli.models.encoders import VideoCodec
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
