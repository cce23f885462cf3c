"""Phrases a fund manager must not write to an investor, and when they are harmless.

The lists are data; the judgement is small.  A promise is harmless when the same clause denies it
(不承诺保本), and needs a second look when the clause reports what somebody else said (您反映…).
A denial counts only if it governs the promise: 不收取管理费且保本 is still a promise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    STATED = "stated"
    REPORTED = "reported"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Hit:
    words: str
    verdict: Verdict


_SURE: Final = r"(?:承诺|保证|确保|担保|许诺)"
_WHOM: Final = r"(?:您|投资者|投资人|客户|的)*"
_MONEY: Final = r"(?:投资|全部|初始|的)*(?:本金|资金|本息)"
_YIELD: Final = r"(?:年化|固定|最低|预期|不低于|[\d.%]+|的|年)*(?:收益率?|回报率?|利息)"
PROMISES_ZH: Final = re.compile(
    "|".join(
        (
            r"(?<![确担])保本(?!息披)",
            r"(?<!担)保(?:障)?(?:本金|收益|息|底收益)",
            r"保底|兜底(?!条款)",
            r"刚性?兑付|刚兑(?!换)",
            rf"{_SURE}{_WHOM}{_YIELD}",
            rf"{_SURE}{_WHOM}{_MONEY}(?:安全|不受损失|不亏损?|不损失|无损)",
            rf"{_SURE}{_WHOM}(?:投资|全部|初始|的)*(?:本金|本息)",
            rf"{_SURE}{_WHOM}(?:不会?亏损?|不受损失|盈利|赚钱|兑付)",
            r"(?:本金|资金)(?:绝对|百分之百|100%)?(?:不会?受?(?:亏损|损失)|绝对安全|有保障)",
            r"(?:不会|绝不|决不|永不)(?:亏损|亏钱|赔钱)",
            r"最低收益|固定收益回报|保证回报|无风险收益",
            r"收益率?(?:不低于|不少于|至少)",
            r"零风险|无风险|没有(?:任何)?风险",
            r"稳赚不赔|稳赚|只赚不赔|包赚|必赚|包本|包赔",
            r"最大亏损不超过|亏损由(?:我公司|公司|管理人)承担",
        )
    )
)

_SENTENCE: Final = re.compile(r"[。!?\n]")
# 并 and 且 affirm anew; 或 and 、 carry a denial on.
_HARD: Final = re.compile(r"[。;!?:\n]|,(?!或)|但是?|然而|却|而是|反而|并|且|也|亦")
_SOFT: Final = re.compile(r",?或者?|、|以及|及|和|与")
# 不仅, 无论, 未来, 非常 … begin like a denial and deny nothing.
_NOT_A_DENIAL: Final = re.compile(
    r"不(?:仅|但|只|光|止|论|管|断|得不|动产)|无(?:论|疑|条件|需|限)|未来|非常|非但|除非"
)
_DENIAL: Final = re.compile(
    r"从未|从不|未曾|未|没有|没|不得|不能|不会|不应|不可|不予|不再|不是|不|绝非|无|非"
    r"|禁止|严禁|杜绝|拒绝|避免"
)
_DOUBLE: Final = re.compile(r"(?:不会|不能|不可能|无|不是|非|没有|未必)不")
_COMMIT: Final = (
    r"承诺|保证|确保|担保|许诺|作出|提供|存在|构成|属于|意味|代表|视为|等于|包含|涉及|宣传|宣称|表示"
    r"|约定|发现|含有|使用|出现"
)
_CARRIED: Final = re.compile(_COMMIT)
_GOVERNED: Final = re.compile(rf"{_COMMIT}|保本|保底|兜底|刚兑|保收益")
_FILLER: Final = re.compile(
    r"(?:[作做再会能可曾为有是属含以向对]|任何|投资者|投资人|客户|您|他人|直接|间接|变相|形式|方式){0,6}"
)
# Who is being quoted: strong marks colour the sentence, weak ones only their clause.
_QUOTED: Final = re.compile(
    r"您(?:反映|提出|认为|称|表示|主张|所述|来信|投诉)|投诉(?:人|中)?(?:称|所述|反映|提出)"
)
_MENTIONED: Final = re.compile(
    r"反映的?|是否|涉嫌|关于|所称|据称|主张|声称|诉求|合同.{0,12}(?:约定|载明|规定)"
)
_FIRM: Final = re.compile(r"我公司|本公司|我司|我们|本基金|本产品|管理人")

PROMISES_EN: Final = re.compile(
    r"guarant(?:ee[sd]?|eeing)\s+(?:\w+\s+){0,3}?(?:principal|capital|returns?|yields?|profits?)"
    r"|(?:principal|capital|returns?|yields?)\s+(?:\w+\s+){0,2}?(?:guaranteed|protected|assured)"
    r"|risk[- ]free|zero[- ]risk|no risk\b|(?:cannot|will not|won't) lose (?:any )?money"
    r"|minimum return|promised? (?:a )?(?:return|yield|profit)s?",
    re.IGNORECASE,
)
_HARD_EN: Final = re.compile(
    r"[.;:!?\n](?!\d)|\bbut\b|\bhowever\b|,?\s+and\s+(?=(?:we|it|the|this|will)\b)", re.IGNORECASE
)
_DENIAL_EN: Final = re.compile(
    r"\b(?:not|never|no|nor|neither|without|cannot)\b|n['’]t\b", re.IGNORECASE
)
_NOT_A_DENIAL_EN: Final = re.compile(r"\b(?:not only|no doubt|not just)\b", re.IGNORECASE)
_REPORTED_EN: Final = re.compile(
    r"\byou (?:state|say|said|told|report|complain|believe|claim)|\balleg|\bwhether\b|\bclaim",
    re.IGNORECASE,
)


def promises(text: str) -> Iterator[Hit]:
    """Each promise of principal or return in ``text``, and whether its clause denies it."""
    plain = _normal(text)
    for match in PROMISES_ZH.finditer(plain):
        yield Hit(match[0], _judge(plain[: match.start()]))
    for match in PROMISES_EN.finditer(plain):
        yield Hit(match[0], _judge_english(plain[: match.start()], match[0]))


_GAPS: Final = re.compile(r"(?<=[\u4e00-\u9fff])[^\S\n]+|[^\S\n]+(?=[\u4e00-\u9fff])")


def _normal(text: str) -> str:
    """One form per character, and none that is invisible: 保\u200b 本 is 保本."""
    folded = unicodedata.normalize("NFKC", text)
    return _GAPS.sub("", "".join(c for c in folded if unicodedata.category(c) != "Cf"))


def _judge(before: str) -> Verdict:
    clause, sentence = _HARD.split(before)[-1], _SENTENCE.split(before)[-1]
    if _denied(clause):
        return Verdict.DENIED
    quoted = _QUOTED.search(sentence) or _MENTIONED.search(clause)
    own = _FIRM.search(clause) and not _QUOTED.search(clause) and not _MENTIONED.search(clause)
    return Verdict.REPORTED if quoted and not own else Verdict.STATED


def _denied(clause: str) -> bool:
    """Whether the promise after ``clause`` is denied in it, looking back over an enumeration."""
    inherited = False
    for piece in reversed(_SOFT.split(clause)):
        cleared = _NOT_A_DENIAL.sub(lambda m: "〇" * len(m[0]), piece)
        if _DOUBLE.search(cleared):
            return False
        for match in _DENIAL.finditer(cleared):
            between = cleared[match.end() :]
            if inherited:
                governs = _CARRIED.search(between)
            else:
                governs = _FILLER.fullmatch(between) or _GOVERNED.search(between)
            if governs:
                return True
        inherited = True
    return False


def _judge_english(before: str, words: str) -> Verdict:
    clause = _HARD_EN.split(before)[-1]
    if _DENIAL_EN.search(_NOT_A_DENIAL_EN.sub("", clause)) and not words.lower().startswith("no "):
        return Verdict.DENIED
    return Verdict.REPORTED if _REPORTED_EN.search(clause) else Verdict.STATED


_LAW: Final = re.compile(
    r"法定(?:的)?(?:处理|答复|办理|受理)?(?:时限|期限)"
    r"|(?:依法|根据法律|按照法律|依照法律|法律规定|法规规定|监管规定)[^。；，]{0,12}"
    r"(?:个?(?:工作日|自然日)|\d+\s*[日天])[^。；，]{0,4}(?:内|前)"
    r"|statutory (?:time limit|deadline|period)",
    re.IGNORECASE,
)
_LAW_DENIED: Final = re.compile(r"(?:非|不是|不属于|没有|无|not (?:a|the))\s*$", re.IGNORECASE)


def deadline_as_law(text: str) -> Iterator[str]:
    """Phrases that show a deadline as if a law had set it."""
    for match in _LAW.finditer(text):
        if not _LAW_DENIED.search(text[: match.start()]):
            yield match[0]


_INTERNAL: Final = re.compile(
    r"工单|定级|(?<![A-Za-z])SLA(?![A-Za-z])|初步调查|深入调查|结案率|维稳"
)


def internal_words(text: str) -> Iterator[str]:
    """Words of the house that mean nothing, or the wrong thing, to an investor."""
    for match in _INTERNAL.finditer(text):
        yield match[0]
