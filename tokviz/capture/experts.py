"""What each expert of a mixture adds: its experts are run once more, one for each token and each place in its routing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.capture.recording import PaddedWords
from tokviz.capture.sublayers import states_of
from tokviz.records import MOST_EXPERTS, Experts

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.utils.hooks import RemovableHandle

TOLERANCE = 1e-4
"""The largest ‖sum − whole‖ / ‖whole‖ that is taken for rounding in float32."""
ROUNDINGS = 8
"""How many units of rounding that may be in a narrow type: each expert's output is rounded, and so is their sum."""


@dataclass(frozen=True, kw_only=True)
class _Routing:
    """The arguments of a module that holds experts: which run for each token, and with which weights."""

    states: torch.Tensor
    """``(n_tokens, width)``."""
    experts: torch.Tensor
    """``(n_tokens, n_chosen)``, integers."""
    weights: torch.Tensor
    """``(n_tokens, n_chosen)``."""
    call: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], Any]
    """The module with other tokens, experts and weights; without its hooks."""


class ExpertMeter:
    """Sums over words of what each expert adds to some dimensions at the token that is read."""

    batch: PaddedWords

    def __init__(self, mixture: nn.Module, holder: nn.Module, dimensions: Sequence[int]) -> None:
        self.holder = holder
        self._mixture, self._dimensions = mixture, list(dimensions)
        self._sums: dict[int, np.ndarray] = {}
        self._whole: torch.Tensor | None = None
        """What all experts add at the token that is read, in this pass."""
        self._is_left_out = False
        self._is_checked, self._is_known = False, True

    # --- what hooks see ------------------------------------------------------------------------------------------

    def register(self) -> list[RemovableHandle]:
        return [
            self.holder.register_forward_hook(self._run_experts, with_kwargs=True),
            self._mixture.register_forward_hook(self._run_mixture, with_kwargs=True),
        ]

    def _run_experts(self, module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any], output: Any) -> Any:
        import torch

        if self._is_left_out:
            return torch.zeros_like(output)
        if self._is_known:
            try:
                self._is_known = self._add(_routing(module, arguments, named), output)
            except Exception:  # noqa: BLE001 - experts of another kind cost their own numbers, not those of all layers
                self._is_known = False
        return None

    def _add(self, routing: _Routing | None, output: Any) -> bool:
        """Add up what each expert gives; whether that is all that they give together."""
        states = states_of(output, self.batch.ids.shape)
        if routing is None or states is None:
            return False
        tokens, shares = self.batch.tokens_read()
        tokens, shares = tokens.to(routing.states.device), shares.to(routing.states.device)
        n_chosen = routing.experts.shape[1]
        experts = routing.experts[tokens].reshape(-1, 1)
        given = routing.call(
            routing.states[tokens].repeat_interleave(n_chosen, 0), experts, routing.weights[tokens].reshape(-1, 1)
        )
        flat = states.reshape(len(routing.states), -1)
        if not _is_same(given.view(len(tokens), n_chosen, -1).float().sum(1), flat[tokens].float(), flat.dtype):
            return False
        of_words = given[:, self._dimensions].double() * shares.repeat_interleave(n_chosen)[:, None]
        for expert in experts.unique().tolist():
            found = of_words[experts[:, 0] == expert].sum(0).cpu().numpy()
            self._sums[expert] = self._sums.get(expert, 0) + found
        self._whole = self.batch.read_states(states)
        return True

    def _run_mixture(self, mixture: Any, arguments: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        """See once that the mixture adds what its experts give as it is, and not scaled or normalised."""
        whole, self._whole = self._whole, None
        if self._is_left_out or self._is_checked or not self._is_known or mixture is self.holder:
            return
        self._is_checked = True
        self._is_left_out = True
        try:
            without = states_of(mixture.forward(*arguments, **named), self.batch.ids.shape)
        except Exception:  # noqa: BLE001 - as above
            without = None
        finally:
            self._is_left_out = False
        states = states_of(output, self.batch.ids.shape)
        if whole is None or without is None or states is None:
            self._is_known = False
            return
        rest = self.batch.read_states(without)
        self._is_known = _is_same(rest + whole.to(rest.device), self.batch.read_states(states), states.dtype)

    # --- what they add up to -------------------------------------------------------------------------------------

    def record(self, path: str, n_words: int) -> Experts | None:
        """None where the experts' outputs can't be told apart."""
        n_experts = _n_experts(self.holder)
        if not self._is_known or not self._sums or n_experts is None:
            return None
        known = np.array(sorted(expert for expert in self._sums if 0 <= expert < n_experts), dtype=int)
        contributions = np.stack([self._sums[expert] for expert in known], axis=1) / n_words
        largest = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :MOST_EXPERTS]
        return Experts(
            path=path,
            n_experts=n_experts,
            indices=tuple(tuple(map(int, known[row])) for row in largest),
            contributions=tuple(tuple(map(float, each[row])) for each, row in zip(contributions, largest, strict=True)),
        )


def expert_meter(mixture: nn.Module, dimensions: Sequence[int]) -> ExpertMeter | None:
    """A meter of the experts inside an MLP; None where no one module holds them, as a stack of matrices."""
    holders = [each for each in mixture.modules() if _n_experts(each) is not None]
    return ExpertMeter(mixture, holders[0], dimensions) if len(holders) == 1 and dimensions else None


def _n_experts(module: nn.Module) -> int | None:
    """How many matrices are stacked in a module's own weights; None where none are."""
    sizes = {parameter.shape[0] for parameter in module.parameters(recurse=False) if parameter.ndim == 3}
    return sizes.pop() if len(sizes) == 1 else None


def _routing(module: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> _Routing | None:
    """Found by what the arguments are; None of experts that are run in another way."""
    import torch

    values = [value for value in (*arguments, *named.values()) if isinstance(value, torch.Tensor)]
    if not values:
        return None
    states = values[0]
    experts = next((each for each in values[1:] if not each.is_floating_point() and each.dtype != torch.bool), None)
    weights = next(
        (
            each
            for each in values[1:]
            if experts is not None and each.is_floating_point() and each.shape == experts.shape
        ),
        None,
    )
    if experts is None or weights is None or states.ndim != 2 or experts.ndim != 2 or len(states) != len(experts):
        return None
    names = {id(states): 0, id(experts): 1, id(weights): 2}

    def call(*others: torch.Tensor) -> Any:
        changed = [others[names[id(each)]] if id(each) in names else each for each in arguments]
        changed_named = {name: others[names[id(each)]] if id(each) in names else each for name, each in named.items()}
        return module.forward(*changed, **changed_named)

    return _Routing(states=states, experts=experts, weights=weights, call=call)


def _is_same(found: torch.Tensor, expected: torch.Tensor, dtype: torch.dtype) -> bool:
    import torch

    tolerance = max(TOLERANCE, ROUNDINGS * torch.finfo(dtype).eps) if dtype != torch.float32 else TOLERANCE
    return bool((found - expected).norm() <= tolerance * expected.norm())
