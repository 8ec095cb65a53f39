"""What two people made of one document, put together: by path, so that little is in the way.

Objects are merged by name and lists of things with keys by key; two changes are in each other's
way only where they say different things of the same place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from rules.document.strict_json import canonical_bytes


class Absent(Enum):
    """What stands where nothing stands."""

    ABSENT = "absent"

    def __bool__(self) -> bool:
        return False


ABSENT = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Clash:
    """A place of which two people say different things; :data:`ABSENT` for nothing.

    The entries of lists of things with keys are named by their keys in ``path``.
    """

    path: str
    base: Any
    mine: Any
    theirs: Any


@dataclass(frozen=True, slots=True)
class Merged:
    """A document with both changes; where they clash it has theirs."""

    document: Any
    clashes: tuple[Clash, ...]


def merge(base: Any, mine: Any, theirs: Any, choices: Mapping[str, bool] | None = None) -> Merged:
    """Merge two changes of a document.

    :param choices: by the path of a clash that was seen, whether mine is to stand there; it is
        none any more.
    """
    merger = _Merger(choices or {})
    document = merger.value("", base, mine, theirs)
    return Merged(document, tuple(merger.clashes))


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are the same; true is not 1."""
    if one is other:
        return True
    if one is ABSENT or other is ABSENT:
        return False
    return bool(one == other) and canonical_bytes(one) == canonical_bytes(other)


@dataclass(slots=True)
class _Merger:
    choices: Mapping[str, bool]
    clashes: list[Clash] = field(default_factory=list)

    def value(self, path: str, base: Any, mine: Any, theirs: Any) -> Any:
        if same(mine, theirs) or same(base, mine):
            return theirs
        if same(base, theirs):
            return mine
        if isinstance(mine, dict) and isinstance(theirs, dict) and _shape(mine) == _shape(theirs):
            return self._object(path, base if isinstance(base, dict) else {}, mine, theirs)
        if isinstance(mine, list) and isinstance(theirs, list):
            former = base if isinstance(base, list) else []
            if _is_keyed(former) and _is_keyed(mine) and _is_keyed(theirs):
                return self._keyed(path, former, mine, theirs)
            if len(former) == len(mine) == len(theirs) and not (
                _is_reordered(former, mine) or _is_reordered(former, theirs)
            ):
                return [
                    self.value(f"{path}[{index}]", *each)
                    for index, each in enumerate(zip(former, mine, theirs, strict=True))
                ]
        return self._clash(path, base, mine, theirs)

    def _object(
        self, path: str, base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]
    ) -> dict[str, Any]:
        found = {}
        for name in dict.fromkeys((*theirs, *mine)):
            each = f"{path}.{name}" if path else name
            parts = (one.get(name, ABSENT) for one in (base, mine, theirs))
            value = self.value(each, *parts)
            if value is not ABSENT:
                found[name] = value
        return found

    def _keyed(
        self, path: str, base: Sequence[Any], mine: Sequence[Any], theirs: Sequence[Any]
    ) -> list[Any]:
        lists = [{each["key"]: each for each in one} for one in (base, mine, theirs)]
        found = {}
        for key in dict.fromkeys((*lists[2], *lists[1])):
            value = self.value(f"{path}[{key}]", *(one.get(key, ABSENT) for one in lists))
            if value is not ABSENT:
                found[key] = value
        order = self._order(path, *(list(one) for one in lists))
        return [found[key] for key in order if key in found]

    def _order(self, path: str, base: list[str], mine: list[str], theirs: list[str]) -> list[str]:
        """Return the keys of both: those of both in their order, each of one after its neighbour.

        What both add in one place stands there in the order of the first keys, whoever asks.
        """
        by_me = [key for key in mine if key in theirs]
        by_them = [key for key in theirs if key in mine]
        before = [key for key in base if key in by_me]
        skeleton: list[str] = by_them
        if by_me != by_them:
            moved_by_me = [key for key in by_me if key in before] != before
            moved_by_them = [key for key in by_them if key in before] != before
            if moved_by_me == moved_by_them:
                skeleton = self._clash(path, base, by_me, by_them)
            elif moved_by_me:
                skeleton = by_me
        runs = [_runs(one, set(skeleton)) for one in (mine, theirs)]
        order: list[str] = []
        for anchor in (None, *skeleton):
            order += [] if anchor is None else [anchor]
            for run in sorted(each[anchor] for each in runs if anchor in each):
                order += run
        return order

    def _clash(self, path: str, base: Any, mine: Any, theirs: Any) -> Any:
        if path in self.choices:
            return mine if self.choices[path] else theirs
        self.clashes.append(Clash(path, base, mine, theirs))
        return theirs


def _runs(keys: Sequence[str], skeleton: Collection[str]) -> dict[str | None, list[str]]:
    """Return the keys that are none of the skeleton's, by the one of its keys before them."""
    found: dict[str | None, list[str]] = {}
    anchor = None
    for key in keys:
        if key in skeleton:
            anchor = key
        else:
            found.setdefault(anchor, []).append(key)
    return found


_SHAPES = ("all", "any", "none", "of", "qualifies_for")


def _shape(node: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what tells an object from one of another kind, whose parts mean something else."""
    return node.get("kind"), node.get("metric"), *(name in node for name in _SHAPES)


def _is_keyed(entries: Sequence[Any]) -> bool:
    keys = [each.get("key") if isinstance(each, dict) else None for each in entries]
    return all(isinstance(key, str) for key in keys) and len(set(keys)) == len(keys)


def _is_reordered(former: Sequence[Any], now: Sequence[Any]) -> bool:
    """Tell whether entries changed places, so that an index no longer means the same entry."""
    return not same(former, now) and sorted(map(canonical_bytes, former)) == sorted(
        map(canonical_bytes, now)
    )
