"""One complaint by clicking, from the public form to the sealed file, with and without scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import House, Visitor

STORY = (
    "2026 年 8 月 3 日我提交了稳健一号的赎回申请，合同约定十个工作日内到账。"
    "到今天已经过去三个多月，款项仍未到账，客服多次答复正在处理，没有给出原因。"
)


@dataclass(frozen=True)
class Receipt:
    number: str
    code: str


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_complaint_is_filed_handled_answered_and_sealed(house: House, *, scripts: bool) -> None:
    investor = house.visitor(scripts=scripts)
    receipt = file_complaint(investor, house.tenant)
    open_portal(investor, receipt)

    officer = house.colleague("officer", scripts=scripts)
    investigator = house.colleague("investigator", scripts=scripts)
    approver = house.colleague("approver", scripts=scripts)
    case = f"/t/{house.tenant}/w/cases/{receipt.number}"

    accept(officer, case, receipt)
    investigate(officer, investigator, case)
    conclude(officer, investigator, case)
    plan(officer, case)
    approve(approver, house.tenant, receipt)
    implement(officer, approver, case)
    answer(officer, approver, case)
    follow_up(officer, case)
    seal(officer, approver, case)

    read_answer(investor, receipt)
    if scripts:
        for person in (investor, officer, investigator, approver):
            assert person.complaints == []
    for person in (investor, officer, investigator, approver):
        person.context.close()


# -- the investor ------------------------------------------------------------------------------


def file_complaint(investor: Visitor, tenant: str) -> Receipt:
    page = investor.page
    investor.go(f"/p/{tenant}/complain")
    investor.link("开始填写")
    page.get_by_role("radio", name="申购、赎回或分红").check()
    investor.press("继续")
    page.get_by_role("radio", name="远山稳健一号").check()
    investor.press("继续")
    investor.fill(story=STORY)
    investor.press("继续")
    investor.fill(wish="尽快支付赎回款，并说明延迟的原因")
    investor.press("继续")
    page.locator("[name=files]").set_input_files(
        {"name": "赎回申请.txt", "mimeType": "text/plain", "buffer": "赎回申请单".encode()}
    )
    investor.press("继续")
    investor.fill(name="陈建国", phone="138 0000 6021", email="chen@investor.test")
    investor.press("继续")
    investor.reads("申购、赎回或分红", "远山稳健一号", "1 个文件", "陈建国")
    page.get_by_role("checkbox").check()
    investor.press("提交投诉")
    investor.reads("投诉已提交")
    shown = page.locator("main").inner_text()
    number = re.search(r"YS-\d{4}-\d{4}", shown)
    assert number, shown
    code = re.sub(r"\D", "", page.locator(".receipt .code").inner_text())
    assert len(code) == 16
    return Receipt(number.group(), code)


def open_portal(investor: Visitor, receipt: Receipt) -> None:
    """With the code alone, in a browser that knows nothing else."""
    investor.context.clear_cookies()
    tenant_page = re.sub(r"/complain/.*", "/track", investor.page.url)
    investor.page.goto(tenant_page)
    investor.fill(code=receipt.code)
    investor.press("查询")
    investor.reads(receipt.number, "处理进度", "已收到", "赎回申请.txt")


def read_answer(investor: Visitor, receipt: Receipt) -> None:
    investor.page.reload()
    investor.reads(receipt.number, "投诉处理答复书", "要求复核")
    with investor.page.expect_download() as waiting:
        investor.page.get_by_role("link", name=re.compile("投诉处理答复书")).first.click()
    download = waiting.value
    content = download.path().read_bytes()
    assert download.suggested_filename.endswith(".pdf")
    assert content.startswith(b"%PDF-")
    assert b"%%EOF" in content[-64:]


# -- the firm ----------------------------------------------------------------------------------


def attest(person: Visitor, gate: str, note: str) -> None:
    """Open the gate of that title on the page of the case and write down how it was met."""
    box = person.page.locator("#nba .gates details", has_text=gate)
    if box.get_attribute("open") is None:
        box.locator("summary").click()
    box.locator("textarea").fill(note)
    with person.page.expect_navigation():
        box.get_by_role("button", name="记录").click()
    met = person.page.locator("#nba .gates li.y", has_text=gate)
    assert met.count() == 1, f"{gate} is not met"


def move(person: Visitor, act: str, stage: str) -> None:
    """Press the next step, confirm it, and see the case in its new stage."""
    person.link(act)
    person.press(act)
    current = person.page.locator("#rail [aria-current=step]").inner_text()
    assert stage in current, f"{act}: {current}"


def open_row(person: Visitor, receipt: Receipt) -> None:
    """From a list to the case."""
    with person.page.expect_navigation():
        person.page.locator("tr.row", has_text=receipt.number).get_by_role("link").first.click()


def assign(officer: Visitor, part: str, name: str) -> None:
    officer.link("转交")
    officer.page.get_by_role("radio", name=part).check()
    officer.choose(account_id=name)
    officer.press("确认转交")


def accept(officer: Visitor, case: str, receipt: Receipt) -> None:
    officer.go(case.rsplit("/cases/", 1)[0])
    officer.reads("待办", receipt.number)
    officer.link("未受理", exact=False)
    officer.reads(receipt.number)
    open_row(officer, receipt)
    assert officer.page.url.endswith(case)

    officer.link("编辑要素")
    officer.choose(category="赎回", severity="较重")
    officer.fill(title="赎回款三个月没有到账", amount="500000")
    officer.press("保存")
    officer.reads("赎回款三个月没有到账", "较重")
    assign(officer, "首接负责人", "沈佳宁")
    attest(officer, "回避检查", "被投诉部门为运营部，经办人与其无利害关系")
    move(officer, "受理并告知投诉人", "初步调查")


def investigate(officer: Visitor, investigator: Visitor, case: str) -> None:
    investigator_page = investigator.page.goto(investigator.address + case)
    assert investigator_page is not None
    assert investigator_page.status == 404  # not hers until she is given it
    investigator.complaints.clear()  # the browser's word for that answer
    assign(officer, "调查员", "周岚")
    attest(officer, "投诉人陈述已确认", "11 月 23 日电话核实，投诉人确认所述内容")
    attest(officer, "产品与合同已调取", "基金合同、赎回申请单、份额登记记录")
    attest(officer, "是否涉及第三方", "不涉及托管人与代销机构")
    attest(officer, "是否疑似群体投诉", "近 30 天同产品没有其他投诉")
    move(officer, "转入深入调查", "深入调查")


def conclude(officer: Visitor, investigator: Visitor, case: str) -> None:
    investigator.go(case)
    attest(investigator, "取证清单已齐", "赎回申请单、划款指令、系统日志，没有缺项")
    attest(investigator, "各方陈述已听取", "已听取投诉人与运营部经办人的陈述")
    attest(investigator, "证据已核验", "与份额登记系统逐项核对一致")
    attest(investigator, "调查独立性声明", "与投诉双方无利害关系")
    officer.go(case)
    officer.link("编辑要素")
    officer.choose(finding="成立", cause="RC1-2")
    officer.press("保存")
    investigator.go(case)
    move(investigator, "提交调查结论", "方案制定")


def plan(officer: Visitor, case: str) -> None:
    officer.go(case)
    officer.link("处理方案已拟定")
    officer.fill(
        goal="支付赎回款，补偿延迟期间的利息，书面说明原因",
        amount="3200",
        basis="按合同约定的到账期限与同期活期存款利率计算",
    )
    page = officer.page
    due = page.evaluate("new Date(Date.now() + 7 * 864e5).toISOString().slice(0, 10)")
    for row, title in enumerate(("支付赎回款与补偿", "复查赎回流程的时限提醒")):
        page.locator("[name=measure_title]").nth(row).fill(title)
        page.locator("[name=measure_due]").nth(row).fill(due)
        owner = page.locator("[name=measure_owner]").nth(row)
        label = owner.locator("option", has_text="沈佳宁").inner_text()
        owner.select_option(label=label)
    officer.press("保存方案")
    attest(officer, "先例比对", "近一年没有同类案件")
    attest(officer, "投诉人意向", "投诉人同意该方案")
    move(officer, "提交审批", "审批")
    assert page.get_by_role("link", name="查看方案并审批").count() == 0  # not by who handled it


def approve(approver: Visitor, tenant: str, receipt: Receipt) -> None:
    approver.go(f"/t/{tenant}/w/approvals")
    open_row(approver, receipt)
    approver.reads("支付赎回款与补偿", "3,200", "成立")
    approver.fill(reason="同意，款项须在一周内支付")
    approver.press("通过并生成任务")
    approver.reads("支付赎回款与补偿", "0 / 2 完成")


def implement(officer: Visitor, approver: Visitor, case: str) -> None:
    officer.go(case)
    for title, proof in (
        ("支付赎回款与补偿", "付款回单 20261124-031"),
        ("复查赎回流程的时限提醒", "流程复查记录第 12 号"),
    ):
        task = officer.page.locator("#tasks li", has_text=title)
        if task.locator("details").get_attribute("open") is None:
            task.locator("summary").click()
        task.locator("textarea").fill(proof)
        with officer.page.expect_navigation():
            task.get_by_role("button", name="登记完成").click()
    officer.reads("2 / 2 完成", "付款回单 20261124-031")
    approver.go(case)
    attest(approver, "执行情况已复查", "已核对付款回单与流程记录")
    officer.go(case)
    move(officer, "实施完成", "反馈")


def answer(officer: Visitor, approver: Visitor, case: str) -> None:
    officer.link("书面答复已签发")
    officer.fill(
        findings="经查，您于 8 月 3 日提交的赎回申请因内部流程遗漏未按约定划款，投诉成立。",
        outcome="赎回款已支付，并补偿人民币 3,200.00 元。",
        basis="基金合同关于赎回款支付期限的约定，以及同期活期存款利率。",
    )
    officer.press("保存草稿")
    officer.reads("书面答复须由未参与办理的审批人签发")
    assert officer.page.get_by_role("button", name="签发并发送").count() == 0
    approver.go(case)
    approver.link("书面答复已签发")
    approver.reads("没有发现问题")
    approver.press("签发并发送")
    officer.go(case)
    attest(officer, "已电话沟通", "11 月 24 日通话，投诉人表示已收到")
    move(officer, "完成反馈", "回访")


def follow_up(officer: Visitor, case: str) -> None:
    officer.go(case)
    attest(officer, "回访已完成", "11 月 24 日电话回访，满意")
    attest(officer, "问题已解决或已说明", "投诉人确认款项到账")
    move(officer, "完成回访", "归档")


def seal(officer: Visitor, approver: Visitor, case: str) -> None:
    attest(officer, "卷宗目录完整", "目录已核对，没有缺项")
    attest(officer, "经验教训", "赎回划款须有到期提醒，已立整改项")
    approver.go(case)
    attest(approver, "保存期限", "按公司制度保存二十年")
    approver.link("归档并封存")
    approver.press("归档并封存")
    approver.reads("已办结")
    approver.go(case.rsplit("/cases/", 1)[0] + "/archive")
    approver.reads(case.rsplit("/", 1)[1], "已归档")
