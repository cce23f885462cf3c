"""The web toolkit: routes with permissions, pages and fragments, forms, errors."""

from huiyin.web.desk import Desk
from huiyin.web.forms import Form, parse
from huiyin.web.routes import FormData, UploadData, action, api, audit, page

__all__ = ["Desk", "Form", "FormData", "UploadData", "action", "api", "audit", "page", "parse"]
