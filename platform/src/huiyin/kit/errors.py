"""Business errors: expected, carried to the reader as a sentence, never logged as crashes.

A message is written in Chinese, which is its key in the catalogues; ``params`` fill the
``{placeholders}`` after translation.  Every message says what to do, not only what went wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from huiyin.kit.i18n import N_, Message


class HuiyinError(Exception):
    """Something a person can put right, or must be told.  ``code`` is stable for the API."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    default: ClassVar[str] = N_("系统暂时无法完成，请稍后再试")

    def __init__(self, message: str | Message | None = None, **params: object) -> None:
        if isinstance(message, Message):
            self.message = message
        else:
            self.message = Message(message or self.default, params)
        super().__init__(self.message.key)


class NotFound(HuiyinError):
    """Not there, not yours, or not for your role: the answer is the same."""

    status = 404
    code = "not_found"
    default = N_("没有找到这个页面，或您没有查看权限")


class Unauthenticated(HuiyinError):
    status = 401
    code = "unauthenticated"
    default = N_("请先登录")


class Refused(HuiyinError):
    """The thing is visible to this person, but the act is not theirs (separation of duties)."""

    status = 403
    code = "refused"
    default = N_("按职责分离要求，这一步须由其他人办理")


class BadOrigin(HuiyinError):
    """A form that did not come from our own page (CSRF)."""

    status = 403
    code = "bad_origin"
    default = N_("页面已过期，请刷新后重新提交")


class Conflict(HuiyinError):
    status = 409
    code = "conflict"
    default = N_("当前状态不能办理这一步，请刷新页面查看最新进展")


class Stale(Conflict):
    """Somebody else changed it in between; the page shows both versions."""

    code = "stale_version"
    default = N_("这件投诉刚被其他人更新，请核对最新内容后再保存")


class Collided(Conflict):
    """Two wrote the same thing at the same moment, and again at the second try."""

    default = N_("刚才有人同时保存，这次没有保存成功，请再次提交")


class Invalid(HuiyinError):
    """Input that must be mended.  ``fields`` maps a field's name to a message at that field."""

    status = 422
    code = "invalid"
    default = N_("请检查标出的内容")

    def __init__(
        self, fields: Mapping[str, Message | str], message: str | Message | None = None
    ) -> None:
        super().__init__(message)
        self.fields: dict[str, Message] = {
            name: text if isinstance(text, Message) else Message(text)
            for name, text in fields.items()
        }


class TooLarge(HuiyinError):
    status = 413
    code = "too_large"
    default = N_("文件太大，请压缩或分开上传")


class Throttled(HuiyinError):
    """Too many tries; ``retry_after`` in seconds."""

    status = 429
    code = "throttled"
    default = N_("尝试次数过多，请稍后再试")

    def __init__(self, retry_after: int = 60) -> None:
        super().__init__()
        self.retry_after = retry_after


class Unavailable(HuiyinError):
    status = 503
    code = "unavailable"
    default = N_("系统暂时不可用，您填写的内容没有提交，请稍后重试")
