"""One model after another: its projections, its pictures and what is measured of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from tokviz.config import ModelConfig
from tokviz.errors import ModelError, TokvizError
from tokviz.pages.text.problems import problems
from tokviz.records import Plate, Projection
from tokviz.run.plan.report import Plan
from tokviz.run.plan.tree import Captured, ModelPlan, PictureJob
from tokviz.run.publishing.site import Made, Products
from tokviz.run.work.picture_queue import PictureQueue
from tokviz.run.work.progress import Reporter, told_if_long
from tokviz.text import error_line, with_short_paths


def named_failure(name: str, failure: str) -> str:
    """Why a model failed, after its name; most reasons begin with its source, which may be its name."""
    return with_short_paths(failure if failure.startswith(f"{name}: ") else f"{name}: {failure}")


def report_failure(model: ModelConfig, failure: ModelError | None, plan: Plan, reporter: Reporter) -> None:
    """Tell at once of a model that failed beside others."""
    if failure and plan.tells_failures:
        reporter.say(f"error: {named_failure(model.display_name, str(failure))}")


@dataclass(frozen=True, kw_only=True)
class Making:
    """What is made of captured models in a run; what one model's numbers or its size do to a library costs that model only."""

    plan: Plan
    reporter: Reporter
    queue: PictureQueue

    @property
    def helpers(self) -> PictureQueue | None:
        """Who measures in other processes; None on a cluster, whose workers need not see the cache."""
        return None if self.plan.options.place.is_cluster else self.queue

    def begin(self, model: ModelPlan, failure: ModelError | None) -> Made:
        """Project a captured model, and have its pictures drawn and itself measured."""
        if failure is not None:
            return self._failed(model, failure)
        return self.guarded(model, lambda: self._show(self.plan.grow(model)))

    def end(self, made: Made) -> Made:
        """Wait until all is there that is measured of a model; what is known of its words is then drawn."""
        return self.guarded(made.plan, partial(self._measured, made))

    def guarded(self, model: ModelPlan, work: Callable[[], Made]) -> Made:
        """What goes wrong costs this model only, and is shown on its page."""
        try:
            return work()
        except TokvizError:
            raise
        except Exception as error:  # noqa: BLE001
            reason = f"{model.model.source}: its hidden states can't be shown: {error_line(error)}"
            return self._failed(model, ModelError(reason))

    def _failed(self, model: ModelPlan, error: ModelError) -> Made:
        report_failure(model.model, error, self.plan, self.reporter)
        return Made(plan=model, failure=str(error))

    def _show(self, model: ModelPlan) -> Made:
        plan, captured = self.plan, model.captured
        with told_if_long(self.reporter, f"{model.model.display_name}: projecting"):
            asked = [step for each in captured.values() for step in each.projections.values()]
            found = iter(plan.steps.all(asked, self.helpers.idle if self.helpers else None))
            projections = [[next(found) for _ in each.projections] for each in captured.values()]
        # Before the pictures: it takes longest.
        with told_if_long(self.reporter, f"{model.model.display_name}: measuring"):
            measuring = [
                plan.steps.meanwhile(each.measures, self.helpers) if plan.options.measures else None
                for each in captured.values()
            ]
        products = {}
        for (key, each), of_it, measured in zip(captured.items(), projections, measuring, strict=True):
            products[key] = Products(
                captured=each,
                shown=tuple((projection, self._draw(model.model, each, projection)) for projection in of_it),
                measuring=measured,
            )
            reasons = problems(of_it[0]) if of_it else [None]
            if all(reasons) and not plan.options.is_first_look:
                self.reporter.say(f"{model.model.display_name}, {each.states.context.label}: no plot: {reasons[0]}")
        self.queue.keep_finished()
        return Made(plan=model, products=products)

    def _draw(self, model: ModelConfig, captured: Captured, projection: Projection) -> tuple[PictureJob, ...]:
        pictures = self.plan.pictures(model, captured, projection) if projection.name in captured.drawn else []
        # Grids take longest: begun last, one would keep a single process busy at the end.
        for job in sorted(pictures, key=lambda each: isinstance(each.picture, Plate)):
            if job.due:
                self.queue.submit(job.key, job.picture)
        return tuple(pictures)

    def _measured(self, made: Made) -> Made:
        products, model = dict(made.products), made.plan.model
        for key, each in made.products.items():
            if each.measuring is None:
                continue
            with told_if_long(self.reporter, f"{model.display_name}: measuring, {each.captured.states.context.label}"):
                measures = {**each.measuring.wait(), "added": tuple(self.plan.steps.all(each.captured.added))}
            job = self.plan.heat_map(model, each.captured, measures)
            products[key] = replace(each, measures=measures, heat_map=job)
            if job and job.due:
                self.queue.submit(job.key, job.picture)
        return replace(made, products=products)
