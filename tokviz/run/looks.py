"""A first look at a report that is still being made: plots of the models that are captured first, in one projection.

It is a report of its own, of what the whole one has too: nothing is made for it that the whole one doesn't use. It announces
nothing, as what is announced is decided over all that a report measures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from tokviz import models
from tokviz.config import ModelConfig, ReportConfig
from tokviz.errors import ModelError
from tokviz.pages.frame.frame import FIRST_PAGE
from tokviz.records import Underway
from tokviz.run.capturing.all_models import capture_models
from tokviz.run.capturing.apart import Apart
from tokviz.run.making import Making
from tokviz.run.plan.pairs import Compared
from tokviz.run.plan.report import Plan
from tokviz.run.plan.tree import ModelPlan
from tokviz.run.publishing import manifest, publish, site
from tokviz.run.publishing.site import Made
from tokviz.run.store.disk import shown_path
from tokviz.run.work.picture_queue import PictureQueue
from tokviz.run.work.progress import Quiet
from tokviz.text import counted

if TYPE_CHECKING:
    from tokviz.run.forecast import Timed

SECONDS = 60.0
"""After which no further model is captured for it, and the least until it is made again with further ones."""
SHARE = 0.05
"""Of the time that may go into making it again."""
Captured = tuple[ModelPlan, ModelError | None]


class Looks:
    """What stands in the site until the report is whole: a first look, and again as further models are captured."""

    def __init__(self, whole: Plan, expected: str | None, reporter: Timed, queue: PictureQueue) -> None:
        self._whole, self._expected, self._reporter, self._queue = whole, expected, reporter, queue
        self._place: Path | None = None
        self._n_shown = 0
        self._failed: dict[str, ModelError] = {}

    def first(self, apart: Apart) -> tuple[Plan, dict[str, ModelError]]:
        """What is left when one stands, if it is due; and by their slugs, why models can't be captured that were tried for it.

        While a complete report stands, it goes to another place, if there is one.
        """
        whole, options = self._whole, self._whole.options
        if not is_due(whole):
            return whole, {}
        self._place = options.output
        if publish.is_complete(options.output):
            page = shown_path(options.output / FIRST_PAGE)
            self._reporter.say(f"{page}: an earlier report, which stays until this one is complete")
            self._place = options.early_in
        if self._place is None:
            return whole, {}
        making, until = Making(plan=of(whole), reporter=self._reporter, queue=self._queue), monotonic() + SECONDS
        begun, failed = list[Made](), self._failed
        captured = capture_models(making.plan, self._reporter, self._queue, apart)
        for model, failure in self._reporter.then_making(captured):
            if failure:
                failed[model.model.slug] = failure
            else:
                begun.append(making.begin(model, None))
            if begun and monotonic() > until:
                break
        self._queue.finish()
        self._publish(making.plan, begun)
        return Plan(whole.config, options, whole.store), dict(failed)

    def between(self, captured: Iterable[Captured]) -> Iterator[Captured]:
        """The same models; when one has been dealt with, all whose plots stand by then are shown, but not too often."""
        until = monotonic() + SECONDS
        for each in captured:
            model, failure = each
            if failure:
                self._failed[model.model.slug] = failure
            yield each
            if self._n_shown and monotonic() > until:
                began = monotonic()
                self._again()
                until = monotonic() + max(SECONDS, (monotonic() - began) / SHARE)

    def _again(self) -> None:
        whole = self._whole
        self._queue.keep_finished()
        plan = of(Plan(whole.config, whole.options, whole.store))
        making = Making(plan=plan, reporter=Quiet(), queue=self._queue)
        captured = [each for each in plan.models if not each.due]
        if len(captured) > self._n_shown:
            there = [making.begin(each, None) for each in captured]
            there = [each for each in there if not any(job.due for job in site.jobs_of(each))]
            if len(there) > self._n_shown:
                self._publish(plan, there)

    def _publish(self, plan: Plan, begun: Sequence[Made]) -> None:
        """Models that fail are left to the whole report, which says why."""
        made = [each for each in begun if not each.failure]
        images = site.find_images(made, plan.store, self._queue.failed)
        if not images or self._place is None:
            return
        made.sort(key=lambda each: plan.config.models.index(each.plan.model))
        report = site.make_report(plan, made, (), Compared(), images, ())
        config = self._whole.config
        underway = Underway(
            n_models=len(config.models),
            n_failed=len(self._failed),
            n_series=len(config.series),
            expected=self._expected,
        )
        report = replace(report, underway=underway)
        spared = publish.publish(site.make_files(report, images, {}, plan), self._place)
        is_beside = self._place != self._whole.options.output
        page = "beside it" if is_beside else shown_path(self._place / FIRST_PAGE)
        for line in (
            *spared.lines(self._place),
            f"{page}: a first look at {counted(len(made), 'model')}; all else follows",
        ):
            self._reporter.say(line)
        self._n_shown = len(made)


def is_due(plan: Plan) -> bool:
    """Whether one is asked for, and a model of it must be captured, or an earlier one stands, perhaps of another report."""
    options = plan.options
    if not options.early or not options.measures or options.force or options.place.is_cluster:
        return False
    slugs = {each.slug for each in _shown(plan)}
    is_old = bool(slugs) and manifest.is_unfinished(options.output)
    return is_old or not slugs.isdisjoint(each.model.slug for each in plan.models if each.due)


def of(plan: Plan) -> Plan:
    """The plan of the look."""
    return Plan(
        _config(plan.config, _shown(plan)),
        replace(plan.options, is_first_look=True, forms=("wide",), excerpts=False, cards=False),
        plan.store,
    )


def _shown(plan: Plan) -> list[ModelConfig]:
    """Without those that would be downloaded once more for the rest."""
    return [each for each in plan.config.models if not models.is_downloaded_apart(each, plan.options.base)]


def _config(config: ReportConfig, shown: list[ModelConfig]) -> ReportConfig:
    """Without the author's own words, which may speak of what isn't there yet."""
    without_notes = [each.model_copy(update={"note": None, "notes": {}}) for each in shown]
    return config.model_copy(
        update={
            "models": without_notes,
            "series": [],
            "projections": config.projections[:1],
            "compare": None,
            "changes": None,
            "intro": None,
            "subtitle": None,
            "description": None,
            "finding": None,
        }
    )
