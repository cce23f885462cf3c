"""The words of every letter, in both languages, as data.

Promised dates are named 公司承诺: no rule was found that sets a deadline for private fund managers,
and a letter must not lend its promise the colour of law.  Outside routes are the 12386 platform,
mediation, and whatever the fund contract agreed; nothing else is named.

``{name}`` stands for a fact (see ``LABELS``).  A line marked ``optional`` is left out when a fact
it names is unknown; any other line then shows the fact's label in braces, which the gate refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal


class LetterKind(StrEnum):
    ACKNOWLEDGEMENT = "acknowledgement"
    ACCEPTANCE = "acceptance"
    DECLINED = "declined"
    SUPPLEMENT = "supplement"
    EXTENSION = "extension"
    PROGRESS = "progress"
    ANSWER = "answer"
    CLOSURE = "closure"


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph in two languages; ``{facts}`` are filled in once, never read again."""

    zh: str
    en: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A section; an optional one disappears when none of its lines can be said."""

    heading: Line
    lines: tuple[Line, ...]
    optional: bool = False


Rights = Literal["short", "full"]


@dataclass(frozen=True, slots=True)
class KindWording:
    """How a letter is put together, and which facts a reader must find in it."""

    title: str
    title_en: str
    opening: tuple[Line, ...]
    rows: tuple[str, ...]
    parts: tuple[Part, ...]
    closing: tuple[Line, ...]
    must_show: tuple[str, ...]
    rights: Rights = "full"
    promises: tuple[str, ...] = ()  # dates promised: never before the letter's own


LABELS: Final[dict[str, Line]] = {
    "case_number": Line("案件编号", "Case number"),
    "complainant_name": Line("投诉人", "Complainant"),
    "firm_name": Line("公司名称", "Firm"),
    "firm_short": Line("公司简称", "Short name"),
    "topic": Line("投诉事项", "Subject"),
    "received_on": Line("收到日期", "Received on"),
    "registered_on": Line("登记日期", "Registered on"),
    "accepted_on": Line("受理日期", "Accepted on"),
    "owner_name": Line("负责人", "Person in charge"),
    "hotline": Line("联系电话", "Telephone"),
    "next_date": Line("下次告知日期", "Next update by"),
    "reply_by": Line("书面答复日期", "Written response by"),
    "previous_reply_by": Line("原答复日期", "Earlier date promised"),
    "process": Line("处理过程", "What we did"),
    "findings": Line("调查结论", "What we found"),
    "outcome": Line("处理结果", "Our decision"),
    "basis": Line("依据", "Basis"),
    "measures": Line("处理措施", "What we will do"),
    "amount": Line("金额", "Amount"),
    "amount_words": Line("金额大写", "Amount in words"),
    "reasons": Line("理由", "Reasons"),
    "materials": Line("需补充的材料", "Papers requested"),
    "tracking_address": Line("查询地址", "Tracking address"),
    "review_by": Line("申请复核的日期", "Review requested by"),
    "mediation_body": Line("调解组织", "Mediation body"),
    "dispute_body": Line("仲裁机构或者法院", "Tribunal or court"),
}

NO_HEADING: Final = Line("", "")
PROMISE: Final = Line(
    "上述日期为公司承诺的时限。",
    "The dates above are our own service promise.",
)
TRACK: Final = Line(
    "查询进度：{tracking_address}（凭案件编号和查询码）。",
    "Follow your case at {tracking_address} (case number and tracking code needed).",
    optional=True,
)
CALL: Final = Line(
    "如有疑问，请致电 {hotline}，并说明案件编号。",
    "If anything is unclear, please call {hotline} and quote the case number.",
    optional=True,
)

SHORT_ROUTES: Final = (
    Line(
        "您也可以通过中国证监会 12386 服务平台反映诉求，或者向证券期货纠纷调解组织申请调解。"
        "基金合同约定了仲裁或者诉讼的，您可以按照合同约定办理。"
        "向我公司投诉，不影响您选择上述途径。",
        "You may also turn to the 12386 service platform of the China Securities Regulatory "
        "Commission, or ask a securities and futures mediation body to mediate. Where the fund "
        "contract provides for arbitration or litigation, you may proceed as it provides. "
        "Complaining to us does not affect these routes.",
    ),
)

# (what must be known, the line); an empty condition always holds, "-x" holds when x is unknown
FULL_ROUTES: Final[tuple[tuple[str, Line], ...]] = (
    (
        "",
        Line(
            "如您对本函内容有异议，可以选择以下途径：",
            "If you do not agree with this letter, the following routes are open to you:",
        ),
    ),
    (
        "review_by",
        Line(
            "复核：请于 {review_by}前向我公司提出，由未参与本次处理的人员复核。"
            "该日期为公司承诺的时限。",
            "Review: please ask us by {review_by}. People who took no part in this decision will "
            "carry it out. This date is our own service promise.",
        ),
    ),
    (
        "-review_by",
        Line(
            "复核：您可以向我公司提出，由未参与本次处理的人员复核。",
            "Review: you may ask us for one. People who took no part in this decision will carry "
            "it out.",
        ),
    ),
    (
        "",
        Line(
            "12386：您可以通过中国证监会 12386 服务平台反映诉求。",
            "12386: you may turn to the 12386 service platform of the China Securities Regulatory "
            "Commission.",
        ),
    ),
    (
        "mediation_body",
        Line(
            "调解：您可以向{mediation_body}申请调解，我公司将予以配合。",
            "Mediation: you may ask {mediation_body} to mediate; we will take part.",
        ),
    ),
    (
        "-mediation_body",
        Line(
            "调解：您可以向证券期货纠纷调解组织申请调解，我公司将予以配合。",
            "Mediation: you may ask a securities and futures mediation body to mediate; we will "
            "take part.",
        ),
    ),
    (
        "arbitration",
        Line(
            "仲裁：您可以按照基金合同的约定，向{dispute_body}申请仲裁。",
            "Arbitration: as the fund contract provides, you may apply to {dispute_body}.",
        ),
    ),
    (
        "litigation",
        Line(
            "诉讼：您可以按照基金合同的约定，向{dispute_body}提起诉讼。",
            "Litigation: as the fund contract provides, you may bring an action before "
            "{dispute_body}.",
        ),
    ),
    (
        "-forum",
        Line(
            "仲裁或者诉讼：您可以按照基金合同约定的争议解决方式办理。",
            "Arbitration or litigation: you may proceed as the fund contract provides.",
        ),
    ),
    (
        "",
        Line(
            "以上途径由您自行选择，向我公司投诉或者申请复核，不影响您采取其他途径。",
            "The choice is yours. Complaining to us or asking us for a review does not affect the "
            "other routes.",
        ),
    ),
)
ROUTES_HEADING: Final = Line("您可以选择的其他途径", "Other routes open to you")
