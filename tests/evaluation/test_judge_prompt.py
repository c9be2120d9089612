"""The judge's prompt against the paper's appendix H, line by line."""

from cinema_cli.evaluation.judge_prompt import ASPECTS, PROMPT_SHA256, SCHEMA, SYSTEM, repair

APPENDIX_H = """\
You are an expert visual analyst.
You will receive a sequence of movie keyframes (static images)
and must evaluate them in six aspects:

1. Character Consistency
2. Scene Consistency
3. Visual Quality
4. Aesthetics
5. Diversity (no duplicate or near-duplicate frames)
6. Narrative Coherence (does the sequence form a sensible mini-story?)

For each aspect, assign a 0{5 score and provide a one-sentence
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
"""As printed; "0{5" is an en dash that the typesetter lost."""


def test_the_prompt_is_the_papers_word_for_word() -> None:
    assert APPENDIX_H.count("0{5") == 1
    assert APPENDIX_H.replace("0{5", "0-5") == SYSTEM


def test_the_form_asks_for_the_six_aspects_that_the_prompt_names() -> None:
    assert list(ASPECTS) == SCHEMA["required"] == list(SCHEMA["properties"])
    for number, (aspect, text) in enumerate(ASPECTS.items(), start=1):
        assert f'"{aspect}"' in SYSTEM
        assert f"{number}. {text.title()}" in SYSTEM
        form = SCHEMA["properties"][aspect]
        assert form["required"] == ["score", "justification"]
        assert form["additionalProperties"] is False


def test_what_is_wrong_is_told_line_by_line() -> None:
    assert "\n- diversity is missing\n- too long\n" in repair(["diversity is missing", "too long"])


def test_the_hash_stands_for_this_very_prompt() -> None:
    """Scores carry it: whoever changes a word of the prompt changes it, and should know."""
    assert PROMPT_SHA256 == "0165793ed9bb4d2fd2159322279dda415e4c997537c07451681edba1feef4435"
