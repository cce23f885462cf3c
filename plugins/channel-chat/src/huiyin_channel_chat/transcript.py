"""The whole talk on paper: every line with its time, and the hash of every file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from huiyin.sdk import (
    N_,
    Paper,
    PaperSection,
    PaperTable,
    TenantContext,
    Upload,
    local,
    local_date,
    paper_pdf,
)
from huiyin_channel_chat import talks
from huiyin_channel_chat.models import Conversation, Said, Side
from huiyin_channel_chat.terms import TOPICS

TITLE: Final = N_("在线对话记录")
WHO: Final = {Side.VISITOR: N_("访客"), Side.STAFF: N_("工作人员"), Side.HOUSE: N_("系统")}
FOOT: Final = N_("时间为北京时间。文本的 SHA-256：{hash}")


def text_of(ctx: TenantContext, said: Sequence[Said]) -> str:
    """The talk as plain text, one line each; the same talk always gives the same text."""
    return "\n".join(
        f"#{s.seq} {local(s.at):%Y-%m-%d %H:%M:%S} [{_who(ctx, s)}] {_body(ctx, s)}" for s in said
    )


def digest(ctx: TenantContext, said: Sequence[Said]) -> str:
    return hashlib.sha256(text_of(ctx, said).encode()).hexdigest()


def _who(ctx: TenantContext, said: Said) -> str:
    return said.author_name or ctx.text(WHO[Side(said.side)])


def _body(ctx: TenantContext, said: Said) -> str:
    words = talks.words_of(ctx, said)
    if said.file_name:
        file = ctx.text(N_("文件：{name}"), name=said.file_name)
        return " ".join(filter(None, [words, f"{file} (SHA-256 {said.file_sha256})"]))
    return words


def uploads(
    ctx: TenantContext, conversation: Conversation, said: Sequence[Said]
) -> tuple[Upload, Upload]:
    """The talk as PDF to be read, and as text to be checked by its hash."""
    stamp = f"{local(said[0].at):%Y%m%d-%H%M}-{said[0].seq}"
    pdf = paper_pdf(_paper(ctx, conversation, said))
    text = f"{text_of(ctx, said)}\n".encode()
    return Upload(f"chat-{stamp}.pdf", pdf), Upload(f"chat-{stamp}.txt", text)


def _paper(ctx: TenantContext, conversation: Conversation, said: Sequence[Said]) -> Paper:
    rows = tuple(
        (str(s.seq), f"{local(s.at):%m-%d %H:%M:%S}", _who(ctx, s), _body(ctx, s)) for s in said
    )
    heading = tuple(ctx.text(t) for t in (N_("序号"), N_("时间"), N_("发言人"), N_("内容")))
    facts = (
        (ctx.text(N_("事由")), ctx.text(TOPICS[conversation.topic].title)),
        (ctx.text(N_("开始")), f"{local(said[0].at):%Y-%m-%d %H:%M:%S}"),
        (ctx.text(N_("最后一条")), f"{local(said[-1].at):%Y-%m-%d %H:%M:%S}"),
        (ctx.text(N_("对话编号")), str(conversation.id)),
    )
    table = PaperTable(heading=heading, rows=rows, widths=(0.5, 1.3, 1.1, 5), right=frozenset({0}))
    return Paper(
        title=ctx.text(TITLE), firm_name=ctx.tenant.name, date=local_date(said[-1].at),
        language="en" if ctx.translator.language == "en" else "zh", facts=facts,
        sections=(PaperSection(table=table, note=ctx.text(FOOT, hash=digest(ctx, said))),),
    )  # fmt: skip
