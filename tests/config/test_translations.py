"""Translations without gettext's tools."""

import gettext
import os
from pathlib import Path

import pytest

from shop.config import translations

PO = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "tea"
msgstr "茶"

#, fuzzy
msgid "coffee"
msgstr "也许咖啡"
"""


@pytest.fixture
def po(tmp_path: Path) -> Path:
    path = tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text(PO)
    return path


class TestCompile:
    def test_writes_what_gettext_reads_without_guesses(self, po: Path) -> None:
        (mo,) = translations.compile_all(po.parents[2])

        with mo.open("rb") as file:
            texts = gettext.GNUTranslations(file)
        assert texts.gettext("tea") == "茶"
        assert texts.gettext("coffee") == "coffee"

    def test_writes_only_what_is_out_of_date(self, po: Path) -> None:
        (mo,) = translations.compile_all(po.parents[2])

        assert translations.compile_all(po.parents[2]) == []

        os.utime(mo, (0, 0))
        assert translations.compile_all(po.parents[2]) == [mo]


class TestExtract:
    def test_finds_texts_of_code_and_templates_and_keeps_translations(
        self, tmp_path: Path, po: Path
    ) -> None:
        templates = tmp_path / "shop" / "templates"
        templates.mkdir(parents=True)
        (tmp_path / "shop" / "menu.py").write_text(
            '_("tea")\nngettext_lazy("%(n)s cup", "%(n)s cups", "n")\npgettext("drink", "Mate")\n'
        )
        (templates / "menu.html").write_text(
            "{% load i18n %}\n  <h1>{% translate 'Menu' %}</h1>\n<p>it's\n"
            "    {% blocktranslate with name=member.name trimmed %}\n"
            "      Hello\n      {{ name }}\n    {% endblocktranslate %}\n"
        )

        translations.extract_all(tmp_path, po.parents[2])

        text = po.read_text()
        for expected in ['msgid "Menu"', 'msgid "Hello %(name)s"', 'msgctxt "drink"']:
            assert expected in text
        assert 'msgid "tea"\nmsgstr "茶"' in text
        assert 'msgid_plural "%(n)s cups"' in text
        assert "coffee" not in text

    def test_changes_nothing_when_nothing_changed(self, tmp_path: Path, po: Path) -> None:
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop" / "menu.py").write_text('_("tea")\n')
        translations.extract_all(tmp_path, po.parents[2])
        before = po.read_text()

        translations.extract_all(tmp_path, po.parents[2])

        assert po.read_text() == before

    def test_every_source_of_ours_can_be_read(self) -> None:
        for path in translations._source_files(translations.ROOT):
            list(translations.messages_of(path))
