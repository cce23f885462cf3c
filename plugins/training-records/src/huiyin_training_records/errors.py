"""What can go wrong, in words that say what to do."""

from __future__ import annotations

from typing import Final

from huiyin.sdk import N_

OWN_ATTENDANCE: Final = N_("本人的出席须由其他管理员登记，或现场扫码签到")
OWN_RECORD: Final = N_("本人的培训记录须由其他管理员办理")
TRAINER: Final = N_("讲师不能作为学员，请由其他讲师授课或由其他管理员认定")
AUTHOR: Final = N_("编写过这一版题目的人不参加测验，请由其他管理员认定，或参加他人授课的培训")
NO_ATTEMPTS: Final = N_("测验次数已用完，请联系培训管理员")
SUBMITTED: Final = N_("这次测验已经提交，结果如下")
NOT_YET: Final = N_("请先完成前面的步骤")
DRAFT_GONE: Final = N_("这份草稿刚被其他人发布或丢弃，需要时请新建版本后再填")
PUBLISHED: Final = N_("已发布的版本不能修改，请新建版本")
CODE_GONE: Final = N_("签到码已过期或不属于这场培训，请重新扫描现场的签到码")
NOT_INVITED: Final = N_("不在这场培训的名单上，请联系培训管理员")
