"""Attention of the keyframe model's global blocks: over all pairs, on every process (section 3.2, Fig. 3).

Pairs come folded and leave folded; between, they are one sequence.  Who sees whom is decided by slices
(``regimes.py``), and where processes share the sequence, keys and values of all of them are gathered here
(``context_parallel.py``).

Shapes:  B batch   n pairs of a group   S tokens of a pair   D width   H heads   d = D / H
         M tokens of memory
"""

from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_flux import FluxAttention
from torch import Tensor

from cinema_cli.models.context_parallel import Exchange
from cinema_cli.models.folding import join_groups, split_groups
from cinema_cli.models.regimes import KeyValue, prefix_attention

Rotary = tuple[Tensor, Tensor]


class GlobalAttnProcessor:
    """Attention of a single-stream block across pairs, each token seeing what its regime allows."""

    _attention_backend = None
    _parallel_config = None

    def __call__(
        self,
        attn: FluxAttention,
        hidden_states: Tensor | tuple[Tensor, ...],  # (B n, S, D) of each group
        encoder_hidden_states: None = None,
        attention_mask: None = None,
        image_rotary_emb: Rotary | None = None,  # (sum of n S, d)
        pairs: tuple[int, ...] = (1,),
        blocks: tuple[int, ...] | None = None,
        memory: KeyValue | None = None,  # (B, M, H, d)
        exchange: Exchange | None = None,
    ) -> tuple[tuple[Tensor, ...], KeyValue]:
        """Return the attended tokens, folded as they came, and the keys and values of these tokens."""
        groups = (hidden_states,) if isinstance(hidden_states, Tensor) else hidden_states
        x = join_groups(groups, pairs)
        query, key, value = (
            projection(x).unflatten(-1, (-1, attn.head_dim))
            for projection in (attn.to_q, attn.to_k, attn.to_v)
        )
        query = apply_rotary_emb(attn.norm_q(query), image_rotary_emb, sequence_dim=1)
        key = apply_rotary_emb(attn.norm_k(key), image_rotary_emb, sequence_dim=1)

        def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            return dispatch_attention_fn(
                q, k, v, backend=self._attention_backend, parallel_config=self._parallel_config
            )

        seen: KeyValue = (key, value)
        ends: tuple[int, ...] | None = None
        if exchange is not None:
            seen, ends = exchange.gather(key, value), exchange.ends
        out = prefix_attention(attend, query, seen, blocks or (query.shape[1],), memory, ends)
        return split_groups(out.flatten(2, 3).to(query.dtype), groups, pairs), (key, value)
