"""Places in a document, written as problems name them: ``tiers[1].entry.all[0].value``.

Every function leaves the document as it is and returns a changed copy, which shares with it what
is the same.  An entry of a list may also be named by its key: ``tiers[gold].entry``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rules.messages import Message

Place = tuple[str | int, ...]
"""The names and indexes that lead to a value; none lead to the whole."""

_STEP = re.compile(r"\[(?:(?P<index>[0-9]{1,6})|(?P<key>[^\]]*))\]|(?:^|\.)(?P<name>[^.\[\]]+)")


class NoSuchPlace(LookupError):
    """A document has nothing at a path; the message says which."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.message = Message("There is nothing at %(path)s.", path=path or "-")
        super().__init__(self.message)


def parse(path: str) -> Place:
    """Return the place that a path leads to.

    :raises NoSuchPlace: if it is not written as a path is.
    """
    found: list[str | int] = []
    position = 0
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise NoSuchPlace(path)
        index, key, name = step["index"], step["key"], step["name"]
        found.append(int(index) if index is not None else key if key is not None else name)
        position = step.end()
    return tuple(found)


def written(place: Place) -> str:
    """Return the path to a place in a document whose lists are counted through."""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def get(document: Any, path: str) -> Any:
    """Return what stands at a path.

    :raises NoSuchPlace: if there is nothing.
    """
    found = document
    for step in parse(path):
        found = found[_step(found, step, path)]
    return found


def has(document: Any, path: str) -> bool:
    """Tell whether anything stands at a path."""
    try:
        get(document, path)
    except NoSuchPlace:
        return False
    return True


def counted(document: Any, path: str) -> str:
    """Return the path to the same place with every entry of a list named by its index.

    :raises NoSuchPlace: if there is nothing.
    """
    place: list[str | int] = []
    found = document
    for step in parse(path):
        place.append(_step(found, step, path))
        found = found[place[-1]]
    return written(tuple(place))


def put(document: Any, path: str, value: Any) -> Any:
    """Set the value at a path; the last name may be new to its object.

    :raises NoSuchPlace: if there is no object or entry to hold it.
    """

    def place(holder: Any, step: str | int) -> None:
        if isinstance(holder, dict) and isinstance(step, str):
            holder[step] = value
        else:
            holder[_step(holder, step, path)] = value

    place_in = parse(path)
    return value if not place_in else _changed(document, place_in, path, place)


def remove(document: Any, path: str) -> Any:
    """Take out what stands at a path; the entries after one of a list move up.

    :raises NoSuchPlace: if there is nothing.
    """

    def take(holder: Any, step: str | int) -> None:
        del holder[_step(holder, step, path)]

    return _changed(document, parse(path), path, take)


def insert(document: Any, path: str, value: Any) -> Any:
    """Put a value into a list before the entry that a path names, or at its end.

    :raises NoSuchPlace: if there is no such list, or it has not so many entries.
    """

    def place(holder: Any, step: str | int) -> None:
        if not isinstance(holder, list):
            raise NoSuchPlace(path)
        if step != len(holder):
            step = _step(holder, step, path)
        holder.insert(int(step), value)

    return _changed(document, parse(path), path, place)


def move(document: Any, path: str, by: int) -> Any:
    """Move an entry of a list up (negative) or down, as far as the list goes.

    :raises NoSuchPlace: if there is no such entry of a list.
    """

    def shift(holder: Any, step: str | int) -> None:
        if not isinstance(holder, list):
            raise NoSuchPlace(path)
        index = int(_step(holder, step, path))
        holder.insert(min(max(index + by, 0), len(holder) - 1), holder.pop(index))

    return _changed(document, parse(path), path, shift)


def _changed(node: Any, place: Place, path: str, change: Callable[[Any, str | int], None]) -> Any:
    if not place or not isinstance(node, dict | list):
        raise NoSuchPlace(path)
    copy: Any = node.copy()
    if len(place) == 1:
        change(copy, place[0])
    else:
        step = _step(node, place[0], path)
        copy[step] = _changed(node[step], place[1:], path, change)
    return copy


def _step(holder: Any, step: str | int, path: str) -> Any:
    """Return a step as the holder takes it: a name it has, or an index within it."""
    if isinstance(holder, dict) and isinstance(step, str) and step in holder:
        return step
    if isinstance(holder, list):
        if isinstance(step, int) and step < len(holder):
            return step
        for index, entry in enumerate(holder):
            if isinstance(step, str) and isinstance(entry, dict) and entry.get("key") == step:
                return index
    raise NoSuchPlace(path)
