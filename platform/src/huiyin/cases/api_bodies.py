"""What the API takes about cases: the forms of the pages, with the version that was read."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from huiyin.cases import queries
from huiyin.cases.schemas import (
    AssignForm,
    ExtensionForm,
    FactsForm,
    LowerForm,
    MergeForm,
    MoveForm,
    RetypeForm,
    Rev,
    Shape,
    SubjectForm,
    Words,
)
from huiyin.kit.i18n import N_

Meta = msgspec.Meta
LARGEST: Final = 200
_Text = Annotated[str, Meta(max_length=80)]


class PageQuery(Shape, frozen=True, kw_only=True):
    """``after`` is the ``next`` of the page before."""

    after: Annotated[str, Meta(max_length=100, title=N_("下一页"))] = ""


class SizedQuery(PageQuery, frozen=True, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=LARGEST, title=N_("每页件数"))] = queries.PAGE


class ListQuery(SizedQuery, frozen=True, kw_only=True):
    """The filters of the page 全部案件."""

    scope: Annotated[str, Meta(pattern="^(mine|team|all)$", title=N_("范围"))] = "all"
    stage: Annotated[_Text, Meta(title=N_("阶段"))] = ""
    group: Annotated[_Text, Meta(title=N_("类别组"))] = ""
    severity: Annotated[_Text, Meta(title=N_("级别"))] = ""
    fund: Annotated[_Text, Meta(title=N_("产品"))] = ""
    source: Annotated[_Text, Meta(title=N_("来源"))] = ""
    due: Annotated[str, Meta(pattern="^soon$", title=N_("时限"))] = ""


class SearchQuery(SizedQuery, frozen=True, kw_only=True):
    q: Annotated[str, Meta(min_length=1, max_length=100, title=N_("检索词"))]


class CaseQuery(Shape, frozen=True, kw_only=True):
    """``before`` is the ``older`` of the page before."""

    tab: Annotated[str, Meta(pattern="^(talk|notes|moves)$", title=N_("时间轴"))] = ""
    before: Annotated[int, Meta(ge=1, le=2**31 - 1, title=N_("更早的记录"))] | None = None


class RevBody(Shape, frozen=True, kw_only=True):
    """``rev`` is the version of the case that was read."""

    rev: Rev


class WordsBody(Shape, frozen=True, kw_only=True):
    body: Words


class MoveBody(MoveForm, frozen=True, kw_only=True):
    rev: Rev


class AssignBody(AssignForm, frozen=True, kw_only=True):
    rev: Rev


class SubjectBody(SubjectForm, frozen=True, kw_only=True):
    rev: Rev


class MergeBody(MergeForm, frozen=True, kw_only=True):
    """``master`` is the number of the open case that this one is to be handled under."""

    rev: Rev


class RetypeBody(RetypeForm, frozen=True, kw_only=True):
    rev: Rev


class LowerBody(LowerForm, frozen=True, kw_only=True):
    """``severity`` is S1 or S2."""

    rev: Rev


class ExtensionBody(ExtensionForm, frozen=True, kw_only=True):
    """``days`` are counted in the ``unit`` that reading the extension tells."""

    rev: Rev


class FactsBody(FactsForm, frozen=True, kw_only=True):
    """What is not named stays as it is; null clears."""

    rev: Rev
