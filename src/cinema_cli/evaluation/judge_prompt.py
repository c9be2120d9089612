"""What the judge is told (paper, appendix H), word for word, and the form of its answer.

The line breaks are those of the paper.  One misprint is put right: it prints "a 0{5 score", the typesetter's
en dash, and means 0-5.  ``REPAIR`` is ours: the paper does not say what happens to an answer of another form.
"""

from collections.abc import Sequence

from cinema_cli.chat.consulting import REPAIR, strict_object
from cinema_cli.files import sha256_json

SYSTEM = """\
You are an expert visual analyst.
You will receive a sequence of movie keyframes (static images)
and must evaluate them in six aspects:

1. Character Consistency
2. Scene Consistency
3. Visual Quality
4. Aesthetics
5. Diversity (no duplicate or near-duplicate frames)
6. Narrative Coherence (does the sequence form a sensible mini-story?)

For each aspect, assign a 0-5 score and provide a one-sentence
justification.

Score meanings:
| Score | Meaning |
|-----|-----|
| 0      | Unacceptable: completely fails expectations |
| 1      | Very Poor: major problems |
| 2      | Poor: noticeable flaws |
| 3      | Fair: meets basic expectations |
| 4      | Good: solid, minor imperfections |
| 5      | Excellent: flawless or near-perfect |

Scoring rules
- Character Consistency: clothing, hairstyle, facial features,
and proportions
remain constant.
- Scene Consistency: lighting and background elements stay coherent
across
frames.
- Visual Quality: frames are sharp, well-exposed, and color-balanced.
- Aesthetics: composition, color palette, and contrast are deliberate
and pleasing.
- Diversity: frames are meaningfully distinct; penalize repetition.
- Narrative Coherence: frames suggest a logical progression; penalize
abrupt shifts.

Return valid JSON in the following structure:

{
  "character_consistency": { "score": <0-5>, "justification": "<text>" },
  "scene_consistency":    { "score": <0-5>, "justification": "<text>" },
  "visual_quality":      { "score": <0-5>, "justification": "<text>" },
  "aesthetics":          { "score": <0-5>, "justification": "<text>" },
  "diversity":           { "score": <0-5>, "justification": "<text>" },
  "narrative_coherence": { "score": <0-5>, "justification": "<text>" }
}
"""

ASPECTS = {
    "character_consistency": "Character consistency",
    "scene_consistency": "Scene consistency",
    "visual_quality": "Visual quality",
    "aesthetics": "Aesthetics",
    "diversity": "Diversity",
    "narrative_coherence": "Narrative coherence",
}
"""Their names in the answer, and for people; in the order of the prompt."""

SCHEMA = strict_object(
    **{
        aspect: strict_object(score={"type": "number"}, justification={"type": "string"})
        for aspect in ASPECTS
    }
)
"""JSON Schema of the answer; that a score lies between 0 and 5 is checked when it is read."""

PROMPT_SHA256 = sha256_json([SYSTEM, REPAIR, SCHEMA])
"""Of all that a judge is told apart from the pictures; noted beside the scores."""


def repair(faults: Sequence[str]) -> str:
    """What the judge is told of an answer that cannot be used."""
    return REPAIR.format(faults="\n".join(f"- {fault}" for fault in faults))
