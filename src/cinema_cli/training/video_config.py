"""The numbers of ``cinema train-video`` (section 3.3, appendix A, Table 4)."""

from typing import Annotated

from pydantic import Field, model_validator

from cinema_cli.config import Config
from cinema_cli.models.quantise import Quantise
from cinema_cli.theatre.world import CLIP_FRAMES, CLIP_RATE
from cinema_cli.training.loop import LoopConfig
from cinema_cli.training.lora import LoraConfig


class VideoTransformerConfig(Config):
    """Shape of a Wan transformer; the names are diffusers'."""

    in_channels: int
    out_channels: int
    num_attention_heads: int
    attention_head_dim: int
    num_layers: int
    ffn_dim: int
    text_dim: int
    freq_dim: int = 256
    patch_size: tuple[int, int, int] = (1, 2, 2)
    rope_max_seq_len: int = 1024


class VideoLoraConfig(LoraConfig):
    """Size and place of a Wan transformer's adapters."""

    targets: str = r"blocks\.\d+\.(attn[12]\.(to_q|to_k|to_v|to_out\.0)|ffn\.net\.(0\.proj|2))"
    """Linear layers that are adapted: a regular expression over whole names."""


class VideoTraining(Config):
    """Everything ``cinema train-video`` needs."""

    transformer: VideoTransformerConfig | None = None
    """Shape of the model where it is made from scratch; none: it starts from its base's weights."""
    loop: LoopConfig
    """How long and how to train."""
    text_length: int = 512
    """Text tokens of a shot (T): global caption and its own."""
    held_out: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of a dataset's films, rounded, that are not trained on: previews and validation are of them."""
    movies: int = 200
    """Movies of the theatre to draw clips from."""
    shots: int = 8
    """Shots of a movie of the theatre."""
    window: Annotated[int, Field(ge=1)] = 4
    """Consecutive shots made together (K); of the others the model sees the keyframe alone."""
    neighbours: Annotated[int, Field(ge=0)] = 8
    """Others that it sees, the nearest; as many as the renderer shows it."""
    films: Annotated[int, Field(ge=1)] = 2
    """Films in a batch (B)."""
    area: Annotated[int, Field(ge=1)] = 480 * 480
    """Pixels of a dataset's frames (A), in the clip's own aspect, whose sides the model's unit divides."""
    frames: tuple[Annotated[int, Field(gt=1)], ...] = (CLIP_FRAMES,)
    """Buckets: a dataset's clip is cut to the largest of these numbers of frames that it fills."""
    clip_rate: Annotated[int, Field(ge=1, le=240)] = CLIP_RATE
    """Frames a second that the model makes; of a dataset's faster clips it sees as many."""
    shift: float = 1.0
    """Shift of the noise levels, in training and sampling."""
    cut_phase: float = 0.5
    """Phase offset of positions at every cut, in latent frames."""
    describe: float = 0.5
    """Chance that a caption of the theatre tells a look again."""
    drop_captions: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Chance that a film has no words at all, for true guidance."""
    motion_weight: Annotated[float, Field(ge=1)] = 1.0
    """How much what moves counts in the loss, at most, against what does not; 1: all alike."""
    lora: VideoLoraConfig | None = None
    """Train adapters beside a frozen base; none: all weights."""
    half_base: bool = True
    """Keep the base of adapters in bf16, which halves its memory; norms stay in fp32, as Wan wants it."""
    quantise: Quantise = "none"
    """Keep the frozen base of adapters, and its frozen T5, in int8 or nf4: a quarter or an eighth of fp32."""
    checkpoint_every: Annotated[int, Field(ge=0)] = 0
    """Gradient checkpointing: 1 computes every block again in the backward, 2 every second; 0 none."""
    preview_steps: int = 12
    """Denoising steps of a preview."""
    compile: bool = True
    """Compile the blocks, anew for every mixture of lengths."""

    @model_validator(mode="after")
    def _buckets_rise(self) -> "VideoTraining":
        if not self.frames or list(self.frames) != sorted(set(self.frames)):
            raise ValueError(f"frames: numbers that rise were wanted, such as [17, 33], found {self.frames}.")
        return self

    @model_validator(mode="after")
    def _frozen_is_quantised(self) -> "VideoTraining":
        if self.quantise != "none" and self.lora is None:
            raise ValueError(
                f"quantise: adapters were wanted with it (lora), found quantise={self.quantise} and all "
                "weights trained. Take a preset that ends in -lora, or quantise=none."
            )
        return self
