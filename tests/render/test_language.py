"""Words in a language: values inside sentences, numbers, catalogues of a project's own."""

from __future__ import annotations

from pathlib import Path

from fervis.render import template_folders
from fervis.render.language import words_in
from fervis.text import Message, Text, message

FOLDERS = template_folders()


def test_a_sentence_takes_texts_and_sentences_of_its_language() -> None:
    sad = Text({"en": "sad", "zh-Hant": "難過"})
    inner = message("{name} (the predicted class)", name=sad)
    outer = Message("Index {name}", {"name": inner})
    assert words_in("en", FOLDERS).say(outer) == "Index sad (the predicted class)"
    assert words_in("zh-Hant", FOLDERS).say(outer) == "Index 難過（預測類別）"


def test_numbers_follow_the_language() -> None:
    sentence = Message("Accuracy on this split: {accuracy:.1%}.", {"accuracy": 0.8371})
    assert words_in("en", FOLDERS).say(sentence) == "Accuracy on this split: 83.7%."
    german = words_in("de", FOLDERS)
    assert german.say(sentence) == "Accuracy on this split: 83,7%."
    assert german.number(1234567, ",d") == "1.234.567"
    english = words_in("en", FOLDERS)
    assert [english.say(v) for v in (3, 0.5, 1 / 3, float("nan"), None, True)] == [
        "3",
        "0.5",
        "0.3333",
        "—",
        "—",
        "yes",
    ]


def test_a_translation_with_other_placeholders_falls_back_to_english(tmp_path: Path) -> None:
    folder = tmp_path / "locale" / "zh_Hant" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "fervis.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Index {name}"\nmsgstr "{nome} 號"\n\nmsgid "Contents"\nmsgstr "內容"\n',
        "utf-8",
    )
    words = words_in("zh-Hant", (tmp_path, *FOLDERS))
    assert words.say(Message("Index {name}", {"name": 4})) == "Index 4"
    assert words.say(Message("Contents")) == "內容"  # the project's own word wins
    assert words.say(Message("References")) == "參考文獻"


def test_taiwan_reads_traditional_chinese_and_an_unknown_language_english() -> None:
    assert words_in("zh-TW", FOLDERS).say(Message("References")) == "參考文獻"
    assert words_in("tlh", FOLDERS).say(Message("References")) == "References"
    assert words_in("zh-Hant", FOLDERS).name == "繁體中文"
