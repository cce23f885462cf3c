"""Checking a certificate: anybody with the code, nobody without."""

from __future__ import annotations

from typing import Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency

from huiyin.sdk import (
    N_,
    PUBLIC,
    Desk,
    Form,
    FormData,
    Invalid,
    NotFound,
    Throttle,
    action,
    context_of,
    count_try,
    page,
    parse,
    take_back_try,
)
from huiyin_training_records import certificates
from huiyin_training_records.schemas import CodeForm

TRIES: Final = Throttle("training_records.certificate", 10, 15 * 60)
UNKNOWN: Final = N_("没有找到这个编码的证书，请核对后重新输入")
ANSWERS: Final = {
    "valid": N_("证书真实有效"),
    "expired": N_("证书真实，已过有效期"),
    "revoked": N_("证书已被撤销"),
}


class CertificateController(Controller):
    path = "/certificate"

    @page("/", name="training_records:certificate", permission=PUBLIC)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        typed = desk.request.query_params.get("code", "")[:40]
        return _show(desk, Form({"code": typed}), 200)

    @action("/", name="training_records:certificate_check", permission=PUBLIC)
    def check(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        """The try is counted before anything is looked up; a wrong code and another firm's
        get the same answer."""
        ctx = context_of(desk)
        try:
            typed = parse(CodeForm, data).code
            count_try(desk, TRIES)
            found = certificates.check(ctx, typed)
        except NotFound:
            error = Invalid({"code": UNKNOWN})
            return _show(desk, Form.failed({}, error, desk._), 422)
        except Invalid as error:
            return _show(desk, Form.failed({}, error, desk._), 422)
        take_back_try(desk, TRIES)
        return _show(desk, Form(), 200, found=found)


def _show(desk: Desk, form: Form, status: int, found: Any = None) -> Response[Any]:
    return desk.page(
        "training_records/certificate.html", status=status, form=form, found=found,
        answers=ANSWERS,
    )  # fmt: skip
