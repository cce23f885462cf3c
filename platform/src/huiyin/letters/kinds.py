"""The letters a firm sends, one entry each: the order of their parts and what they must show."""

from __future__ import annotations

from typing import Final

from huiyin.kit.i18n import N_
from huiyin.letters.wording import (
    CALL,
    NO_HEADING,
    PROMISE,
    TRACK,
    KindWording,
    LetterKind,
    Line,
    Part,
)

_NOTICE: Final = Line("特此告知。", "Yours sincerely,")

KINDS: Final[dict[LetterKind, KindWording]] = {
    LetterKind.ACKNOWLEDGEMENT: KindWording(
        title=N_("投诉收到告知书"),
        title_en="Acknowledgement of your complaint",
        opening=(
            Line(
                "您于 {received_on}提出的投诉，我公司已经收到并登记。感谢您向我公司反映情况。",
                "We have received and registered the complaint you made on {received_on}. Thank "
                "you for telling us.",
            ),
        ),
        rows=(
            "case_number",
            "received_on",
            "registered_on",
            "topic",
            "owner_name",
            "hotline",
            "next_date",
        ),
        parts=(
            Part(
                NO_HEADING,
                (
                    Line(
                        "您的投诉由{owner_name}负责。我公司承诺于 {next_date}前"
                        "告知您是否受理，并说明理由。",
                        "{owner_name} is in charge of your complaint. We promise to tell you by "
                        "{next_date} whether we accept it, and why.",
                    ),
                    Line(
                        "如您有合同、交易凭证、沟通记录等材料，可以随时补充，"
                        "并注明案件编号。请勿向任何人提供密码和验证码。",
                        "You may add papers such as contracts, transaction records or messages at "
                        "any time; please quote the case number. Never give anyone a password or "
                        "a verification code.",
                    ),
                    TRACK,
                ),
            ),
        ),
        closing=(CALL, _NOTICE),
        must_show=("case_number", "received_on", "owner_name", "next_date"),
        rights="short",
        promises=("next_date",),
    ),
    LetterKind.ACCEPTANCE: KindWording(
        title=N_("投诉受理告知书"),
        title_en="Your complaint has been accepted",
        opening=(
            Line(
                "您于 {received_on}提出的投诉，经我公司核对，符合受理条件，"
                "我公司已于 {accepted_on}决定受理。",
                "We have looked at the complaint you made on {received_on} and accepted it on "
                "{accepted_on}.",
            ),
        ),
        rows=("case_number", "topic", "accepted_on", "owner_name", "hotline", "reply_by"),
        parts=(
            Part(
                NO_HEADING,
                (
                    Line(
                        "您反映的情况，将由与所涉事项没有直接利益关系的人员核查。"
                        "核查中需要您补充材料的，我公司会与您联系。",
                        "People with no direct interest in the matter will look into it. If we "
                        "need more papers, we will contact you.",
                    ),
                    Line(
                        "我公司承诺于 {reply_by}前书面答复您。确需延长的，"
                        "我公司会在到期前书面告知您理由和新的日期。",
                        "We promise to answer you in writing by {reply_by}. Should we need "
                        "longer, we will write to you before that day with the reason and a new "
                        "date.",
                    ),
                    Line(
                        "在此之前，我公司将于 {next_date}前告知您处理进展。",
                        "Before then, we will tell you by {next_date} how far we have come.",
                        optional=True,
                    ),
                    PROMISE,
                    TRACK,
                ),
            ),
        ),
        closing=(CALL, _NOTICE),
        must_show=("case_number", "received_on", "accepted_on", "reply_by"),
        rights="short",
        promises=("reply_by", "next_date"),
    ),
    LetterKind.DECLINED: KindWording(
        title=N_("投诉不予受理告知书"),
        title_en="Why we cannot accept your complaint",
        opening=(
            Line(
                "您于 {received_on}提出的投诉（案件编号 {case_number}），"
                "我公司已经认真核对。现将决定和理由告知如下。",
                "We have looked carefully at the complaint you made on {received_on} (case number "
                "{case_number}). Our decision and the reasons follow.",
            ),
        ),
        rows=(),
        parts=(
            Part(
                Line("决定", "Our decision"),
                (
                    Line(
                        "您反映的事项，我公司不作为投诉受理。",
                        "We do not accept the matter you raised as a complaint.",
                    ),
                ),
            ),
            Part(Line("理由", "Reasons"), (Line("{reasons}", "{reasons}"),)),
            Part(
                Line("依据", "Basis"),
                (Line("{basis}", "{basis}", optional=True),),
                optional=True,
            ),
            Part(
                Line("后续安排", "What you can do next"),
                (
                    Line(
                        "如您有新的事实或者材料，可以再次提出，我公司将重新核对。",
                        "If you have new facts or papers, you may write again and we will look "
                        "at the matter afresh.",
                    ),
                ),
            ),
        ),
        closing=(CALL, _NOTICE),
        must_show=("case_number", "received_on"),
    ),
    LetterKind.SUPPLEMENT: KindWording(
        title=N_("补充材料告知书"),
        title_en="A request for further papers",
        opening=(
            Line(
                "您于 {received_on}提出的投诉（案件编号 {case_number}），"
                "为查明情况，请您补充以下材料：",
                "To look into the complaint you made on {received_on} (case number "
                "{case_number}), we ask you for the following:",
            ),
            Line("{materials}", "{materials}"),
        ),
        rows=(),
        parts=(
            Part(
                NO_HEADING,
                (
                    Line(
                        "请于 {next_date}前提供。您暂时不能提供的，请告知我公司，"
                        "我公司将依据现有材料继续核查。",
                        "Please send them by {next_date}. If you cannot, let us know; we will go "
                        "on with what we have.",
                    ),
                    TRACK,
                ),
            ),
        ),
        closing=(CALL, _NOTICE),
        must_show=("case_number", "received_on", "next_date"),
        rights="short",
        promises=("next_date",),
    ),
    LetterKind.EXTENSION: KindWording(
        title=N_("延期答复告知书"),
        title_en="We need more time to answer you",
        opening=(
            Line(
                "您于 {received_on}提出的投诉（案件编号 {case_number}），"
                "我公司原承诺于 {previous_reply_by}前答复。"
                "现需延长答复时限，给您带来不便，我公司向您致歉。",
                "We promised to answer the complaint you made on {received_on} (case number "
                "{case_number}) by {previous_reply_by}. We need longer, and we are sorry for the "
                "inconvenience.",
            ),
        ),
        rows=(),
        parts=(
            Part(Line("延期理由", "Why we need longer"), (Line("{reasons}", "{reasons}"),)),
            Part(
                Line("目前进展", "What has been done"),
                (Line("{process}", "{process}", optional=True),),
                optional=True,
            ),
            Part(
                Line("新的答复日期", "The new date"),
                (
                    Line(
                        "我公司承诺于 {reply_by}前书面答复您。该日期为公司承诺的时限。",
                        "We promise to answer you in writing by {reply_by}. This date is our own "
                        "service promise.",
                    ),
                    TRACK,
                ),
            ),
        ),
        closing=(CALL, _NOTICE),
        must_show=("case_number", "previous_reply_by", "reply_by"),
        promises=("reply_by",),
    ),
    LetterKind.PROGRESS: KindWording(
        title=N_("处理进度告知书"),
        title_en="Progress of your complaint",
        opening=(
            Line(
                "您于 {received_on}提出的投诉正在处理，现将进展告知如下。",
                "We are working on the complaint you made on {received_on}. This is where it "
                "stands.",
            ),
        ),
        rows=("case_number", "topic", "owner_name", "hotline", "reply_by"),
        parts=(
            Part(Line("已完成的工作", "What has been done"), (Line("{process}", "{process}"),)),
            Part(
                Line("下一步安排", "What comes next"),
                (
                    Line("{measures}", "{measures}", optional=True),
                    Line(
                        "我公司承诺于 {next_date}前再次告知您进展。",
                        "We promise to write to you again by {next_date}.",
                    ),
                    PROMISE,
                    TRACK,
                ),
            ),
        ),
        closing=(CALL, _NOTICE),
        must_show=("case_number", "next_date"),
        rights="short",
        promises=("next_date",),
    ),
    LetterKind.ANSWER: KindWording(
        title=N_("投诉处理答复书"),
        title_en="Written response to your complaint",
        opening=(
            Line(
                "您于 {received_on}提出的投诉，我公司已经办理完毕，现答复如下。",
                "We have completed our work on the complaint you made on {received_on}. This is "
                "our response.",
            ),
        ),
        rows=("case_number", "topic", "received_on", "registered_on", "accepted_on"),
        parts=(
            Part(
                Line("处理过程", "What we did"),
                (
                    Line(
                        "我公司于 {received_on}收到您的投诉，于 {accepted_on}受理，"
                        "由与所涉事项没有直接利益关系的人员核查。",
                        "We received your complaint on {received_on} and accepted it on "
                        "{accepted_on}. People with no direct interest in the matter looked into "
                        "it.",
                        optional=True,
                    ),
                    Line("{process}", "{process}", optional=True),
                ),
            ),
            Part(Line("调查结论", "What we found"), (Line("{findings}", "{findings}"),)),
            Part(
                Line("处理结果", "Our decision"),
                (
                    Line("{outcome}", "{outcome}"),
                    Line(
                        "我公司将向您支付人民币 {amount} 元（大写：{amount_words}）。",
                        "We will pay you RMB {amount}.",
                        optional=True,
                    ),
                    Line("{measures}", "{measures}", optional=True),
                    Line(
                        "以上事项，我公司承诺于 {next_date}前完成。",
                        "We promise to complete this by {next_date}.",
                        optional=True,
                    ),
                ),
            ),
            Part(Line("依据", "Basis"), (Line("{basis}", "{basis}"),)),
        ),
        closing=(CALL, Line("特此答复。", "Yours sincerely,")),
        must_show=("case_number", "received_on", "amount"),
        promises=("next_date",),
    ),
    LetterKind.CLOSURE: KindWording(
        title=N_("投诉结案告知书"),
        title_en="Your complaint has been closed",
        opening=(
            Line(
                "您于 {received_on}提出的投诉（案件编号 {case_number}），"
                "处理结果已经落实，我公司现予结案。",
                "What we decided on the complaint you made on {received_on} (case number "
                "{case_number}) has been carried out, and we are closing the case.",
            ),
        ),
        rows=(),
        parts=(
            Part(Line("落实情况", "What was carried out"), (Line("{measures}", "{measures}"),)),
            Part(
                Line("后续安排", "What happens next"),
                (
                    Line(
                        "我公司将对您进行回访，回访由未参与处理的人员进行。"
                        "如有新的情况，您可以随时与我公司联系。",
                        "Someone who did not handle your case will ask you how it went. If "
                        "anything new comes up, please contact us at any time.",
                    ),
                ),
            ),
        ),
        closing=(CALL, _NOTICE),
        must_show=("case_number", "received_on"),
    ),
}
