"""A sentence made of others is joined and translated part by part."""

from huiyin.kit.i18n import Message, load

PARTS = (Message("首接负责人"), Message("{n} 项", {"n": 2}))
WHOLE = Message("曾任{parts}", {"parts": PARTS})


def english(tmp_path):
    folder = tmp_path / "en"
    folder.mkdir(exist_ok=True)
    pairs = {"首接负责人": "first handler", "{n} 项": "{n} items", "曾任{parts}": "was {parts}"}
    lines = "".join(f'\n\nmsgid "{k}"\nmsgstr "{v}"' for k, v in pairs.items())
    (folder / "x.po").write_text(
        f'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"{lines}\n'
    )
    return load([tmp_path])["en"]


def test_chinese_joins_with_its_own_comma():
    assert str(WHOLE) == "曾任首接负责人、2 项"
    assert load([])["zh"](WHOLE) == str(WHOLE)


def test_another_language_has_every_part_in_its_words(tmp_path):
    assert english(tmp_path)(WHOLE) == "was first handler, 2 items"
    assert english(tmp_path)("曾任{parts}", parts=list(PARTS)) == "was first handler, 2 items"


def test_plain_words_are_joined_and_not_translated(tmp_path):
    said = english(tmp_path)("曾任{parts}", parts=["首接负责人", "B"])
    assert said == "was 首接负责人, B"


def test_a_context_tells_apart_and_else_one_word_stands_for_all(tmp_path):
    folder = tmp_path / "en"
    folder.mkdir()
    (folder / "a.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        'msgid "重启"\nmsgstr "Reopen"\n\n'
        'msgctxt "done"\nmsgid "重启"\nmsgstr "Reopened"\n\n'
        'msgid "审批通过"\nmsgstr "Approved"\n',
        encoding="utf-8",
    )
    said = load([tmp_path])
    assert said["en"]("重启") == "Reopen"
    assert said["en"].context("done", "重启") == "Reopened"
    assert said["en"].context("done", "审批通过") == "Approved"
    assert said["zh"].context("done", "重启") == "重启"
