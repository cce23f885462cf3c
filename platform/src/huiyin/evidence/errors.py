"""What can go wrong with files, each with what to do about it."""

from __future__ import annotations

from typing import ClassVar

from huiyin.kit.errors import Conflict, HuiyinError
from huiyin.kit.i18n import N_


class StorageFull(HuiyinError):
    """The disk took no more; nothing of the file was kept."""

    status = 507
    code = "storage_full"
    default: ClassVar[str] = N_("存储空间不足，文件没有保存，请联系平台运营")


class BlobDamaged(Conflict):
    """The stored bytes are gone, or are no longer those that were handed in."""

    code = "blob_damaged"
    default: ClassVar[str] = N_("「{name}」的存储内容缺失或与登记的校验值不符，请联系平台运营核查")


class VerifierIsUploader(Conflict):
    """Nobody vouches for a file he or she brought."""

    status = 403
    code = "second_person_required"
    default: ClassVar[str] = N_("证据须由上传人以外的人员核验，请交其他人办理")
