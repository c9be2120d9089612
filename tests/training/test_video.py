import pytest
import torch

from cinema_cli.config import build, load_preset, with_overrides
from cinema_cli.errors import InputError
from cinema_cli.progress import Progress
from cinema_cli.training.video import VideoTraining, train_video
from tiny_models import text_encoder, tokenizer, video_autoencoder

TINY = [
    "transformer.in_channels=4",
    "transformer.out_channels=4",
    "transformer.num_attention_heads=2",
    "transformer.attention_head_dim=12",
    "transformer.num_layers=1",
    "transformer.ffn_dim=16",
    "transformer.text_dim=16",
    "transformer.freq_dim=16",
    "movies=1",
    "window=2",
    "films=1",
    "preview_steps=1",
    "compile=false",
    "loop.steps=2",
    "loop.save_every=2",
    "loop.preview_every=2",
]


def test_a_video_model_is_trained_and_saved_in_stock_layout(tmp_path):
    config = build(VideoTraining, with_overrides(load_preset("toy")["train_video"], TINY), "test")
    with Progress(quiet=True) as progress:
        with pytest.raises(InputError, match="were wanted"):
            train_video(tmp_path, config, progress)
        torch.manual_seed(0)
        tokenizer().save_pretrained(tmp_path / "video" / "tokenizer")
        text_encoder().save_pretrained(tmp_path / "video" / "text_encoder")
        video_autoencoder().save_pretrained(tmp_path / "video" / "vae")
        last = train_video(tmp_path, config, progress)
    assert '"WanTransformer3DModel"' in (last / "transformer" / "config.json").read_text()
    assert (last.parent / "previews" / "step-000002.png").stat().st_size > 0
