from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from cinema_cli.chat.hints import retry_after

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "-7"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": format_datetime(NOON + timedelta(seconds=90)), "date": format_datetime(NOON)}, 90.0),
        ({"retry-after": format_datetime(NOON), "date": format_datetime(NOON + timedelta(hours=1))}, 0.0),
    ],
)
def test_headers(headers: dict[str, str], wait: float | None) -> None:
    assert retry_after(headers) == wait


def test_a_date_without_the_servers_clock() -> None:
    then = datetime.now(UTC) + timedelta(days=1)
    found = retry_after({"retry-after": format_datetime(then, usegmt=True)})
    assert found is not None
    assert 86_000 < found <= 86_400


def test_the_body_of_gemini() -> None:
    body = '[{"error": {"code": 429, "details": [{"@type": "RetryInfo", "retryDelay": "34.5s"}]}}]'
    assert retry_after({}, body) == 34.5
    assert retry_after({"retry-after": "3"}, body) == 3.0
