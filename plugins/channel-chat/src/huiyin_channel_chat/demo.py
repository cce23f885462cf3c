"""Made-up talks for a made-up firm: one waits, some are answered, one is to be decided."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlalchemy import select

from huiyin.sdk import Actor, Case, CaseState, Role, TenantContext, colleagues, complainant_actor
from huiyin_channel_chat import filing, staffing, talks
from huiyin_channel_chat.models import Canned, Conversation, Side

ANSWERS: Final = (
    ("问候", "您好，请问想办理什么？"),
    ("核对身份", "为保护您的信息，请告诉我基金名称和申购日期，我先核对。"),
    ("建议转投诉", "这属于投诉事项，建议转为正式投诉，由专人调查并书面答复。"),
    ("不在线上答复结果", "处理结果以书面答复为准，在这里我只能说明进度。"),
)
REFUND: Final = (
    ("v", "我去年 12 月提交的赎回被退了，到现在没人说原因"),
    ("s", "很抱歉给您带来不便。请问是哪只基金？"),
    ("v", "稳进三号"),
    ("s", "我查到 12 月 15 日的记录。这属于投诉事项，建议转为正式投诉，由专人调查并书面答复。"),
)
NET_VALUE: Final = (
    ("v", "净值是每周哪一天披露？"),
    ("s", "按合同约定，每周五收市后披露，节假日顺延。"),
)
PROGRESS: Final = (
    ("v", "请问我的投诉进展到哪一步了？"),
    ("s", "正在调查，书面答复前有进展会在查询页告知。"),
)
FEES: Final = (("v", "管理费是每月扣还是每季度扣，账单上看不懂"),)
SILENT: Final = (
    ("v", "客服电话一直打不通，我要投诉"),
    ("s", "您好，我在，请问是哪天打的电话？"),
)


def fill(ctx: TenantContext) -> None:
    for title, body in ANSWERS:
        ctx.session.add(Canned(title=title, body=body, by_name=""))
    found = (one for one in colleagues(ctx.session) if Role.COMPLAINT_OFFICER in one.roles)
    officer = next(found, None)
    if officer is None:
        return
    who = Actor(officer.id, ctx.session.tenant, officer.name, officer.roles)
    _talk(ctx, who, "question", FEES, name="陆女士")
    _talk(ctx, who, "complaint", REFUND, name="陈建国", phone="138 0000 6021")
    _progress(ctx, who)
    rated = _talk(ctx, who, "question", NET_VALUE, name="方启明")
    filing.close(ctx, rated, Side.VISITOR)
    rated.rating, rated.rating_words, rated.rated_at = 4, "回复很快，说得也清楚", ctx.now()
    asked = _talk(ctx, who, "question", SILENT)
    filing.close(ctx, asked, Side.HOUSE)


def _progress(ctx: TenantContext, officer: Actor) -> None:
    """Somebody with the code of a case under way; the case itself stays as it is."""
    open_ = select(Case).where(Case.state == CaseState.OPEN.value).order_by(Case.number.desc())
    case = ctx.session.scalars(open_.limit(1)).first()
    talk = _talk(ctx, officer, "progress", PROGRESS)
    if case is not None:
        filing.join(ctx, talk, case, complainant_actor(ctx.session.tenant))


def _talk(
    ctx: TenantContext, officer: Actor, topic: str, lines: tuple[tuple[str, str], ...],
    **contact: str,
) -> Conversation:  # fmt: skip
    conversation, _ = talks.begin(ctx, topic=topic, language="zh", **contact)
    theirs = replace(ctx, actor=officer)
    for n, (side, body) in enumerate(lines):
        if side == "s":
            staffing.take(theirs, conversation)
            talks.say(theirs, conversation, Side.STAFF, f"demo-line-{n}", body)
        else:
            talks.say(ctx, conversation, Side.VISITOR, f"demo-line-{n}", body)
    return conversation
