"""Step 1 of the recipe: tokenizers of our own, and text encoders that the single-image stage will train.

    python examples/toy-weights/text_encoder.py --run runs/toy

A byte-level BPE of 2,048 words, learned from captions of the theatre: any name that a stranger types is cut
into pieces, none becomes one <unk>.  Writes the tokenizers and text encoders of ``RUN/keyframes``.
"""

import argparse
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast, T5Config, T5EncoderModel

from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.training.checkpoint import save_module

VOCABULARY = 2048
LENGTH = 96
MOVIES = 4000
SPECIAL = ["<pad>", "<s>", "<unk>", "</s>"]


def train_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE; ``</s>`` ends a caption, as CLIP and T5 want it."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    captions = (shot.caption for seed in range(MOVIES) for shot in write_movie(seed, 8, describe=0.3).shots)
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", SPECIAL.index("</s>"))]
    )
    names = {"pad_token": "<pad>", "bos_token": "<s>", "unk_token": "<unk>", "eos_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=LENGTH, **names)


def main() -> None:
    """Write the four folders; an existing encoder is left alone."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, default=Path("runs/toy"))
    folder = parser.parse_args().run / "keyframes"
    if (folder / "text_encoder_2").exists():
        print(f"{folder / 'text_encoder_2'} exists already; nothing was changed.")
        return
    tokenizer = train_tokenizer()
    tokenizer.save_pretrained(folder / "tokenizer")
    tokenizer.save_pretrained(folder / "tokenizer_2")
    torch.manual_seed(0)
    special = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 3}
    clip = CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=96,
        intermediate_size=256,
        num_hidden_layers=1,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        projection_dim=96,
        **special,
    )
    t5 = T5Config(
        vocab_size=VOCABULARY,
        d_model=192,
        d_kv=48,
        d_ff=512,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
        pad_token_id=0,
        eos_token_id=3,
    )
    save_module(CLIPTextModel(clip), folder / "text_encoder")
    save_module(T5EncoderModel(t5), folder / "text_encoder_2")
    print(folder)


if __name__ == "__main__":
    main()
