"""What this plugin refuses, in words."""

from __future__ import annotations

from typing import Final

from huiyin.sdk import N_

AUTHOR: Final = N_("公式的拟定人不能发布自己的公式，请另一位有权限的同事发布")
DRAFT_GONE: Final = N_("草稿刚被其他人发布或放弃，需要时请拟定新版后再填")
STALE: Final = N_("草稿刚被其他人更新，请核对最新内容后再保存")
SAME_HANDS: Final = N_("签署人和发布人须是两个人，请另一位同事发布")
OWN_SCORE: Final = N_("这一轮里有本人的得分，请未参加评分的同事办理")
OWN_APPEAL: Final = N_("不能决定自己的申诉")
MADE_IT: Final = N_("拟定或发布过公式、开启、签署或发布过这一轮的人不能决定申诉，请另一位同事决定")
NOT_YOURS: Final = N_("只有本人可以申诉")
TOO_LATE: Final = N_("申诉期限已过")
SELF_NOMINATION: Final = N_("不能提名自己")
OWN_LIST: Final = N_("名单中有本人，请另一位同事审批")
NOMINATED: Final = N_("名单中有本人提名的同事，请另一位同事审批")
SAME_SIGNER: Final = N_("两道审批须由两个人完成")
THIRD: Final = N_("须由致谢人和被致谢人以外的第三人确认")
NOT_IN_CASE: Final = N_("只有参与过这件投诉的同事可以登记或确认")
