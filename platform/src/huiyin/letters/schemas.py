"""What people and programs send about letters."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from huiyin.cases.schemas import Shape
from huiyin.kit.i18n import N_

Long = Annotated[str, Meta(max_length=6_000)]
NoticeKind = Literal[
    "acknowledgement", "acceptance", "declined", "supplement", "extension", "progress", "closure"
]


class AnswerForm(Shape, frozen=True, kw_only=True):
    """书面答复.  The amount is that of the approved plan and is not typed again."""

    process: Annotated[Long, Meta(title=N_("处理过程"))] = ""
    findings: Annotated[str, Meta(min_length=2, max_length=6_000, title=N_("调查结论"))]
    outcome: Annotated[str, Meta(min_length=2, max_length=6_000, title=N_("处理结果"))]
    basis: Annotated[str, Meta(min_length=2, max_length=6_000, title=N_("依据"))]
    measures: Annotated[Long, Meta(title=N_("处理措施"))] = ""
    next_date: Annotated[date, Meta(title=N_("完成日期"))] | None = None
    review_by: Annotated[date, Meta(title=N_("申请复核的日期"))] | None = None


class NoticeForm(Shape, frozen=True, kw_only=True):
    """Any other letter: 补正, 进度, 结案, or an automatic one the gate held back."""

    kind: Annotated[NoticeKind, Meta(title=N_("文书种类"))]
    process: Annotated[Long, Meta(title=N_("已完成的工作"))] = ""
    measures: Annotated[Long, Meta(title=N_("处理措施"))] = ""
    reasons: Annotated[Long, Meta(title=N_("理由"))] = ""
    basis: Annotated[Long, Meta(title=N_("依据"))] = ""
    materials: Annotated[Long, Meta(title=N_("需补充的材料"))] = ""
    next_date: Annotated[date, Meta(title=N_("下次告知日期"))] | None = None


class DeliveryForm(Shape, frozen=True, kw_only=True):
    """寄送登记: sent by post, arrived, come back, or to be mailed once more."""

    outcome: Annotated[str, Meta(pattern="^(sent|delivered|failed|again)$", title=N_("送达情况"))]
    channel: Annotated[str, Meta(pattern="^(email|post)$", title=N_("送达方式"))] = "post"
    detail: Annotated[str, Meta(min_length=2, max_length=500, title=N_("凭证"))]
