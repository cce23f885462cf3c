"""What the pages of this plugin do alike."""

from __future__ import annotations

import uuid
from typing import Any, Final

from litestar import Response
from litestar.datastructures import Cookie

from huiyin.sdk import Desk, NotFound, TenantContext, context_of
from huiyin_survey_satisfaction import wording

BALLOT: Final = "hy_ballot"
MANAGE: Final = "survey_satisfaction:manage"
RESULTS: Final = "survey_satisfaction:results"
ANSWERS: Final = "survey_satisfaction:answers"
REVIEW: Final = "survey_satisfaction:review"
_LANGUAGE: Final = "hy_lang"
_YEAR: Final = 365 * 24 * 3600


def staff(desk: Desk, path: str = "") -> str:
    """An address of a staff page."""
    return f"/t/{desk.tenant.slug}/w/x/survey-satisfaction{path}"


def public(desk: Desk, path: str = "") -> str:
    return f"/p/{desk.tenant.slug}/survey{path}"


def show(desk: Desk, template: str, *, status: int = 200, **context: Any) -> Response[Any]:
    """A staff page; it knows the words of surveys and its own addresses."""
    return desk.page(
        f"survey_satisfaction/{template}", status=status, w=wording, here=staff(desk),
        can=desk.actor.can, **context,
    )  # fmt: skip


def show_public(desk: Desk, template: str, *, status: int = 200, **context: Any) -> Response[Any]:
    """A public page; the language chosen at its head stays chosen on the next one."""
    if desk.request.query_params.get("lang") == desk.language:
        desk.set_cookie(_LANGUAGE, desk.language, _YEAR)
    answer = desk.page(f"survey_satisfaction/{template}", status=status, w=wording, **context)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def uuid_of(text: str) -> uuid.UUID:
    """An id from an address.  Raises ``NotFound`` for what is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound from None


def ctx_of(desk: Desk) -> TenantContext:
    return context_of(desk)


# -- the ballot's cookie -----------------------------------------------------------------------


def _called(desk: Desk) -> str:
    return f"__Secure-{BALLOT}" if desk.site.settings.secure else BALLOT


def held_ballot(desk: Desk) -> str:
    return desk.request.cookies.get(_called(desk), "")[:2_000]


def give_ballot(desk: Desk, response: Response[Any], value: str) -> Response[Any]:
    """Let the browser hold a ballot; it goes to the survey's pages and nowhere else."""
    response.set_cookie(
        Cookie(
            key=_called(desk), value=value, max_age=62 * 24 * 3600, path=public(desk),
            httponly=True, secure=desk.site.settings.secure, samesite="lax",
        )
    )  # fmt: skip
    return response


def take_ballot(desk: Desk, response: Response[Any]) -> Response[Any]:
    response.delete_cookie(_called(desk), path=public(desk))
    return response
