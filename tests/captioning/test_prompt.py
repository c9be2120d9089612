from cinema_cli.captioning.cast import Cast
from cinema_cli.captioning.prompt import APPENDIX_B, NOBODY, PLACEHOLDER, SUFFIX, answer_schema, system_prompt
from cinema_cli.captioning.verdict import REASONS

# Copied from the paper, appendix B, a second time and by hand: not from the code.
PAPER = (
    "You are a *film-director assistant* annotating a single frame from the movie.",
    "",
    "1. **Detailed Caption**",
    "  - Describe visual composition, lighting, and camera angles.",
    "  - Note character actions, expressions, and positioning.",
    "  - Mention setting details and atmosphere.",
    "2. **Character Identification**",
    "  - Identify characters *only when absolutely certain*, enclosing names in angle brackets "
    "(e.g. `<Character Name>`). Allowed list: `<Character List>`.",
    "  - If uncertain, describe by appearance, role, or action—*do not* use angle brackets.",
    "  - For dual-identity roles, choose the name that matches the on-screen persona.",
    "3. **Level of Detail**",
    "  - Craft concise yet thorough sentences capturing technical aspects (framing, lighting) "
    "and narrative elements (interactions, mood).",
    "  - Focus on specifics that make the frame distinctive.",
)
CAST = Cast.model_validate(
    {"characters": [{"name": "Mira", "aliases": ["The Keeper"], "look": "a red coat"}, {"name": "Tom"}]}
)


def test_appendix_b_is_word_for_word() -> None:
    assert APPENDIX_B.splitlines() == list(PAPER)


def test_the_names_of_the_movie_take_the_place_of_the_list() -> None:
    told = system_prompt(CAST)
    assert told.startswith(APPENDIX_B.replace("<Character List>", "Mira, Tom") + SUFFIX)
    assert PLACEHOLDER not in told
    assert told.endswith("6. **Characters**\n  - Mira (also called The Keeper): a red coat\n")
    assert f"Allowed list: `{NOBODY}`." in system_prompt(Cast())


def test_every_reason_is_explained_and_allowed() -> None:
    schema = answer_schema(CAST)
    assert schema["properties"]["reject_reason"]["enum"] == [*REASONS, "none"]
    assert all(f'"{reason}"' in SUFFIX for reason in (*REASONS, "none"))
    assert schema["properties"]["characters"]["items"]["enum"] == ["Mira", "Tom"]
    assert "enum" not in answer_schema(Cast())["properties"]["characters"]["items"]


def test_the_schema_is_what_strict_modes_accept() -> None:
    schema = answer_schema(CAST)
    assert (
        schema["required"]
        == list(schema["properties"])
        == [
            "keep",
            "reject_reason",
            "caption",
            "characters",
        ]
    )
    assert schema["additionalProperties"] is False
    assert all(f'"{name}"' in SUFFIX for name in schema["properties"])
