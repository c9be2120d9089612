"""A judge's answers, and films for it to look at."""

import json
from pathlib import Path
from typing import Any

from chat_server import ChatServer
from cinema_cli.chat.consulting import SlowChat
from cinema_cli.chat.patience import Patience
from cinema_cli.evaluation.judge import JudgeConfig
from cinema_cli.evaluation.judge_prompt import ASPECTS


def scores(all_of_them: float, **others: float) -> str:
    """A verdict as a judge writes it."""
    given = {**dict.fromkeys(ASPECTS, all_of_them), **others}
    marks = {
        aspect: {"score": score, "justification": f"Because of {aspect.replace('_', ' ')}."}
        for aspect, score in given.items()
    }
    return json.dumps(marks, indent=1)


def answer(content: str, **play: Any) -> dict[str, Any]:
    """The server's play of an answer."""
    return {"play": "answer", "content": content, **play}


def judge_config(server: ChatServer, **changes: Any) -> JudgeConfig:
    """A judge behind that server."""
    chat = SlowChat(base_url=server.base_url, model="m", timeout=20)
    return JudgeConfig(**{"chat": chat, "patience": Patience(tries=2, first_wait=0.01), **changes})


def files(folder: Path) -> list[str]:
    """Names of what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())
