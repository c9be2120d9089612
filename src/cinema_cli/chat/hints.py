"""When a server wants to be asked again: the headers and fields in which servers say so."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?")
_RETRY_DELAY = re.compile(r'"retryDelay"\s*:\s*"(\d{1,9}(?:\.\d{1,9})?)s"')


def retry_after(headers: Mapping[str, str], body: str = "") -> float | None:
    """Seconds until the server wants to be asked again; None where it did not say.

    Read are ``retry-after-ms`` (OpenAI, Azure), ``Retry-After`` in seconds or as a date, and
    ``retryDelay`` in the body (Gemini).  A date is compared with the server's own clock, where it
    shows one.
    """
    milliseconds = headers.get("retry-after-ms", "").strip()
    if _NUMBER.fullmatch(milliseconds):
        return float(milliseconds) / 1000
    given = headers.get("retry-after", "").strip()
    if _NUMBER.fullmatch(given):
        return float(given)
    if (then := _date(given)) is not None:
        now = _date(headers.get("date", "")) or datetime.now(UTC)
        return max(0.0, (then - now).total_seconds())
    found = _RETRY_DELAY.search(body)
    return float(found[1]) if found else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
