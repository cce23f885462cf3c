"""Themes of what people write: found by their words, put right by whoever reads them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from huiyin.sdk import N_

THEMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "speed": N_("时效"),
        "clarity": N_("沟通与说明"),
        "attitude": N_("态度"),
        "fairness": N_("公平与结果"),
        "disclosure": N_("信息披露"),
        "fees": N_("费用"),
        "redemption": N_("申购与赎回"),
        "channel": N_("渠道与系统"),
        "praise": N_("表扬"),
    }
)
_SIGNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "speed": ("太慢", "拖", "等了", "及时", "很久", "时间长", "slow", "late", "waited"),
        "clarity": ("说清", "解释", "说明", "沟通", "看不懂", "术语", "explain", "unclear"),
        "attitude": ("态度", "敷衍", "推诿", "不耐烦", "rude", "polite"),
        "fairness": ("公平", "不合理", "不认可", "结果", "赔", "unfair", "fair"),
        "disclosure": ("披露", "净值", "季报", "年报", "报告", "disclosure", "report"),
        "fees": ("费用", "管理费", "业绩报酬", "手续费", "fee"),
        "redemption": ("赎回", "申购", "到账", "开放日", "redemption", "redeem"),
        "channel": ("电话", "邮件", "短信", "垃圾箱", "网站", "链接", "phone", "email", "website"),
        "praise": ("感谢", "谢谢", "满意", "专业", "耐心", "thank", "helpful"),
    }
)


def themes_of(words: str) -> list[str]:
    """The themes a text seems to have, in the order of the table."""
    lower = words.lower()
    return [theme for theme, signs in _SIGNS.items() if any(sign in lower for sign in signs)]
