"""``[[relations]]`` and ``[[orders]]``: what else is looked for among the words, besides their categories."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, model_validator

from tokviz.config.fields import Label, Mistakes, Name, Word, at_most, composed, refuse_repeats
from tokviz.config.names import SAME_LABEL, default_label, find_same
from tokviz.config.tables import CategoryConfig, Table
from tokviz.records import Order, OrderMeasures, Relation, RelationMeasures
from tokviz.text import shown

MOST_RELATIONS = 20
MOST_PAIRS_OF_WORDS = 200
MOST_IN_ORDER = 200
"""All pairs of differences, and each word's absence, are looked at in every depth."""

_COPY = "copy it from there, where its accents are other code points"

PairOfWords = Annotated[list[Word], Field(min_length=2, max_length=2), at_most(2, "words")]


class RelationConfig(Table):
    """``[[relations]]``: pairs of words with one relation between them."""

    name: Name
    """Tells it from others, in tables; each once."""
    label: Label | None = None
    """How readers see it, such as ``Country → capital``; made of the name by default."""
    pairs: Annotated[
        list[PairOfWords],
        at_most(MOST_PAIRS_OF_WORDS, "pairs"),
        Field(min_length=RelationMeasures.LEAST_PAIRS),
    ]
    """Two words each, at least five pairs. One category holds all second words."""

    @property
    def display_label(self) -> str:
        return self.label or default_label(self.name)


class OrderConfig(Table):
    """``[[orders]]``: words that follow each other."""

    name: Name
    """Tells it from others, in tables; each once."""
    label: Label | None = None
    """How readers see it; made of the name by default."""
    category: Name | None = None
    """The key of a category whose words stand in their order."""
    words: Annotated[list[Word], at_most(MOST_IN_ORDER, "words")] | None = None
    """In place of ``category``: words of any categories, in their order."""
    cyclic: bool = False
    """Whether the first word follows the last, as January follows December."""

    @model_validator(mode="after")
    def _says_which_words(self) -> OrderConfig:
        if (self.category is None) == (self.words is None):
            got = "neither" if self.words is None else "both"
            raise ValueError(f'expected "category", whose words stand in their order, or "words", got {got}')
        return self

    @property
    def display_label(self) -> str:
        return self.label or default_label(self.name)


def fitting_relations(tables: list[RelationConfig], words: Mapping[str, CategoryConfig]) -> list[RelationConfig]:
    """The same, if they fit the words; raises for others."""
    mistakes = Mistakes()
    refuse_repeats("relations", "name", [each.name for each in tables], mistakes=mistakes)
    find_same(mistakes, {(index, "label"): each.display_label for index, each in enumerate(tables)}, SAME_LABEL)
    for index, table in enumerate(tables):
        _find_unknown(mistakes, (index, "pairs"), table.pairs, words)
        for side, name in enumerate(("first", "second")):
            of_side = [pair[side] for pair in table.pairs]
            for row, word in enumerate(of_side):
                if word in of_side[:row]:
                    text = (
                        f"the {name} word {shown(word)} stands in two pairs; remove one, as pairs count as independent"
                    )
                    mistakes.add((index, "pairs", row), text)
        for row, (first, second) in enumerate(table.pairs):
            if [second, first] in table.pairs[:row]:
                text = "the pair stands twice, here the other way round; remove one, as pairs count as independent"
                mistakes.add((index, "pairs", row), text)
            if first == second:
                mistakes.add((index, "pairs", row), f"expected two different words, got {shown(first)} twice")
    mistakes.refuse()
    for index, table in enumerate(tables):
        if _category_of_targets(table, words) is None:
            mistakes.add(
                (index, "pairs"),
                "expected second words that are all in one category, since each is looked for among its words, got "
                "several; add a category that holds them",
            )
    mistakes.refuse()
    return tables


def fitting_orders(tables: list[OrderConfig], words: Mapping[str, CategoryConfig]) -> list[OrderConfig]:
    """The same, if they fit the words; raises for others."""
    mistakes = Mistakes()
    refuse_repeats("orders", "name", [each.name for each in tables], mistakes=mistakes)
    find_same(mistakes, {(index, "label"): each.display_label for index, each in enumerate(tables)}, SAME_LABEL)
    least = OrderMeasures.LEAST_WORDS
    for index, table in enumerate(tables):
        where = "category" if table.words is None else "words"
        if table.category is not None and table.category not in words:
            known = ", ".join(words)
            mistakes.add((index, where), f"expected the key of a category, one of {known}, got {shown(table.category)}")
            continue
        ordered = _ordered(table, words)
        if not least <= len(ordered) <= MOST_IN_ORDER:
            mistakes.add((index, where), f"expected {least} to {MOST_IN_ORDER} words, got {len(ordered)}")
        if table.words is not None:
            _find_unknown(mistakes, (index, where), [[word] for word in ordered], words)
            for row, word in enumerate(ordered):
                if word in ordered[:row]:
                    mistakes.add((index, where, row), f"the word {shown(word)} stands twice; remove one")
    mistakes.refuse()
    return tables


def fitting_groups(groups: list[list[str]], words: Mapping[str, CategoryConfig]) -> list[list[str]]:
    """The same, if they fit the words; raises for others."""
    mistakes = Mistakes()
    _find_unknown(mistakes, (), groups, words)
    seen: set[str] = set()
    for row, group in enumerate(groups):
        for word in group:
            if word in seen:
                mistakes.add((row,), f"the word {shown(word)} stands twice in the groups; remove one")
            seen.add(word)
    mistakes.refuse()
    return groups


FITTING: Mapping[str, Callable[[Any, Mapping[str, CategoryConfig]], Any]] = {
    "relations": fitting_relations,
    "orders": fitting_orders,
    "groups": fitting_groups,
}
"""By the key of the configuration that speaks of words: the same value, if it fits them; raises for others."""


def relation_records(tables: Iterable[RelationConfig], words: Mapping[str, CategoryConfig]) -> tuple[Relation, ...]:
    """What fitting tables ask for."""
    return tuple(
        Relation(
            name=table.name,
            label=table.display_label,
            pairs=tuple((first, second) for first, second in table.pairs),
            candidates=tuple(words[_category_of_targets(table, words) or ""].words),
        )
        for table in tables
    )


def order_records(tables: Iterable[OrderConfig], words: Mapping[str, CategoryConfig]) -> tuple[Order, ...]:
    """What fitting tables ask for."""
    return tuple(
        Order(name=table.name, label=table.display_label, words=tuple(_ordered(table, words)), cyclic=table.cyclic)
        for table in tables
    )


def _ordered(table: OrderConfig, words: Mapping[str, CategoryConfig]) -> Sequence[str]:
    return table.words if table.words is not None else words[table.category or ""].words


def _category_of_targets(table: RelationConfig, words: Mapping[str, CategoryConfig]) -> str | None:
    targets = {second for _, second in table.pairs}
    return next((key for key, category in words.items() if targets <= set(category.words)), None)


def _find_unknown(
    mistakes: Mistakes,
    where: tuple[str | int, ...],
    groups: Sequence[Sequence[str]],
    words: Mapping[str, CategoryConfig],
) -> None:
    known = {word for category in words.values() for word in category.words}
    alike = {composed(word) for word in known}
    for row, group in enumerate(groups):
        for word in group:
            if word not in known:
                mistakes.add(
                    (*where, row),
                    f"expected a word of [words], got {shown(word)}; "
                    + (_COPY if composed(word) in alike else "add it to a category, or leave it out here"),
                )
