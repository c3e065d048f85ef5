"""What a library or tokviz raises on the way of a model is that model's failure."""

from __future__ import annotations

import pytest

from tokviz.errors import ConfigError, ModelError
from tokviz.models import failing_alone


class PanicException(BaseException):
    """As Rust's panics come to Python."""


@pytest.mark.parametrize("error", [TypeError("odd"), MemoryError(), PanicException("index out of bounds")], ids=repr)
def test_any_error_of_one_model_is_its_failure(error: BaseException) -> None:
    said = rf"^org/name: .* got {type(error).__name__}"
    with pytest.raises(ModelError, match=said) as caught, failing_alone("org/name"):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [ConfigError("one line"), ModelError("another"), KeyboardInterrupt(), SystemExit(2)], ids=repr
)
def test_what_is_told_already_and_what_ends_a_run_stays(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, failing_alone("org/name"):
        raise error
    assert caught.value is error
