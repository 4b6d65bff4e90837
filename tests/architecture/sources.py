"""The project's own source files, as text and as syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("shop", "campaigns", "loyalty")


def modules(*, without: tuple[str, ...] = ()) -> Iterator[tuple[str, ast.Module]]:
    """Yield each module with its syntax tree, but for migrations and the named folders or files."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            parts = {*path.relative_to(ROOT).parts, name}
            if not parts & {"migrations", *without}:
                yield name, ast.parse(path.read_text())


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield what is called, as written, and on which line: "timezone.now", 12."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno
