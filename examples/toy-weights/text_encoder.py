"""Step 1 of the recipe: tokenizers of our own, and text encoders that have learned to read the captions.

    python examples/toy-weights/text_encoder.py --run runs/toy

A byte-level BPE of 2,048 words, learned from captions of the theatre: any name that a stranger types is cut
into pieces, none becomes one <unk>.  Then the encoders learn to read (``reading.py``), and stay as they are:
both transformers of the recipe are trained beside them.  Writes the tokenizers and text encoders of
``RUN/keyframes``.
"""

import argparse
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast, T5Config, T5EncoderModel

from cinema_cli.progress import Progress
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.training.checkpoint import module_weights, save_module
from cinema_cli.training.loop import LoopConfig, train
from cinema_cli.training.optimizers import OptimizerConfig
from reading import Reading

VOCABULARY = 2048
LENGTH = 96
MOVIES = 4000
SPECIAL = ["<pad>", "<s>", "<unk>", "</s>"]
LOOP = LoopConfig(
    steps=3200,
    optimizer=OptimizerConfig(kind="muon", learning_rate=1.5e-3, warmup=100, floor=0.02),
    precision="bf16",
    ema=0.995,
    save_every=400,
    preview_every=400,
)


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


def new_encoders() -> tuple[CLIPTextModel, T5EncoderModel]:
    """The pooled encoder and the one of tokens, untrained."""
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
        num_layers=3,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
        pad_token_id=0,
        eos_token_id=3,
    )
    return CLIPTextModel(clip), seeing_neighbours(T5EncoderModel(t5))


@torch.no_grad()
def seeing_neighbours(t5: T5EncoderModel) -> T5EncoderModel:
    """Let three heads start out looking at the token before, the one after, and the four before.

    FLUX gives words no positions, so what T5 does not know about their order nobody knows: "a red coat and a
    blue hat" is a blue coat as well.  T5 learns distances from a table of biases that starts at nothing and
    moves by the rate of a step; from an untrained start that is more than a thousand steps of taking hats for
    coats (docs/log.md).
    """
    attention = t5.encoder.block[0].layer[0].SelfAttention
    for head, (distances, bias) in enumerate((((-1,), 6.0), ((1,), 6.0), ((-1, -2, -3, -4), 4.0))):
        buckets = attention._relative_position_bucket(
            torch.tensor(distances),
            bidirectional=True,
            num_buckets=t5.config.relative_attention_num_buckets,
            max_distance=t5.config.relative_attention_max_distance,
        )
        attention.relative_attention_bias.weight[buckets, head] += bias
    return t5


def main() -> None:
    """Write the four folders; existing encoders are left alone."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, default=Path("runs/toy"))
    parser.add_argument("--steps", type=int, default=LOOP.steps)
    options = parser.parse_args()
    folder = options.run / "keyframes"
    if (folder / "text_encoder_2").exists():
        print(f"{folder / 'text_encoder_2'} exists already; nothing was changed.")
        return
    if not (folder / "tokenizer_2").exists():
        tokenizer = train_tokenizer()
        tokenizer.save_pretrained(folder / "tokenizer")
        tokenizer.save_pretrained(folder / "tokenizer_2")
    clip, t5 = new_encoders()
    for encoder in (clip, t5):
        encoder.compile()  # half the time of a step on a CPU
    task = Reading(clip, t5, PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer_2"), LENGTH)
    checkpoints = options.run / "checkpoints" / "text-encoder"
    loop = LOOP.model_copy(update={"steps": options.steps})
    with Progress() as progress:
        last = train(task, checkpoints, loop, progress, "reading captions")
    for name, module in (("text_encoder", clip), ("text_encoder_2", t5)):
        module.load_state_dict(module_weights(last / "ema" / name))
        save_module(module, folder / name)
    print(folder)


if __name__ == "__main__":
    main()
