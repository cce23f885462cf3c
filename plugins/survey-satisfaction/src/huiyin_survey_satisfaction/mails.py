"""The words of invitations and reminders, in both languages; what a mail and a letter say alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Wording:
    """``subject`` and ``text`` of a mail, ``lead`` of a letter; filled with ``format``."""

    subject: str
    reminder: str
    greeting: str
    stranger: str
    about_case: str
    about_firm: str
    named: Mapping[str, str]
    how: str
    paper: str
    phone: str
    close: str
    ignore: str


WORDS: Final[Mapping[str, Wording]] = MappingProxyType(
    {
        "zh": Wording(
            subject="请您评价：{title}",
            reminder="提醒：{title}（请于 {until} 前作答）",
            greeting="{name}，您好：",
            stranger="您好：",
            about_case="您的投诉 {case} 已有结果，想请您说说感受。",
            about_firm="想请您就 {firm} 的服务说说感受。",
            named={
                "signed": "本问卷记名，由未参与办理的人员查看。",
                "anonymous": "本问卷不记名，我们不保存您与回答之间的联系。",
                "choice": "您可以选择记名或不记名。不记名的回答与您没有任何联系。",
            },
            how="请打开下面的链接作答，不需要登录，{until} 前有效，每个链接只能用一次：",
            paper="请用手机扫描二维码，或在浏览器输入下面的地址作答，不需要登录，{until} 前有效：",
            phone="不方便上网的，也可以致电 {hotline}。",
            close="{firm}",
            ignore="是否作答由您决定，不影响投诉的处理和您的权益。",
        ),
        "en": Wording(
            subject="Please tell us: {title}",
            reminder="Reminder: {title} (open until {until})",
            greeting="Dear {name},",
            stranger="Hello,",
            about_case="Your complaint {case} has a result. We would like to know how you see it.",
            about_firm="We would like to know how you see the service of {firm}.",
            named={
                "signed": "The survey is signed; it is read by people who did not handle it.",
                "anonymous": "The survey is anonymous; we keep nothing that ties you to it.",
                "choice": (
                    "You may sign your answer or not. If you do not, nothing ties it to you."
                ),
            },
            how="Open this link to answer; no log-in, open until {until}, good for one answer:",
            paper="Scan the code with a phone or type this address; no log-in, until {until}:",
            phone="If you would rather not go online, call {hotline}.",
            close="{firm}",
            ignore="Whether you answer is up to you; it changes nothing about your case or rights.",
        ),
    }
)


def words_of(language: str) -> Wording:
    return WORDS.get(language, WORDS["zh"])
