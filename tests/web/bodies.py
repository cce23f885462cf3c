"""A body for every unsafe route of the staff, for sweeps that must get past the form."""

from huiyin.plugins.loading import SHIPPED

# What each unsafe route of the staff takes: a body that its own shape accepts.  ``@name`` is
# something of the firm at hand.  A route that is not here fails the tests below.
WORDS, REV = {"body": "记一笔"}, {"rev": "@rev"}
ON_A_CASE = {
    "api:case:edit": {**REV, "title": "另一个标题"},
    "api:case:assign": {**REV, "part": "assistant", "account_id": "@member"},
    "api:case:attest": {"gate": "wish_recorded", "note": "投诉人同意"},
    "api:case:note": WORDS,
    "api:case:message": WORDS,
    "api:case:call": WORDS,
    "api:case:subject": {**REV, "account_id": "@colleague", "reason": "被投诉的经办人"},
    "api:case:lift": {**REV, "account_id": "@colleague", "reason": "登记有误"},
    "api:case:reveal": {"reason": "回电"},
    "api:case:merge": {**REV, "master": "@other", "reason": "同一事项"},
    "api:case:retype": {**REV, "intake_type": "report", "reason": "核对后"},
    "api:case:withdraw_retype": REV,
    "api:case:grant_retype": REV,
    "api:case:refuse_retype": {**REV, "reason": "仍是投诉"},
    "api:case:lower": {**REV, "severity": "S1", "reason": "核对后"},
    "api:extension:ask": {**REV, "days": 3, "reason": "材料较多"},
    "api:extension:grant": REV,
    "api:extension:refuse": {**REV, "reason": "材料已齐"},
    "api:extension:withdraw": REV,
    "api:case:move": {**REV, "reason": "理由"},
    "api:case:add_task": {"title": "调取流水", "assignee_id": "@member"},
    "api:case:finish_task": {"proof": "流水已附"},
    "api:plan:save": {
        **REV,
        "goal": "补付",
        "basis": "合同",
        "measures": [{"title": "补付差额"}],
    },
    "api:plan:submit": REV,
    "api:plan:withdraw": {**REV, "reason": "须修改"},
    "api:plan:approve": {**REV, "plan_hash": "0" * 64},
    "api:plan:return": {**REV, "plan_hash": "0" * 64, "reason": "缺依据"},
    "api:letter:answer": {**REV, "findings": "情况属实", "outcome": "已经支付", "basis": "合同"},
    "api:letter:notice": {**REV, "kind": "progress", "process": "已核对"},
    "api:letter:withdraw": {"reason": "重拟"},
    "api:letter:release": {**REV, "fingerprint": "0" * 64},
    "api:letter:delivery": {"outcome": "sent", "detail": "EMS 123"},
    "api:evidence:add": {"name": "回执.txt", "content": "5Zue5omn"},
    "api:evidence:verify": {"note": "已与原件核对"},
    "plan:judge": {**REV, "decision": "approve", "plan_hash": "0" * 64, "reason": "可行"},
    "case:assign": {**REV, "part": "assistant", "account_id": "@member", "reason": "协办"},
    "case:attest": {"gate": "wish_recorded", "note": "投诉人同意"},
    "case:move": {**REV, "reason": "理由"},
    "case:edit": {**REV, "title": "又一个标题"},
    "evidence:add": {},
    "evidence:verify": {"note": "已与原件核对"},
    "extension:ask": {**REV, "days": 3, "reason": "材料较多"},
    "extension:grant": REV,
    "extension:refuse": {**REV, "reason": "材料已齐"},
    "extension:withdraw": REV,
    "letter:answer": {**REV, "findings": "情况属实", "outcome": "已经支付", "basis": "合同"},
    "letter:notice": {**REV, "kind": "progress", "process": "已核对"},
    "letter:delivery": {"outcome": "sent", "detail": "EMS 123"},
    "letter:release": {**REV, "fingerprint": "x"},
    "letter:withdraw": {"reason": "重拟"},
    "case:merge": {**REV, "master": "@other", "reason": "同一事项"},
    "plan:save": {**REV, "goal": "补付", "basis": "合同", "measure_title": "补付差额"},
    "plan:submit": REV,
    "case:retype": {**REV, "intake_type": "enquiry", "reason": "核对后"},
    "case:reveal": {"reason": "回电"},
    "case:subject": {**REV, "account_id": "@colleague", "reason": "被投诉的经办人"},
    "case:lift": {**REV, "account_id": "@colleague", "reason": "登记有误"},
    "case:retype_withdraw": REV,
    "case:lower": {**REV, "severity": "S1", "reason": "核对后"},
    "case:retype_decide": {**REV, "decision": "grant", "reason": "同意"},
    "case:talk": {"mode": "note", **WORDS},
    "case:add_task": {"title": "调取流水"},
    "case:finish_task": {"proof": "流水已附"},
    "plan:withdraw": {**REV, "reason": "须修改"},
}
ARRIVAL = {"rev": "1", "to": "new", "reason": "新的事项"}
STORY = {"story": "赎回款没有到账，已经等了很久", "phone": "13800006021"}
BESIDE = {
    "arrival:settle": ARRIVAL,
    "arrival:again": {"rev": "1"},
    "assignment:add": {"title": "全部投诉", "active": "on"},
    "assignment:save": {"rev": 1, "title": "全部投诉"},
    "assignment:move": {"to": "up"},
    "assignment:delete": {},
    "assignment:person_save": {"rev": 0, "most": 5},
    "api:case:register": STORY,
    "case:register": STORY,
    "case:bulk_assign": {"pick": "@pick", "part": "assistant", "account_id": "@member"},
    "admin:firm_change": {"name": "青禾私募", "short_name": "青禾"},
    "admin:people_new": {"email": "neu@huiyin.test", "name": "新人", "roles": "investigator"},
    "admin:person_change": {"roles": "investigator"},
    "admin:person_end": {},
    "admin:grant_decide": {"decision": "confirm"},
    "link:renew": {},
    "admin:plugin_draft": {"reason": "改一改"},
    "admin:plugin_submit": {"reason": "改一改"},
    "admin:plugin_discard": {},
    "admin:plugin_publish": {"seal": "x"},
    "admin:plugin_release": {},
    "admin:plugin_rollback": {"version": 1},
    "admin:plugin_switch": {"to": "on"},
    "admin:plugin_test": {"channel": "email"},
    "settings:password": {"current": "x", "new": "y"},
    "settings:sessions_end": {},
    "settings:session_end": {},
    "settings:token_new": {"label": "报表", "scopes": "case.read", "days": 30},
    "settings:token_end": {},
}
# What needs more than a body to succeed, and what its refusal is.
NOT_HERE = {
    "admin:grant_decide": 404,  # nobody was appointed
    "arrival:settle": 404,  # nothing came in
    "arrival:again": 404,
    "assignment:person_save": 404,  # the id in the address is no member's
    "assignment:save": 404,  # no rule was written
    "assignment:move": 404,
    "assignment:delete": 404,
    "admin:plugin_test": 404,  # the plugin in the address has no such channel
    "settings:password": 422,  # the account of a test has no password
    "extension:refuse": 403,  # whoever handles the case
    "api:extension:refuse": 403,
    "admin:plugin_rollback": 404,  # no version was ever published
    "settings:session_end": 404,  # the one in the address is nobody's
    "settings:token_end": 404,
}
# Whoever handled the case does not judge what was asked in it: a second person does.
JUDGED = (
    "extension:grant", "case:retype_decide", "api:extension:grant", "api:case:grant_retype",
)  # fmt: skip


def is_core(route):
    """Plugins sweep their own; what hangs on no case of another firm is a 404 in test_access."""
    return route.name.partition(":")[0] not in {*SHIPPED} - {"channel_web"}


def unsafe(routes, of):
    """The routes that change something, with bodies; every one of them must be in a table."""
    found = [route for route in routes if route.is_staff and not route.is_safe and is_core(route)]
    assert {route.name for route in found} == set(ON_A_CASE) | set(BESIDE)
    return [(route, of[route.name]) for route in found if route.name in of]


def send(who, route, path, body, known):
    """Ask as the route's own page, or a program, would, with what is ``known`` filled in."""
    given = {
        name: known[value[1:]] if isinstance(value, str) and value[:1] == "@" else value
        for name, value in body.items()
    }
    if route.kind == "page":
        return who.person.post(path, {n: str(v) for n, v in given.items()}, **route.files)
    given = {n: v if isinstance(v, int | list) else str(v) for n, v in given.items()}
    return who.program.ask(route.method, path, json=given, headers={"Idempotency-Key": "k"})
