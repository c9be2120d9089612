"""What ``cinema train-keyframes`` can be told: the model's shape, what all stages share, what each has.

Stages grow from single images to long sequences (section 3.2); the numbers of the paper stand in the presets.
"""

from typing import Annotated

from pydantic import Field, model_validator

from cinema_cli.config import Config
from cinema_cli.context.goldenmem import GoldenMem
from cinema_cli.models.encoders import TextPadding
from cinema_cli.models.quantise import Quantise
from cinema_cli.theatre.screenplay import COMPANY
from cinema_cli.theatre.world import FRAME_SIZE
from cinema_cli.training.loop import LoopConfig
from cinema_cli.training.lora import LoraConfig


class TransformerConfig(Config):
    """Shape of a FLUX transformer; the names are diffusers'."""

    in_channels: int
    num_layers: int
    num_single_layers: int
    attention_head_dim: int
    num_attention_heads: int
    joint_attention_dim: int
    pooled_projection_dim: int
    axes_dims_rope: tuple[int, int, int]
    guidance_embeds: bool = False


class StageConfig(Config):
    """What differs from stage to stage (section 3.2: 1 -> 8 -> 16 -> 32 pairs)."""

    sequences: int
    """Sequences in a batch."""
    loop: LoopConfig
    """How long and how to train."""
    train_text: bool = False
    """Train the text encoders too; only in the first stage of a model made from scratch."""
    clean_context: float = 0.0
    """Share of sequences in which some frames are nearly clean context."""
    own_levels: float = 0.0
    """Share of sequences in which every frame has its own noise level; the rest share one."""
    drop_pair: float = 0.0
    """Chance that a pair is dropped from the context: pure noise and no words."""
    drop_captions: float = 0.0
    """Chance that a sequence has no words at all, for true guidance."""
    subject_weight: Annotated[float, Field(ge=1)] = 1.0
    """How much a token that shows a puppet counts in the loss, against 1 for the others; the theatre only."""
    describe: float = 1.0
    """Chance that a caption tells a look that an earlier one told."""
    company: Annotated[float, Field(ge=0, le=1)] = COMPANY
    """Chance that two puppets are there, of the theatre; a movie drawn otherwise is another movie."""
    returns: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Chance that a shot of the theatre shows place, hour and size of an earlier one once more."""
    shots: int | None = None
    """Shots of a movie of the theatre; none: as many as the other stages have."""
    span: Annotated[int | None, Field(ge=1)] = None
    """Of the theatre: shots that a sequence reaches over at most, with strides by chance (3.2); none: its
    pairs are consecutive.  A dataset's sequences are strided by ``cinema sample``."""
    positions: Annotated[int | None, Field(ge=1)] = None
    """Places of a sequence's pairs for RoPE are drawn from so many, in order, so that films longer than those
    of the stage have no place that is new (Ruoss et al., arXiv 2305.16843); none: 0 to P - 1."""
    extend: float = 0.0
    """Share of steps in which memory is blind to the new frames, as where a film is extended (appendix F)."""
    extensions: tuple[tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]], ...] = ((1, 1),)
    """Remembered and new frames of such a step, one of these by chance; together at most a sequence."""
    golden: float = 0.0
    """Share of those steps in which memory is shrunk by ``memory`` (GoldenMem); else it has full size."""
    memory: GoldenMem = GoldenMem()
    """Sizes of memory."""


class KeyframeTraining(Config):
    """Everything ``cinema train-keyframes`` needs beside the stage."""

    transformer: TransformerConfig | None = None
    """Shape of the model where it is made from scratch; none: it starts from its base's weights."""
    text_length: int = 512
    """Text tokens of a caption (T)."""
    text_padding: TextPadding = "encoded"
    """Behind a shorter caption: what T5 makes of padding, as FLUX knows it, or zeros; caches keep none."""
    keep_words: bool = True
    """Keep a dataset's encoded captions in the run's cache; else they are encoded in every step."""
    held_out: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of a dataset's films, rounded, that are not trained on: previews and validation are of them."""
    movies: int = 4000
    """Movies of the theatre to draw sequences from."""
    shots: int = 8
    """Shots of a movie."""
    frame_size: tuple[int, int] = FRAME_SIZE
    """Height and width of a frame in pixels; the theatre draws no other, a dataset's are made smaller."""
    shift: float = 1.0
    """Shift of the noise levels, in training and sampling."""
    context_floor: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Lowest noise level of context frames."""
    context_level: Annotated[float, Field(ge=0, le=1)] = 0.25
    """Highest one (Fig. 9: 1 to 250 of 1000 works best; its other bands are 251 to 500, 501 to 750, 751 to
    1000)."""
    guidance: Annotated[float, Field(ge=0)] = 1.0
    """What a guidance-distilled base such as FLUX.1-dev is told as its guidance in training."""
    keep_guidance: bool = False
    """Keep what the base was distilled to, at the scale ``guidance``: fit to the data what lies beneath it,
    (v + (s - 1) v_without_words) / s, the latter without gradients (DC-Gen, arXiv 2509.25180)."""
    preview_guidance: Annotated[float, Field(ge=0)] = 3.5
    """What it is told where it draws previews."""
    lora: LoraConfig | None = None
    """Train adapters beside a frozen base; none: all weights."""
    half_base: bool = True
    """Keep the base of adapters in bf16, which halves its memory."""
    quantise: Quantise = "none"
    """Keep the frozen base of adapters, and its frozen T5, in int8 or nf4: a quarter or an eighth of fp32."""
    checkpoint_every: Annotated[int, Field(ge=0)] = 0
    """Gradient checkpointing: 1 computes every block again in the backward, 2 every second; 0 none."""
    preview_steps: int = 16
    """Denoising steps of a preview."""
    compile: bool = True
    """Compile the blocks; on a CPU this is what makes training possible at all."""
    stages: dict[int, StageConfig] = Field(default_factory=dict)
    """By pairs in a sequence."""

    @model_validator(mode="after")
    def _guidance_is_kept(self) -> "KeyframeTraining":
        if self.keep_guidance and self.guidance <= 1:
            raise ValueError(
                f"guidance: above 1, such as 3.5, was wanted to keep_guidance, found {self.guidance}."
            )
        return self

    @model_validator(mode="after")
    def _spans_fit(self) -> "KeyframeTraining":
        for pairs, stage in self.stages.items():
            shots = stage.shots or self.shots
            if stage.span is not None and not pairs <= stage.span <= shots:
                raise ValueError(
                    f"stages.{pairs}.span: {pairs} pairs to {shots} shots were wanted, found {stage.span}."
                )
        return self

    @model_validator(mode="after")
    def _positions_fit(self) -> "KeyframeTraining":
        for pairs, stage in self.stages.items():
            if stage.positions is not None and stage.positions < pairs:
                raise ValueError(
                    f"stages.{pairs}.positions: at least {pairs}, one a pair, were wanted, found "
                    f"{stage.positions}."
                )
        return self

    @model_validator(mode="after")
    def _extensions_fit(self) -> "KeyframeTraining":
        for pairs, stage in self.stages.items():
            for remembered, new in stage.extensions if stage.extend else ():
                if remembered + new > pairs:
                    raise ValueError(
                        f"stages.{pairs}.extensions: at most {pairs} frames were wanted, found {remembered} "
                        f"remembered and {new} new."
                    )
        return self

    @model_validator(mode="after")
    def _contexts_fit(self) -> "KeyframeTraining":
        for pairs, stage in self.stages.items():
            if pairs % stage.loop.context:
                raise ValueError(
                    f"stages.{pairs}.loop.context: a divisor of {pairs} pairs was wanted, found "
                    f"{stage.loop.context}."
                )
            for remembered, new in stage.extensions if stage.extend else ():
                if remembered + new < stage.loop.context:
                    raise ValueError(
                        f"stages.{pairs}.extensions: at least a frame for each of the {stage.loop.context} "
                        f"processes that share a sequence (loop.context) was wanted, found {remembered} "
                        f"remembered and {new} new."
                    )
        return self

    @model_validator(mode="after")
    def _frozen_is_quantised(self) -> "KeyframeTraining":
        if self.quantise != "none" and self.lora is None:
            raise ValueError(
                f"quantise: adapters were wanted with it (lora), found quantise={self.quantise} and all "
                "weights trained. Take a preset that ends in -lora, or quantise=none."
            )
        return self
