"""When something was captured."""

from __future__ import annotations

from datetime import UTC, datetime

from tokviz.errors import ConfigError


def now(epoch: str | None = None) -> str:
    """ISO 8601 in UTC, to the second; ``SOURCE_DATE_EPOCH`` makes it repeatable (reproducible-builds.org).

    Raises ``ConfigError`` when that isn't a number of seconds.
    """
    try:
        moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    except (ValueError, OverflowError, OSError):
        raise ConfigError(
            f"SOURCE_DATE_EPOCH: expected seconds since 1970, got {epoch!r}; correct or unset it"
        ) from None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
