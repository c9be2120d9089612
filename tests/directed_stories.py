"""A story of two chapters, a director's answers to it, and a server that gives them."""

import json
from pathlib import Path
from typing import Any

from chat_server import ChatServer
from cinema_cli.chat.consulting import SlowChat
from cinema_cli.chat.patience import Patience
from cinema_cli.planning.director import Director, DirectorConfig, open_director
from cinema_cli.planning.told import Words
from cinema_cli.progress import Progress

STORY = """The Two Lamps

Chapter One

Mira, who keeps the lighthouse, climbs its stairs at night. “Who is there?” she calls. Nobody answers.

Chapter Two

In the morning Tom rows to the beach. Mira waves to him. They run along the water.
"""
MORE = "At night Mira and Tom sit in the kitchen. A stranger, Ada, knocks at the door."

MIRA = {"name": "Mira", "look": "A tall woman in a red coat and a blue hat."}
TOM = {"name": "Tom", "look": "a short man in a green coat and a yellow hat"}
ADA = {"name": "Ada", "look": "an old woman in a white coat"}
LIGHTHOUSE = {"name": "the lighthouse", "look": "a narrow stone stair, white walls"}
BEACH = {"name": "the beach", "look": "grey sand, a rowing boat"}
KITCHEN = {"name": "the kitchen", "look": "a stove and a long table"}


def shot(place: dict[str, str], caption: str, **changes: Any) -> dict[str, Any]:
    """A shot as a director writes it."""
    whole = {"place": place["name"], "time": "night", "framing": "wide", "action": caption, "lines": []}
    return {**whole, "caption": caption, **changes}


STAIRS = shot(
    LIGHTHOUSE,
    "Wide shot from below. On a narrow stone stair at night <Mira> climbs, a lamp in her hand. Calm.",
    action="<Mira> walks up the stairs.",
)
CALL = shot(
    LIGHTHOUSE,
    "Close-up. <Mira> listens at a dark door, her mouth open.",
    action="<Mira> calls into the dark.",
    framing="close-up",
    lines=[{"speaker": "Mira", "text": "Who is there?"}],
)
MEETING = shot(
    BEACH,
    "Wide shot. On grey sand in the morning <Mira> waves to <Tom> in a rowing boat.",
    action="<Mira> waves to <Tom>.",
    time="morning",
)
RUNNING = shot(
    BEACH,
    "Medium shot. <Mira> and <Tom> run along the water in the morning sun.",
    action="<Mira> and <Tom> run along the water.",
    time="morning",
    framing="medium",
)
AT_TABLE = shot(KITCHEN, "Medium shot. <Mira>, <Tom> and <Ada> at a long table.", framing="medium")


def reply(shots: list[dict[str, Any]], **changes: Any) -> str:
    """An answer as a director writes it."""
    whole = {"title": "Lamps", "logline": "<Mira> keeps a lamp.", "cast": [], "places": [], "shots": shots}
    return json.dumps({**whole, "summary": "Much has happened.", **changes})


ONE = reply([STAIRS, CALL], cast=[MIRA], places=[LIGHTHOUSE], summary="Mira heard somebody.")
TWO = reply([MEETING, RUNNING], cast=[TOM], places=[BEACH], logline="<Mira> and <Tom> meet.")
THREE = reply([AT_TABLE], cast=[ADA], places=[KITCHEN])


def answer(content: str, **play: Any) -> dict[str, Any]:
    """The server's play of an answer."""
    return {"play": "answer", "content": content, **play}


def asked(call: dict[str, Any]) -> dict[str, Any]:
    """What a director was asked, from the server's record of the call."""
    data: dict[str, Any] = json.loads(call["body"]["messages"][1]["content"][0]["text"])
    return data


def director_config(server: ChatServer, **changes: Any) -> DirectorConfig:
    """A director behind that server."""
    chat = SlowChat(base_url=server.base_url, model="m", timeout=20)
    return DirectorConfig(**{"chat": chat, "patience": Patience(tries=2, first_wait=0.01), **changes})


def quick_director(
    server: ChatServer, folder: Path, words: Words = "director", stack: Any = None, **changes: Any
) -> Director:
    """A director for the film in a folder."""
    config = director_config(server, **changes)
    return open_director(config, words, folder, Progress(quiet=True), stack, lambda: False)
