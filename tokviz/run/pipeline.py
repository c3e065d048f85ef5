"""The whole run, from a configuration to a site: read ``run`` from top to bottom.

torch, transformers, scikit-learn and Matplotlib are imported where their work is due, so that a run with nothing to
capture, project or draw starts in a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from tokviz.config import ModelConfig, ReportConfig
from tokviz.draw import typefaces, warm_up
from tokviz.errors import DamagedStatesError, PublishError, TokvizError
from tokviz.pages import notes
from tokviz.pages.compare.layers import pair_name
from tokviz.pages.first.choice import unshown_rows
from tokviz.pages.frame.frame import FIRST_PAGE
from tokviz.records import Report
from tokviz.run import checkpoints, forecast, places, prune
from tokviz.run.capturing.all_models import capture_models
from tokviz.run.capturing.apart import Apart
from tokviz.run.cards import draw_cards
from tokviz.run.looks import Looks
from tokviz.run.making import Making, named_failure, report_failure
from tokviz.run.plan.added import added_measures
from tokviz.run.plan.options import Options
from tokviz.run.plan.pairs import compare
from tokviz.run.plan.report import Plan
from tokviz.run.plan.tree import ModelPlan
from tokviz.run.publishing import publish, site
from tokviz.run.publishing.site import Made
from tokviz.run.store import entries, keys
from tokviz.run.store.artefacts import Store
from tokviz.run.store.disk import shown_path
from tokviz.run.store.locks import Locks
from tokviz.run.work import workers
from tokviz.run.work.picture_queue import PictureQueue
from tokviz.run.work.progress import Reporter, told_if_long
from tokviz.text import counted

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A model, a checkpoint or a comparison that isn't in the report."""

    name: str
    failure: str
    is_told: bool = False
    """Whether the reporter was told of it when it happened."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Outcome:
    """What a run did; shown as one line."""

    place: Path
    """The site's first page; the cache where states were captured only."""
    n_models: int
    """In the report, without those that failed."""
    n_checkpoints: int = 0
    """The same of series."""
    failures: tuple[Failed, ...]
    n_captured: int
    """Model × context captures that were made, not reused."""
    n_drawn: int
    n_images: int

    @property
    def summary(self) -> str:
        """Where it stands and what it has, in words."""
        new = counted(self.n_captured, "new capture")
        kinds = ((self.n_models, "model"), (self.n_checkpoints, "checkpoint"))
        models = f"{shown_path(self.place)}: {', '.join(counted(n, kind) for n, kind in kinds if n)}"
        if not self.n_images:
            return f"{models} ({new})"
        return f"{models}, {counted(self.n_images, 'image')} ({new}, {counted(self.n_drawn, 'new image')})"

    def __repr__(self) -> str:
        return "; ".join([self.summary, *(named_failure(each.name, each.failure) for each in self.failures)])


def run(config: ReportConfig, options: Options, reporter: Reporter) -> Outcome:
    """Capture, project, measure, draw and publish whatever is due.

    Raises
    ------
    TokvizError : no model could be reported, or the site can't be written; the old site is untouched.
    """
    places.check(config, options)
    notes.check_before(config)
    added_measures()  # one that can't be loaded is reported before any work
    store, locks = Store(options.cache), Locks(waits=options.waits, say=reporter.say)
    place = prune.place_of(config, options)
    entries.mark(options.cache)
    with locks.on_site(options.output), locks.in_use(options.cache):
        recovered = publish.recover(options.output)
        for line in (*recovered.lines(options.output), *recovered.problems):
            reporter.say(line)
        outcome = _with_intact_states(lambda: _report(config, options, store, reporter), store, reporter)
        prune.note_use(store, config, options, place)
    if not _is_here():
        reporter.say("the folder that this was run in has been replaced by the new site's; change into it again (cd)")
    return outcome


def _is_here() -> bool:
    try:
        return Path.cwd().exists()
    except OSError:
        return False


def _report(config: ReportConfig, options: Options, store: Store, reporter: Reporter) -> Outcome:
    plan = asked = Plan(config, options, store)
    missing = plan.fonts.missing(config.drawn_texts)
    complaint = typefaces.complaint(missing)
    if complaint:
        reporter.say(complaint)
    start = partial(_start, options, reporter)
    reporter, foreseen = forecast.begin(plan, reporter)
    with closing(PictureQueue(start, store.put_image, reporter)) as queue, closing(Apart(reporter=reporter)) as apart:
        looks = Looks(plan, foreseen.until_when if foreseen else None, reporter, queue)
        plan, failed = looks.first(apart)
        making = Making(plan=plan, reporter=reporter, queue=queue)
        captured = reporter.then_making(capture_models(plan, reporter, queue, apart, failed))
        begun = [making.begin(*each) for each in looks.between(captured)]
        apart.close()
        made = [making.end(each) for each in begun]
        _refuse_if_all_failed([(each.plan.model, each.failure) for each in made])
        by_slug = {each.plan.model.slug: each for each in made}
        made = [by_slug[model.slug] for model in config.models]
        series = [checkpoints.make_series(each, by_slug, making) for each in config.series]
        with told_if_long(reporter, "Comparing the models"):
            known = {each.plan.model.slug: [] if each.failure else each.plan.inputs for each in made}
            compared = compare(plan.comparisons(known) if options.measures else [], plan.steps, making.helpers)
        n_drawn = queue.finish()

        all_made = [*made, *(each for of in series for each in of.made)]
        images = site.find_images(all_made, store, queue.failed)
        not_drawn = _not_drawn(all_made, queue.failed)
        if not_drawn and not images:
            raise TokvizError(
                f"no picture could be drawn, so nothing was written: {named_failure(not_drawn[0].name, not_drawn[0].failure)}"
            )
        undrawn = typefaces.undrawn(config.word_list.words, missing)
        with told_if_long(reporter, "Deciding what the report claims"):
            of_series = tuple(checkpoints.report_of(each, plan, images) for each in series)
            report = site.make_report(plan, made, of_series, compared, images, undrawn)
        for row in unshown_rows(report):
            reporter.say(f"finding.rows: {row} wasn't captured, so the first page opens with what was measured")
        report, cards, without = draw_cards(report, plan, queue)
        not_drawn += [
            Failed(name=path, failure=f"expected an image that can be drawn, got {reason}")
            for path, reason in without.items()
        ]

    files = site.make_files(report, images, cards, plan)
    if options.measures:  # else there are no stages to speak of
        lacking = notes.check(config, report, files)
        for each in lacking:
            reporter.say(f"{each}; left out, as a part of the report failed")
        if lost := set(lacking.values()) - {""}:
            files = site.make_files(notes.without(config, report, lost), images, cards, plan)
    reporter.say(f"Writing {shown_path(options.output)} …")
    spared = publish.publish(files, options.output)
    for line in spared.lines(options.output):
        reporter.say(line)
    plan.fonts.keep_coverage()
    if spared.problems:
        raise PublishError(spared.problems[0])
    failures = (*_failures(report, is_told=plan.tells_failures), *not_drawn)
    if not failures:
        reporter.note(store, foreseen)
    return Outcome(
        place=options.output / FIRST_PAGE,
        n_models=sum(not each.failure for each in made),
        n_checkpoints=sum(not each.failure for of in series for each in of.made),
        failures=failures,
        n_captured=sum(len(model.due) for model in asked.models if not by_slug[model.model.slug].failure),
        n_drawn=n_drawn,
        n_images=len(images),
    )


def _failures(report: Report, *, is_told: bool) -> Iterator[Failed]:
    """Models, checkpoints under the name of their series, too, and comparisons."""
    for model in report.models:
        if model.failure:
            yield Failed(name=model.name, failure=model.failure, is_told=is_told)
    for series in report.series:
        for each in series.checkpoints:
            if each.model.failure:
                yield Failed(name=f"{series.name} {each.label}", failure=each.model.failure, is_told=is_told)
        yield from (Failed(name=series.name, failure=each) for each in series.not_compared)
    yield from (Failed(name=pair_name(report, each), failure=each.failure) for each in report.not_compared)


def _not_drawn(made: Sequence[Made], failed: Mapping[str, str]) -> list[Failed]:
    """Pictures of each model that couldn't be drawn; those of one reason are told together."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in made:
        for job in site.jobs_of(each):
            if job.key in failed:
                found.setdefault((each.plan.model.display_name, failed[job.key]), []).append(job.path)
    shown = {
        key: paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more" for key, paths in found.items()
    }
    return [
        Failed(name=name, failure=f"expected pictures that can be drawn, got {reason} for {paths}")
        for (name, reason), paths in shown.items()
    ]


def _with_intact_states(work: Callable[[], Result], store: Store, reporter: Reporter) -> Result:
    """Begin again where stored states turn out to be damaged while they are read: those are captured once more."""
    damaged: set[Path] = set()
    while True:
        try:
            return work()
        except DamagedStatesError as error:
            if error.folder in damaged:
                raise
            damaged.add(error.folder)
            store.count_as_absent(error)
            reporter.say(f"{shown_path(error.folder)}: {error.tensor} is damaged; capturing these hidden states again")


def capture_only(config: ReportConfig, options: Options, reporter: Reporter, *, refuses: bool = True) -> Outcome:
    """Capture into the cache whatever is due, draw and publish nothing: the rest can be made wherever the cache is.

    Parameters
    ----------
    refuses : whether it is an error that no model could be captured; else the outcome says so.

    Raises
    ------
    TokvizError : no model could be captured.
    """
    places.check_cache(config, options)
    store, locks = Store(options.cache), Locks(waits=options.waits, say=reporter.say)
    options = replace(options, draws=False)
    place = prune.place_of(config, options)
    entries.mark(options.cache)
    outcomes: list[tuple[ModelPlan, str | None]] = []
    with locks.in_use(options.cache):
        plan = Plan(config, options, store)
        reporter, foreseen = forecast.begin(plan, reporter)
        start = partial(_start, options, reporter)
        queue, apart = PictureQueue(start, store.put_image, reporter), Apart(reporter=reporter)
        with closing(queue), closing(apart):
            for model, failure in capture_models(plan, reporter, queue, apart):
                report_failure(model.model, failure, plan, reporter)
                outcomes.append((model, str(failure) if failure else None))
        if not any(failure for _, failure in outcomes):
            reporter.note(store, foreseen)
        prune.note_use(store, config, options, place)
    if refuses:
        _refuse_if_all_failed([(model.model, failure) for model, failure in outcomes])
    return Outcome(
        place=options.cache,
        n_models=sum(not failure and model.model.slug not in plan.checkpoints for model, failure in outcomes),
        n_checkpoints=sum(not failure and model.model.slug in plan.checkpoints for model, failure in outcomes),
        failures=tuple(
            Failed(name=model.model.display_name, failure=failure, is_told=plan.tells_failures)
            for model, failure in outcomes
            if failure
        ),
        n_captured=sum(len(model.due) for model, failure in outcomes if not failure),
        n_drawn=0,
        n_images=0,
    )


def _start(options: Options, reporter: Reporter, libraries: Sequence[str]) -> Executor:
    return workers.start(options.place, options.jobs, libraries, warm_up, keys.made_by, reporter.say)


def _refuse_if_all_failed(outcomes: list[tuple[ModelConfig, str | None]]) -> None:
    """Nothing is published when every model failed."""
    if all(failure for _, failure in outcomes):
        reasons = "; ".join(named_failure(model.display_name, str(failure)) for model, failure in outcomes)
        raise TokvizError(f"no model could be captured, so nothing was written: {reasons}")
