"""Translations without gettext's tools, which a bare machine does not have.

``compile`` turns every .po file into the .mo file that Django reads, when it is out of date.
``extract`` brings the .po files up to date with the code and templates (development only).
"""

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polib

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

ROOT = Path(__file__).resolve().parents[2]
LOCALE_DIR = Path(__file__).parent / "locale"
LANGUAGES = ["zh_Hans"]
"""Locales with a file; English is what stands in the code."""
SOURCES = ["shop", "campaigns", "loyalty"]
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def compile_all(directory: Path = LOCALE_DIR) -> list[Path]:
    """Compile every .po file that is newer than its .mo file; return what was written."""
    outdated = [po for po in sorted(directory.rglob("*.po")) if _is_outdated(po)]
    return [_compile(po) for po in outdated]


def extract_all(root: Path = ROOT, directory: Path = LOCALE_DIR) -> list[Path]:
    """Bring the .po file of every language up to date; return the files.

    Existing translations stay, those of vanished texts go, and nothing is guessed: a new text is
    left empty.
    """
    return [_update(language, root, directory) for language in LANGUAGES]


def messages_of(path: Path) -> Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    """Yield line, text, comments and context of each translatable text of a file."""
    from babel.messages.extract import extract  # a development requirement

    source = path.read_text()
    if path.suffix != ".py":
        source = _template_as_python(source)
    yield from extract("python", io.BytesIO(source.encode()), KEYWORDS, ["Translators:"])


def main(arguments: list[str]) -> int:
    """Run ``compile`` or ``extract``."""
    actions: dict[str, Callable[[], list[Path]]] = {"compile": compile_all, "extract": extract_all}
    if len(arguments) != 1 or arguments[0] not in actions:
        sys.stderr.write("usage: python -m shop.config.translations compile|extract\n")
        return 2
    for written in actions[arguments[0]]():
        sys.stdout.write(f"{written.relative_to(ROOT)}\n")
    return 0


def _is_outdated(po: Path) -> bool:
    mo = po.with_suffix(".mo")
    return not mo.exists() or mo.stat().st_mtime < po.stat().st_mtime


def _compile(po: Path) -> Path:
    """Write a .mo file in one step, so that no server reads half of one."""
    mo = po.with_suffix(".mo")
    unfinished = po.with_suffix(".mo.new")
    texts = polib.pofile(str(po))  # type: ignore[no-untyped-call]  # polib has no types
    texts.save_as_mofile(str(unfinished))
    return unfinished.replace(mo)


def _update(language: str, root: Path, directory: Path) -> Path:
    from babel.messages.pofile import read_po, write_po

    path = directory / language / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    found = _collect(language, root)
    catalog = found
    if path.exists():
        with path.open("rb") as existing:
            catalog = read_po(existing, locale=language)
        found.creation_date = catalog.creation_date  # so that an unchanged file stays unchanged
        catalog.update(found, no_fuzzy_matching=True)
        catalog.project, catalog.version = found.project, found.version
    with path.open("wb") as target:
        write_po(
            target,
            catalog,
            width=100,
            sort_by_file=True,
            include_lineno=False,
            ignore_obsolete=True,
        )
    return path


def _collect(language: str, root: Path) -> "Catalog":
    from babel.messages.catalog import Catalog

    catalog = Catalog(locale=language, project="Huigan", version="1", charset="utf-8")
    for path in _source_files(root):
        for line, message, comments, context in messages_of(path):
            place = (str(path.relative_to(root)), line)
            catalog.add(message, None, [place], auto_comments=comments, context=context)
    return catalog


def _source_files(root: Path) -> Iterator[Path]:
    for source in SOURCES:
        for path in sorted((root / source).rglob("*")):
            is_template = path.suffix in {".html", ".svg", ".txt"} and "templates" in path.parts
            if is_template or (path.suffix == ".py" and "migrations" not in path.parts):
                yield path


def _template_as_python(source: str) -> str:
    """Return a template as Python calls, by Django's own translator, with lines kept in place.

    The rest of the template becomes meaningless names, whose indentation would not be Python.
    """
    from django.utils.translation.template import templatize

    return "\n".join(line.lstrip() for line in templatize(source).splitlines())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
