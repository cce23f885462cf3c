"""Thanks, awards and the file of a person; wiring only."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    XLSX,
    Desk,
    Form,
    FormData,
    Message,
    NotFound,
    TenantContext,
    action,
    colleagues,
    context_of,
    defaults,
    or_again,
    page,
    parse,
    today,
    whole,
)
from huiyin_scoring_incentive import awards, papers, thanks
from huiyin_scoring_incentive.rights import AWARD, NOMINATE, OWN, SEE, Reader
from huiyin_scoring_incentive.schemas import CreditForm, NominationForm, ReasonForm, YearForm
from huiyin_scoring_incentive.shared import PDF, after, home, show


class CreditController(Controller):
    path = "/credits"

    @page("/", name="scoring_incentive:credits", permission=OWN)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _credits(desk, context_of(desk))

    @page("/new", name="scoring_incentive:credit_new", permission=NOMINATE)
    def ask(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _credit_form(desk, context_of(desk), defaults(CreditForm, kind="help"))

    @action("/new", name="scoring_incentive:credit_add", permission=NOMINATE)
    def add(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def act() -> Response[Any]:
            thanks.add(context_of(desk), parse(CreditForm, data))
            return desk.redirect(home(desk, "/credits"), N_("已登记，经第三人确认后计入"))

        def again(form: Form, status: int) -> Response[Any]:
            return _credit_form(desk, context_of(desk), form, status)

        return or_again(desk, data, act, again)

    @action("/{credit_id:uuid}/judge", name="scoring_incentive:credit_judge", permission=NOMINATE)
    def judge(
        self, desk: NamedDependency[Desk], credit_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            agree = data.get("agree") == "yes"
            reason = str(data.get("reason") or "").strip()[:500]
            thanks.judge(context_of(desk), credit_id, agree=agree, reason=reason)
            said = N_("已确认") if agree else N_("已记录不予确认")
            return desk.redirect(home(desk, "/credits"), said)

        return or_again(desk, {**data, "at": str(credit_id)}, act, partial(_credits_again, desk))

    @action(
        "/{credit_id:uuid}/withdraw", name="scoring_incentive:credit_withdraw", permission=NOMINATE
    )
    def withdraw(
        self, desk: NamedDependency[Desk], credit_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            thanks.withdraw(context_of(desk), credit_id)
            return desk.redirect(home(desk, "/credits"), N_("已撤回"))

        return or_again(desk, data, act, partial(_credits_again, desk))


def _credits_again(desk: Desk, form: Form, status: int) -> Response[Any]:
    return _credits(desk, context_of(desk), form, status)


def _credits(
    desk: Desk, ctx: TenantContext, form: Form | None = None, status: int = 200
) -> Response[Any]:
    every = Reader.of(desk.actor).sees and desk.request.query_params.get("all") != "0"
    found, more = thanks.page(ctx, every=every, after=after(desk))
    return show(
        desk, ctx, "credits.html", status=status, rows=found, more=more, form=form or Form(),
        kinds=thanks.KIND_TITLES, states=thanks.STATE_TITLES, me=desk.actor.id,
    )  # fmt: skip


def _credit_form(desk: Desk, ctx: TenantContext, form: Form, status: int = 200) -> Response[Any]:
    people = [c for c in colleagues(ctx.session) if c.id != desk.actor.id]
    return show(
        desk, ctx, "credit_new.html", status=status, form=form, people=people,
        kinds=thanks.KIND_TITLES,
    )  # fmt: skip


class AwardController(Controller):
    path = "/awards"

    @page("/", name="scoring_incentive:awards", permission=OWN)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        return _years(desk, ctx, defaults(YearForm, year=today().year))

    @action("/", name="scoring_incentive:award_open", permission=AWARD)
    def open(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def act() -> Response[Any]:
            made = awards.open_year(context_of(desk), parse(YearForm, data).year)
            return desk.redirect(home(desk, f"/awards/{made.year}"), N_("已开启，现在可以提名"))

        def again(form: Form, status: int) -> Response[Any]:
            return _years(desk, context_of(desk), form, status)

        return or_again(desk, data, act, again)

    @page("/{year:int}", name="scoring_incentive:award_year", permission=OWN)
    def one(self, desk: NamedDependency[Desk], year: FromPath[int]) -> Response[Any]:
        return _year(desk, context_of(desk), year)

    @page("/{year:int}/nominate", name="scoring_incentive:nominate", permission=NOMINATE)
    def ask(self, desk: NamedDependency[Desk], year: FromPath[int]) -> Response[Any]:
        return _nomination(desk, context_of(desk), year, defaults(NominationForm))

    @action("/{year:int}/nominate", name="scoring_incentive:nominated", permission=NOMINATE)
    def nominate(
        self, desk: NamedDependency[Desk], year: FromPath[int], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            awards.nominate(context_of(desk), _sane(year), parse(NominationForm, data))
            return desk.redirect(home(desk, f"/awards/{year}"), N_("提名已提交"))

        def again(form: Form, status: int) -> Response[Any]:
            return _nomination(desk, context_of(desk), year, form, status)

        return or_again(desk, data, act, again)

    @action("/{year:int}/close", name="scoring_incentive:award_close", permission=AWARD)
    def close(
        self, desk: NamedDependency[Desk], year: FromPath[int], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            awards.close_list(context_of(desk), _sane(year))
            return desk.redirect(home(desk, f"/awards/{year}"), N_("名单已封存，等待两道审批"))

        return or_again(desk, data, act, partial(_year_again, desk, year))

    @action("/{year:int}/approve", name="scoring_incentive:award_approve", permission=AWARD)
    def approve(
        self, desk: NamedDependency[Desk], year: FromPath[int], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            made = awards.approve(context_of(desk), _sane(year), str(data.get("hash", "")))
            said = (
                N_("两道审批完成，奖励已授予")
                if made.state == "granted"
                else N_("已批准，等待另一道审批")
            )
            return desk.redirect(home(desk, f"/awards/{year}"), said)

        return or_again(desk, data, act, partial(_year_again, desk, year))

    @action("/{year:int}/strike/{award_id:uuid}", name="scoring_incentive:award_strike",
            permission=AWARD)  # fmt: skip
    def strike(
        self,
        desk: NamedDependency[Desk],
        year: FromPath[int],
        award_id: FromPath[uuid.UUID],
        data: FormData,
    ) -> Response[Any]:
        def act() -> Response[Any]:
            awards.strike(context_of(desk), award_id, parse(ReasonForm, data).reason)
            return desk.redirect(home(desk, f"/awards/{year}"), N_("已从名单移出"))

        again = partial(_year_again, desk, year)
        return or_again(desk, {**data, "at": str(award_id)}, act, again)

    @page("/mine", name="scoring_incentive:award_mine", permission=OWN)
    def own(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _mine(desk, Form(), 200)

    @action("/mine/{award_id:uuid}", name="scoring_incentive:award_consent", permission=OWN)
    def consent(
        self, desk: NamedDependency[Desk], award_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            agree, seen = data.get("agree") == "yes", str(data.get("words", ""))
            found = awards.consent(context_of(desk), award_id, seen, agree=agree)
            said = (
                N_("已同意，公开页面现在可以看到")
                if agree
                else N_("已撤回同意，公开页面已不再显示")
            )
            own = found.nominee_id == desk.actor.id
            where = "/awards/mine" if own else f"/awards/{found.year}"
            return desk.redirect(home(desk, where), said)

        return or_again(desk, data, act, partial(_mine, desk))


def _mine(desk: Desk, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    found = [(a, awards.words(a)) for a in awards.mine(ctx, desk.actor.id)]
    return show(desk, ctx, "award_mine.html", status=status, form=form, awards=found)


def _sane(year: int) -> int:
    if not 2000 <= year <= 2100:
        raise NotFound
    return year


def _years(desk: Desk, ctx: TenantContext, form: Form, status: int = 200) -> Response[Any]:
    before = whole(desk.request.query_params.get("before", ""), most=4) or 9999
    return show(
        desk, ctx, "awards.html", status=status, form=form, states=awards.STATE_TITLES,
        years=awards.years(ctx, before=before),
    )  # fmt: skip


def _year_again(desk: Desk, year: int, form: Form, status: int) -> Response[Any]:
    return _year(desk, context_of(desk), year, form, status)


def _year(
    desk: Desk, ctx: TenantContext, year: int, form: Form | None = None, status: int = 200
) -> Response[Any]:
    reward = awards.of_year(ctx, _sane(year))
    found = awards.awards_of(ctx, reward)
    listed = [a for a in found if a.state == "nominated"]
    response = show(
        desk, ctx, "award_year.html", status=status, form=form or Form(),
        reward=reward, awards=found, hash=awards.list_hash(listed), states=awards.STATE_TITLES,
        award_states=awards.AWARD_TITLES, me=desk.actor.id,
    )  # fmt: skip
    if Reader.of(desk.actor).sees and any(a.data for a in found):
        ctx.record("reward_read", reward.id, {"year": reward.year})
    return response


def _nomination(
    desk: Desk, ctx: TenantContext, year: int, form: Form, status: int = 200
) -> Response[Any]:
    reward = awards.of_year(ctx, _sane(year))
    people = [c for c in colleagues(ctx.session) if c.id != desk.actor.id]
    return show(desk, ctx, "nominate.html", status=status, form=form, reward=reward, people=people)


class PersonController(Controller):
    path = "/people"

    @page("/", name="scoring_incentive:people", permission=SEE)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        people = [c for c in colleagues(ctx.session) if c.roles]
        return show(desk, ctx, "people.html", people=people)

    @page("/{person:uuid}", name="scoring_incentive:person", permission=OWN)
    def one(self, desk: NamedDependency[Desk], person: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        file = papers.person_file(ctx, person)
        response = show(
            desk,
            ctx,
            "person.html",
            file=file,
            kinds=thanks.KIND_TITLES,
            own=person == ctx.actor.id,
        )
        if person != ctx.actor.id:
            ctx.record("person_read", person, {"as": "page"})
        return response

    @page("/{person:uuid}/file.pdf", name="scoring_incentive:person_pdf", permission=OWN)
    def pdf(self, desk: NamedDependency[Desk], person: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        content = papers.person_pdf(ctx, papers.person_file(ctx, person))
        papers.record_export(ctx, person, "pdf")
        return desk.file(content, _name(ctx, "pdf"), PDF)

    @page("/{person:uuid}/file.xlsx", name="scoring_incentive:person_xlsx", permission=OWN)
    def xlsx(self, desk: NamedDependency[Desk], person: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        content = papers.person_xlsx(ctx, papers.person_file(ctx, person))
        papers.record_export(ctx, person, "xlsx")
        return desk.file(content, _name(ctx, "xlsx"), XLSX)


def _name(ctx: TenantContext, kind: str) -> str:
    title = ctx.text(Message(N_("晋升参考材料")))
    return f"{title}-{today()}.{kind}"
