"""What keeps a letter here, each with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from huiyin.kit.errors import Conflict, Invalid
from huiyin.kit.i18n import N_, Message
from huiyin.letters.checks import LetterFinding


class LetterChanged(Conflict):
    """Whoever releases a letter releases the words that were read."""

    code = "letter_changed"
    default: ClassVar[str] = N_("文书在打开之后有变动，请重新阅读最新内容后再签发")


class LetterFixed(Conflict):
    code = "letter_fixed"
    default: ClassVar[str] = N_("这份文书已签发或作废，不能再修改，请另拟一份")


class LetterBlocked(Invalid):
    """The gate found what must be mended first; ``findings`` holds all of it, warnings too."""

    code = "letter_blocked"
    default: ClassVar[str] = N_("签发检查未通过，还有 {n} 处须修改")

    def __init__(self, findings: Sequence[LetterFinding]) -> None:
        blocking = [finding for finding in findings if finding.severity == "block"]
        fields = {f"{f.code}_{n}": f.message for n, f in enumerate(blocking, start=1)}
        super().__init__(fields, Message(self.default, {"n": len(blocking)}))
        self.findings = tuple(findings)


class PdfDamaged(Conflict):
    code = "blob_damaged"
    default: ClassVar[str] = N_("文书的存档文件缺失或与登记的校验值不符，请联系平台运营核查")
