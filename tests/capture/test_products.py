"""Products by oneDNN are those of PyTorch, and only made where they may be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from tokviz.capture import products
from tokviz.capture.products import LEAST_OPERATIONS, fast_products

pytestmark = pytest.mark.skipif(products._mode() is None, reason="MKL is as fast on this processor")

N_ROWS, WIDTH, N_OUT = 40, 512, 256
assert N_ROWS * WIDTH * N_OUT >= LEAST_OPERATIONS


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of what oneDNN is asked for."""
    asked: list[tuple[int, ...]] = []
    real = products._suits

    def noted(*arguments: torch.Tensor) -> bool:
        suits = real(*arguments)
        if suits:
            asked.append(tuple(arguments[0].shape))
        return suits

    monkeypatch.setattr(products, "_suits", noted)
    return asked


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


SUITABLE: dict[str, Callable[[], tuple[torch.Tensor, ...]]] = {
    "rows": lambda: (random(N_ROWS, WIDTH), random(N_OUT, WIDTH)),
    "with a bias": lambda: (random(N_ROWS, WIDTH), random(N_OUT, WIDTH), random(N_OUT)),
    "words and tokens": lambda: (random(8, N_ROWS // 8, WIDTH), random(N_OUT, WIDTH), random(N_OUT)),
    "words and tokens exchanged": lambda: (random(N_ROWS // 8, 8, WIDTH).transpose(0, 1), random(N_OUT, WIDTH)),
    "a transposed weight": lambda: (random(N_ROWS, WIDTH), random(WIDTH, N_OUT).T),
    "a parameter": lambda: (random(N_ROWS, WIDTH), torch.nn.Parameter(random(N_OUT, WIDTH))),
    "values that aren't finite": lambda: (random(N_ROWS, WIDTH) / 0, random(N_OUT, WIDTH)),
}


@pytest.mark.parametrize("kind", SUITABLE)
def test_products_are_pytorchs_up_to_rounding(kind: str, made: list[tuple[int, ...]]) -> None:
    arguments = SUITABLE[kind]()
    with torch.inference_mode():
        expected = functional.linear(*(each.double() for each in arguments))
        with fast_products():
            found = functional.linear(*arguments)

    assert made == [tuple(arguments[0].shape)]
    assert found.dtype is torch.float32
    assert found.shape == expected.shape
    if expected.isfinite().all():
        assert float((found - expected).norm() / expected.norm()) < 1e-6
    else:
        assert torch.equal(found.isfinite(), expected.isfinite())


UNSUITABLE: dict[str, Callable[[], tuple[torch.Tensor, ...]]] = {
    "few words": lambda: (random(2, WIDTH), random(N_OUT, WIDTH)),
    "doubles": lambda: (random(N_ROWS, WIDTH).double(), random(N_OUT, WIDTH).double()),
    "half precision": lambda: (random(N_ROWS, WIDTH).bfloat16(), random(N_OUT, WIDTH).bfloat16()),
    "a bias of every second number": lambda: (random(N_ROWS, WIDTH), random(N_OUT, WIDTH), random(2 * N_OUT)[::2]),
    "a bias of one number": lambda: (random(N_ROWS, WIDTH), random(N_OUT, WIDTH), random(1).expand(N_OUT)),
    "a bias that is a row": lambda: (random(N_ROWS, WIDTH), random(N_OUT, WIDTH), random(1, N_OUT)),
    "one output": lambda: (random(N_ROWS * N_OUT, WIDTH), random(WIDTH)),
    "no values": lambda: (random(N_ROWS, WIDTH).to("meta"), random(N_OUT, WIDTH).to("meta")),
}


@pytest.mark.parametrize("kind", UNSUITABLE)
def test_other_products_are_left_alone(kind: str, made: list[tuple[int, ...]]) -> None:
    arguments = UNSUITABLE[kind]()
    with torch.inference_mode():
        expected = functional.linear(*arguments)
        with fast_products():
            found = functional.linear(*arguments)

    assert made == []
    assert found.device.type == "meta" or torch.equal(found, expected)


def test_what_is_derived_by_is_left_alone(made: list[tuple[int, ...]]) -> None:
    inputs, weight = random(N_ROWS, WIDTH).requires_grad_(), random(N_OUT, WIDTH)
    with fast_products():
        functional.linear(inputs, weight).sum().backward()

    assert made == []
    assert inputs.grad is not None


def test_a_layer_of_a_model_goes_through_it(made: list[tuple[int, ...]]) -> None:
    layer = torch.nn.Linear(WIDTH, N_OUT)
    with torch.inference_mode(), fast_products():
        layer(random(N_ROWS, WIDTH))

    assert made == [(N_ROWS, WIDTH)]
