"""Every text that people read has its Chinese, with the same blanks to fill in."""

import re
from functools import cache

import polib

from shop.config import translations

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}")
PO = translations.LOCALE_DIR / "zh_Hans" / "LC_MESSAGES" / "django.po"
Key = tuple[str | None, str]


@cache
def written() -> dict[Key, polib.POEntry]:
    """Return the translations by context and text."""
    texts = polib.pofile(str(PO))  # type: ignore[no-untyped-call]  # polib has no types
    return {(entry.msgctxt, entry.msgid): entry for entry in texts}


@cache
def needed() -> dict[Key, str]:
    """Return every text of the code and templates, with the file that has it."""
    texts: dict[Key, str] = {}
    for path in translations._source_files(translations.ROOT):
        for _line, text, _comments, context in translations.messages_of(path):
            first = text if isinstance(text, str) else text[0]
            texts[context, first] = str(path.relative_to(translations.ROOT))
    return texts


def chinese_of(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


class TestChinese:
    def test_stands_for_every_text(self) -> None:
        missing = [
            f"{place}: {key[1]}"
            for key, place in needed().items()
            if key not in written() or not all(chinese_of(written()[key]))
        ]

        assert missing == [], "run 'make messages' and translate what is empty"

    def test_has_no_text_that_nobody_shows(self) -> None:
        assert set(written()) - set(needed()) == set()

    def test_fills_in_what_the_english_does(self) -> None:
        different = [
            entry.msgid
            for entry in written().values()
            for chinese in chinese_of(entry)
            if sorted(PLACEHOLDER.findall(chinese))
            != sorted(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
        ]

        assert different == []

    def test_is_chinese(self) -> None:
        """Names of things aside, a translation has Chinese characters in it."""
        names = {"OpenAPI", "CAC", "ROAS"}
        foreign = [
            entry.msgid
            for entry in written().values()
            if entry.msgid not in names
            and not any(re.search(r"[\u4e00-\u9fff]", text) for text in chinese_of(entry))
        ]

        assert foreign == []

    def test_is_nowhere_a_guess(self) -> None:
        assert [entry.msgid for entry in written().values() if entry.fuzzy] == []
