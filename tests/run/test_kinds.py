"""What a kind of captures takes: a file of its own and its place in the list of kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from narrow import present

from tokviz.config import ModelConfig, ReportConfig, load
from tokviz.records import HiddenStates
from tokviz.run import pipeline, prune
from tokviz.run.dry_run import describe
from tokviz.run.kinds import KINDS
from tokviz.run.kinds.base import Following, Kind, Walk, due_once
from tokviz.run.kinds.ready import Ready
from tokviz.run.plan import request
from tokviz.run.plan.options import Options
from tokviz.run.plan.report import Plan
from tokviz.run.store import keys
from tokviz.run.store.artefacts import Store
from tokviz.run.store.locks import Locks
from tokviz.run.work.progress import Quiet

pytestmark = pytest.mark.slow


@dataclass(frozen=True, kw_only=True)
class Repeats(Kind[Following[str], HiddenStates]):
    """The same words once more, which tells whether a model repeats itself."""

    @classmethod
    def asked(cls, config: ReportConfig, model: ModelConfig) -> Self:
        return cls()

    def of_context(
        self, walk: Walk, intact_key: str, intact: HiddenStates, *, breaks: bool
    ) -> Iterator[Following[str]]:
        key = keys.digest({"intact": intact_key, "repeats": 1})
        yield walk.follows("once more", key, intact_key, intact, "not repeated yet")

    def make(self, ready: Ready, found: Sequence[Following[str]]) -> None:
        for each in due_once(found):
            ready.capture_again(each.key, each.intact, ready.module, ready.structure)

    @classmethod
    def given(cls, found: Sequence[Following[str]]) -> HiddenStates | None:
        return next((each.states for each in found), None)


def test_a_kind_of_ones_own_is_foreseen_made_kept_and_given_to_measures(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.toml").write_text(
        '[words]\nmonths = ["May", "June", "July"]\n[[contexts]]\nname = "alone"\ntemplate = " {word}"\n[[models]]\nsource = "llama"\n',
        encoding="utf-8",
    )
    config = load(tmp_path / "report.toml")
    options = Options(base=tmp_path, output=tmp_path / "site", cache=tmp_path / "cache")
    pipeline.capture_only(config, options, Quiet())
    monkeypatch.setattr(request, "KINDS", (*KINDS, Repeats))

    def planned() -> Plan:
        return Plan(config, options, Store(options.cache))

    headline, *lines = describe(config, options).lines
    assert headline == "1 model in 1 context: Repeats; about 28 images"
    assert any("captured; capture once more (not repeated yet)" in line for line in lines)
    (model,) = planned().models
    assert [each.all_due for each in model.due] == ["not repeated yet"]
    pipeline.capture_only(config, options, Quiet())
    (model,) = planned().models
    assert model.due == []
    captured = present(model.contexts[0].captured)
    repeated = present(captured.inputs.of(Repeats))
    for own, again in zip(captured.states.states, repeated.states, strict=True):
        np.testing.assert_array_equal(own, again)
    for kinds, n_unused in (((*KINDS, Repeats), 0), (KINDS, 1)):
        monkeypatch.setattr(request, "KINDS", kinds)
        lines = prune.prune(config, options, 0, Locks(), dry_run=True)
        assert f"{Path('cache') / 'states'}: {n_unused} would be removed" in next(
            each for each in lines if "states" in each
        )
