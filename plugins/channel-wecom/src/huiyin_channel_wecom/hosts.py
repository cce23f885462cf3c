"""The hosts we call, and no other."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

WECOM: Final = "qyapi.weixin.qq.com"
MP: Final = "api.weixin.qq.com"
# robot → its host, and what the path of every webhook there begins with
ROBOTS: Final = {
    "wecom": (WECOM, "/cgi-bin/webhook/send"),
    "dingtalk": ("oapi.dingtalk.com", "/robot/send"),
    "feishu": ("open.feishu.cn", "/open-apis/bot/v2/hook/"),
}


def is_robot(robot: str, url: str) -> bool:
    """Whether an address is a webhook of that robot, at its own host and port."""
    host, path = ROBOTS[robot]
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    known = parts.scheme == "https" and parts.netloc == host and port is None
    return known and url.isascii() and url.isprintable() and parts.path.startswith(path)
