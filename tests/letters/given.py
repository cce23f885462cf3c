"""What the tests of letters are given."""

from huiyin.letters.schemas import AnswerForm

GOOD = AnswerForm(
    findings="经核查，赎回款因账户信息校验未通过而退回。",
    outcome="我公司已重新划付，并就说明不及时向您致歉。",
    basis="基金合同第 18 条关于赎回款支付的约定。",
)
