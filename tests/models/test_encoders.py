import json
from pathlib import Path

import torch

from cinema_cli.models.encoders import TextEncoder, VideoCodec, read_tokenizer
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


def test_clip_s_tokenizer_is_read_from_its_older_files(tmp_path: Path) -> None:
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    vocabulary = [*letters, *(f"{letter}</w>" for letter in letters), "he", "hey</w>"]
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    (tmp_path / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(vocabulary)}))
    (tmp_path / "merges.txt").write_text("#version: 0.2\nh e\nhe y</w>\n")
    told = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 8}
    told |= {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>"}
    told |= {"pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(told))
    read = read_tokenizer(tmp_path)("hey hi", padding="max_length", max_length=8)
    words = [vocabulary[i] for i in read["input_ids"]]
    assert words == ["<|startoftext|>", "hey</w>", "h", "i</w>", *["<|endoftext|>"] * 4]
    assert read["attention_mask"] == [1] * 5 + [0] * 3
