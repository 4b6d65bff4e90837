"""Programmes as text: YAML, of which JSON is a part, with the line on which everything stands.

A smaller YAML than that of the standard: 14:00 is a text and no number of minutes, 2026-12-31 a
text, “no” and “off” texts too. Nothing that is written twice is lost.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode


class FileUnreadable(Exception):
    """The text is no document; `line` is where the trouble is."""

    def __init__(self, detail: str, *, line: int) -> None:
        self.detail = detail
        self.line = line
        super().__init__(detail)


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """What a text says, and the line of each place (`/tiers/0/code`) in it."""

    data: Any
    lines: dict[str, int]

    def line_of(self, place: str) -> int:
        """Return the line of a place, or of what it belongs to where it is missing."""
        while place not in self.lines and place:
            place = place.rpartition("/")[0]
        return self.lines.get(place, 1)


def read(text: str) -> Document:
    """Return what a text says.

    Raises:
        FileUnreadable
    """
    try:
        root = yaml.compose(text, _Loader)
        lines = dict(_places(root, "")) if root else {}
        return Document(data=yaml.load(text, _Loader), lines=lines)  # noqa: S506 - builds plain data only
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FileUnreadable(str(error.problem), line=mark.line + 1 if mark else 1) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise FileUnreadable(str(error), line=1) from error


def write(data: Any, *, is_json: bool) -> str:
    """Return data as text."""
    if is_json:
        return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)


class _Loader(yaml.SafeLoader):
    """Reads whole numbers, true, false and null; everything else is text."""

    yaml_implicit_resolvers: dict[str, Any] = {}


class _Dumper(yaml.SafeDumper):
    """Writes what the loader reads, and quotes what other readers would take for something else."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002
        """Indent lists below what they belong to."""
        super().increase_indent(flow, False)  # noqa: FBT003


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("int", r"-?(0|[1-9][0-9]*)", "-0123456789"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )


def _places(node: Node, at: str) -> Iterator[tuple[str, int]]:
    """Yield every place with its line, each once.

    Raises:
        FileUnreadable: a name is there twice.
    """
    yield at, node.start_mark.line + 1
    if isinstance(node, MappingNode):
        names = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if str(key.value) in names:
                raise FileUnreadable(f"“{key.value}” is written twice", line=line)
            names.add(str(key.value))
            yield from _places(value, f"{at}/{key.value}")
            yield f"{at}/{key.value}", line
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _places(item, f"{at}/{index}")
