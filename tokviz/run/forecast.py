"""What a run will make, what it takes of the network and the disk, and how long it will last: said before it begins.

Costs are seconds of a machine that multiplies matrices at ``SPEED``; this one's own speed is measured for a moment. When a run has
ended, what each phase really took is kept beside what was foreseen: later forecasts are corrected by that of the last ones.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from tokviz.errors import StoreError
from tokviz.run import looks
from tokviz.run.due_work import LIBRARIES, PAGES, PHASES, SPEED, Work, of_plan
from tokviz.run.plan.report import Plan
from tokviz.run.publishing import publish
from tokviz.run.store.artefacts import Store
from tokviz.run.work.processes import default_jobs
from tokviz.run.work.progress import Quiet, Reporter, Step
from tokviz.text import counted, path_in_line

_TOLD = {
    ": loading": "loading",
    "Loading PyTorch": "loading",
    ": capturing": "capturing",
    ": measuring the next-token loss": "loss",
    ": fitting the lens": "lens",
}
"""What stands in the name of a step, and the phase that begins with it."""
_MEASURED_SECONDS = 0.3
_N_RUNS, _LEAST_SECONDS, _MOST_RATIO = 9, 1.0, 20.0
"""How many of the last runs are kept; phases that are foreseen as shorter say nothing of longer ones."""
_BYTES_OF_IMAGE, _BYTES_OF_SITE, _BYTES_OF_MODEL = 35_000, 2_000_000, 1_000_000
Some = TypeVar("Some")


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Work, and how long it lasts here."""

    work: Work
    first: Work | None
    """That of a first look; None where none is due."""
    n_models: int
    n_contexts: int
    pace: float
    """How many times as long as on the machine that costs are counted on."""
    ratios: Mapping[str, float]
    """By phase, how many times as long as foreseen it took in earlier runs."""
    n_runs: int
    """How many of these are known."""
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))

    def seconds(self, work: Work) -> float | None:
        """All of a work's; None where they aren't known."""
        if work.unknown:
            return None
        return sum(self.pace * self.ratios.get(phase, 1.0) * found for phase, found in work.seconds.items())

    @property
    def end(self) -> float | None:
        """Seconds until all is there."""
        return self.seconds(self.work)

    @property
    def first_page(self) -> float | None:
        """Seconds until the first page stands."""
        return self.end if self.first is None else self.seconds(self.first)

    @property
    def until_when(self) -> str | None:
        """How long all was expected to take, in a sentence that stays true; None where that isn't known."""
        if self.end is None:
            return None
        return f"The run began on {self.begun:%Y-%m-%d at %H:%M} UTC and was expected to take {_about(self.end)}."

    @property
    def megabytes(self) -> dict[str, float | None]:
        """To download, and on the disk."""
        work, images = self.work, self.work.n_images * _BYTES_OF_IMAGE
        site = _BYTES_OF_SITE + self.n_models * _BYTES_OF_MODEL + images
        found = {"download": work.download, "cache": None if work.unknown else work.n_bytes + images, "site": site}
        return {name: None if each is None else round(each / 1e6, 1) for name, each in found.items()}

    @property
    def lines(self) -> list[str]:
        """What is said before the run: what is due, how large it is, how long it takes."""
        if not self.work.is_due:
            return ["nothing is to be captured, measured or drawn"]
        return [self._what(), self._how_large(), self._how_long()]

    def _what(self) -> str:
        work = self.work
        parts = [counted(work.n_captures, "capture")] if work.n_captures else []
        parts += [f"up to {work.n_changed} with changed or random weights"] if work.n_changed else []
        parts += [" and ".join(work.kinds)] if work.kinds else []
        images = f"about {counted(work.n_images, 'image')}" if work.n_images else "no new image"
        more = ", and more of models of unknown size" if work.unknown else ""
        of = f"{counted(self.n_models, 'model')} in {counted(self.n_contexts, 'context')}"
        return f"{of}: {', '.join(parts) or 'nothing to capture'}; {images}{more}"

    def _how_large(self) -> str:
        found = {name: "unknown" if each is None else f"{each:,.0f} MB" for name, each in self.megabytes.items()}
        return f"to download: {found['download']}; on the disk: cache {found['cache']}, site {found['site']}, about"

    def _how_long(self) -> str:
        if self.end is None:
            unknown = path_in_line(self.work.unknown[0])
            if len(self.work.unknown) > 1:
                unknown += f" and {counted(len(self.work.unknown) - 1, 'other')}"
            return f"time: unknown, as the size of {unknown} isn't known"
        by = f", corrected by {counted(self.n_runs, 'earlier run')}" if self.n_runs else ""
        first = f"first page {_about(self.first_page or 0)}, all " if self.first else ""
        return f"time: {first}{_about(self.end)} (by a measurement of this machine{by})"

    def as_json(self) -> dict[str, Any]:
        work = self.work
        minutes = {"first_page": self.first_page, "end": self.end}
        return {
            "is_due": work.is_due,
            "models": self.n_models,
            "contexts": self.n_contexts,
            "captures": work.n_captures,
            "changed_or_random": work.n_changed,
            "kinds": list(work.kinds),
            "images": work.n_images,
            "megabytes": self.megabytes,
            "minutes": {name: None if each is None else round(each / 60, 2) for name, each in minutes.items()},
            "unknown": work.unknown,
            "earlier_runs": self.n_runs,
        }


def _about(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return "under a minute"
    return f"about {counted(int(float(f'{minutes:.2g}') + 0.5), 'minute')}"


def expected(plan: Plan) -> Expected:
    """What is due of a report, and how long it lasts on this machine, which is measured where anything is due."""
    work, first = of_plan(plan), None
    if work.is_due and looks.is_due(plan) and not publish.is_complete(plan.options.output):
        look = looks.of(plan)
        first = of_plan(look, looks.SECONDS)
        work.seconds["loading"] += first.seconds["loading"] - LIBRARIES
        work.seconds["making"] += PAGES
    runs = _noted(plan.store)
    return Expected(
        work=work,
        first=first,
        n_models=work.n_models or len(plan.models),
        n_contexts=len(plan.config.contexts),
        pace=_pace() if work.is_due and not work.unknown else 1.0,
        # The median with one that took what was foreseen: by itself a run may have been beside other work.
        ratios={phase: math.exp(statistics.median([0.0, *map(math.log, found)])) for phase, found in runs.items()},
        n_runs=max(map(len, runs.values()), default=0),
    )


def begin(plan: Plan, reporter: Reporter) -> tuple[Timed, Expected | None]:
    """Say what is expected where anything is due and somebody hears it; from now on the reporter keeps how long it takes."""
    timed = Timed(reporter)
    if not plan.options.foretells or isinstance(reporter, Quiet) or plan.options.place.is_cluster:
        return timed, None
    found = expected(plan)
    if not found.work.is_due:
        return timed, None
    for line in found.lines:
        timed.say(line)
    return timed, found


def _noted(store: Store) -> dict[str, list[float]]:
    """Of each phase what earlier runs may have noted; other numbers, such as NaN, are nobody's."""
    noted = store.timings()
    possible = {
        phase: [each for each in noted.get(phase, []) if 1 / _MOST_RATIO <= each <= _MOST_RATIO] for phase in PHASES
    }
    return {phase: found for phase, found in possible.items() if found}


def _pace() -> float:
    """How many times as long as at ``SPEED`` products of matrices take here, in as many threads as work will have.

    Others may keep the processors busy only for a while, so what that costs now is expected to be less later.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    matrix, until = np.ones((512, 512), dtype=np.float32), time.monotonic() + _MEASURED_SECONDS

    def products(_: int) -> list[float]:
        took = list[float]()
        while not took or time.monotonic() < until:
            start = time.perf_counter()
            matrix @ matrix
            took.append(time.perf_counter() - start)
        return took

    jobs = default_jobs()
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(jobs) as threads:
        took = [each for found in threads.map(products, range(jobs)) for each in found]
    busy = math.sqrt(statistics.mean(took) / min(took))
    return busy * SPEED * min(took) / (2 * len(matrix) ** 3)


# --- how long it took --------------------------------------------------------------------------------------------


class Timed:
    """A reporter that passes all on, and keeps how long each phase lasts, from the beginning of its first step to that of another."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter, self._phase, self._begun = reporter, "", time.monotonic()
        self.seconds = dict.fromkeys(PHASES, 0.0)

    def say(self, text: str) -> None:
        self._reporter.say(text)

    def step(self, name: str, total: int | None = None) -> Step:
        if phase := next((each for told, each in _TOLD.items() if told in name), None):
            self.enter(phase)
        return self._reporter.step(name, total)

    def enter(self, phase: str) -> None:
        """What is done from now on; nothing that counts for an empty one."""
        now = time.monotonic()
        if self._phase:
            self.seconds[self._phase] += now - self._begun
        self._phase, self._begun = phase, now

    def then_making(self, captured: Iterable[Some]) -> Iterator[Some]:
        """What follows a model's captures is making."""
        for each in captured:
            self.enter("making")
            yield each

    def note(self, store: Store, foreseen: Expected | None) -> None:
        """Keep how many times as long as foreseen each phase took, for later forecasts."""
        self.enter("")
        if foreseen is None or foreseen.end is None:
            return
        runs = _noted(store)
        for phase in PHASES:
            alone = foreseen.pace * foreseen.work.seconds[phase]
            if alone >= _LEAST_SECONDS:
                ratio = min(_MOST_RATIO, max(1 / _MOST_RATIO, self.seconds[phase] / alone))
                runs[phase] = [*runs.get(phase, []), round(ratio, 3)][-_N_RUNS:]
        with suppress(StoreError):
            store.put_timings(runs)
