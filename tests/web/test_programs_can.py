"""What the pages of a case do, programs do as well, with the same permission."""

from __future__ import annotations

from huiyin.plugins.loading import SHIPPED

# Each form of the pages, and the operations that do the same.
DONE_BY = {
    "case:register": ["api:case:register"],
    "case:edit": ["api:case:edit"],
    "case:talk": ["api:case:note", "api:case:message", "api:case:call"],
    "case:attest": ["api:case:attest"],
    "case:move": ["api:case:move"],
    "case:merge": ["api:case:merge"],
    "case:retype": ["api:case:retype"],
    "case:retype_withdraw": ["api:case:withdraw_retype"],
    "case:retype_decide": ["api:case:grant_retype", "api:case:refuse_retype"],
    "case:lower": ["api:case:lower"],
    "case:assign": ["api:case:assign"],
    "case:subject": ["api:case:subject"],
    "case:lift": ["api:case:lift"],
    "case:add_task": ["api:case:add_task"],
    "case:finish_task": ["api:case:finish_task"],
    "case:reveal": ["api:case:reveal"],
    "evidence:add": ["api:evidence:add"],
    "evidence:verify": ["api:evidence:verify"],
    "extension:ask": ["api:extension:ask"],
    "extension:grant": ["api:extension:grant"],
    "extension:refuse": ["api:extension:refuse"],
    "extension:withdraw": ["api:extension:withdraw"],
    "letter:answer": ["api:letter:answer"],
    "letter:notice": ["api:letter:notice"],
    "letter:release": ["api:letter:release"],
    "letter:withdraw": ["api:letter:withdraw"],
    "letter:delivery": ["api:letter:delivery"],
    "plan:save": ["api:plan:save"],
    "plan:submit": ["api:plan:submit"],
    "plan:withdraw": ["api:plan:withdraw"],
    "plan:judge": ["api:plan:approve", "api:plan:return"],
    # Files, which only reading gives out.
    "letter:pdf": ["api:letter:pdf"],
    "evidence:read": ["api:evidence:read"],
}
# A program asks once for each case, and each answer tells its own version or refusal.
NOT_FOR_PROGRAMS = {"case:bulk_assign"}
# One form for three acts, of which two take more than the form does.
BY_ITS_FIELD = {"case:talk"}


def test_every_act_of_the_pages_is_there_for_programs(routes):
    known = {route.name: route for route in routes}
    forms = {
        route.name
        for route in routes
        if route.kind == "page"
        and not route.is_safe
        and route.path.startswith(("/t/{tenant:str}/w/cases", "/t/{tenant:str}/w/bulk"))
        and route.name.partition(":")[0] not in SHIPPED
    }
    assert forms == {name for name in DONE_BY if not known[name].is_safe} | NOT_FOR_PROGRAMS
    for form, operations in DONE_BY.items():
        for operation in operations:
            same = known[operation].permission == known[form].permission
            assert same or form in BY_ITS_FIELD, operation


def test_every_operation_that_changes_a_case_is_one_of_the_pages(routes):
    changing = {
        route.name
        for route in routes
        if route.kind == "api"
        and not route.is_safe
        and route.path.startswith("/api/v1/t/{tenant:str}/cases")
    }
    assert changing <= {name for names in DONE_BY.values() for name in names}
