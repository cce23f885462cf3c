"""The packs of a firm: bringing them in, taking a version into use, vouching for its sources."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Conflict,
    Invalid,
    Message,
    NotFound,
    TenantContext,
    clean_file_name,
    today,
    uuid7,
)
from huiyin_checklist_regulatory import library, packfile, packtable
from huiyin_checklist_regulatory.errors import SecondPerson
from huiyin_checklist_regulatory.models import FactAnswer, PackImport, PackVersion, Vouch
from huiyin_checklist_regulatory.packfile import Fault, Item, Pack, PackRefused
from huiyin_checklist_regulatory.permissions import TICK
from huiyin_checklist_regulatory.schemas import VouchForm
from huiyin_checklist_regulatory.terms import Voucher

MOST_VERSIONS: Final = 200
SHIPPED_BY: Final = "Huiyin"


@dataclass(frozen=True, slots=True)
class Shelf:
    """One pack of the firm: the version in force, and a newer one that waits."""

    pack_id: str
    current: PackVersion | None
    newest: Pack
    newer: Pack | None
    imported: bool

    @property
    def shown(self) -> Pack:
        return pack_of(self.current) if self.current else self.newest


def pack_of(row: PackVersion) -> Pack:
    return msgspec.convert(row.content, Pack)


# -- reading -----------------------------------------------------------------------------------


def versions(ctx: TenantContext, pack_id: str = "") -> list[PackVersion]:
    """What the firm has kept, oldest version first."""
    query = (
        select(PackVersion).order_by(PackVersion.pack_id, PackVersion.added_at).limit(MOST_VERSIONS)
    )
    if pack_id:
        query = query.where(PackVersion.pack_id == pack_id)
    return sorted(
        ctx.session.scalars(query), key=lambda row: (row.pack_id, packfile.order_of(row.version))
    )


def shelves(ctx: TenantContext) -> list[Shelf]:
    """Every pack that could be used, shipped and imported; one query."""
    kept: dict[str, list[PackVersion]] = defaultdict(list)
    for row in versions(ctx):
        kept[row.pack_id].append(row)
    names = sorted(
        {*kept, *library.shipped()}, key=lambda name: (name not in library.shipped(), name)
    )
    return [_shelf(name, kept[name]) for name in names]


def _shelf(pack_id: str, rows: Sequence[PackVersion]) -> Shelf:
    used = [row for row in rows if row.adopted_at]
    current = max(used, key=lambda row: packfile.order_of(row.version), default=None)
    known = [pack_of(row) for row in rows]
    if (ours := library.shipped().get(pack_id)) is not None:
        known.append(ours)
    newest = max(known, key=lambda pack: pack.order)
    newer = newest if current and newest.order > packfile.order_of(current.version) else None
    return Shelf(pack_id, current, newest, newer, is_imported(pack_id))


def is_imported(pack_id: str) -> bool:
    """Whether the pack is the firm's own and did not come with the platform."""
    return pack_id not in library.shipped()


def shelf(ctx: TenantContext, pack_id: str) -> Shelf:
    """One pack.  Raises ``NotFound``."""
    rows = versions(ctx, pack_id)
    if not rows and pack_id not in library.shipped():
        raise NotFound
    return _shelf(pack_id, rows)


def known_version(ctx: TenantContext, pack_id: str, version: str) -> Pack:
    """A version the firm has, or that ships.  Raises ``NotFound``."""
    ours = library.shipped().get(pack_id)
    if ours is not None and ours.version == version:
        return ours
    row = next((r for r in versions(ctx, pack_id) if r.version == version), None)
    if row is None:
        raise NotFound
    return pack_of(row)


# -- bringing in -------------------------------------------------------------------------------


def bring_in(ctx: TenantContext, content: bytes, name: str) -> PackImport:
    """Read a file as a pack and keep it, or keep what is wrong with it; never half of it.

    The answer tells which.  It is taken into use by somebody else.
    """
    name = clean_file_name(name)
    entry = PackImport(
        id=uuid7(), file_name=name, sha256=hashlib.sha256(content).hexdigest(), accepted=False,
        faults=[], by_id=ctx.actor.id, by_name=ctx.actor.name, at=ctx.now(),
    )  # fmt: skip
    try:
        pack = _read(content, name)
        entry.pack_id, entry.version = pack.pack_id, pack.version
        _agrees(ctx, pack)
    except PackRefused as refused:
        entry.faults = [_kept(fault) for fault in refused.faults]
        ctx.session.add(entry)
        ctx.record("pack_refused", entry.id, {"sha256": entry.sha256, "faults": len(entry.faults)})
        return entry
    entry.accepted = True
    ctx.session.add(entry)
    ctx.session.add(_row(ctx, pack, imported=True))
    facts = {"pack": pack.pack_id, "version": pack.version, "hash": pack.hash()}
    ctx.record("pack_imported", entry.id, facts)
    return entry


def _read(content: bytes, name: str) -> Pack:
    if name.lower().endswith((".xlsx", ".csv")) and len(content) <= packfile.MOST_BYTES:
        return packfile.check(packtable.decode(content, name), library.facts())
    return packfile.load(content, name, library.facts())


def _kept(fault: Fault) -> dict[str, Any]:
    return {
        "item": fault.item, "field": fault.field, "fix": fault.fix.key,
        "params": {k: str(v) for k, v in fault.fix.params.items()},
    }  # fmt: skip


def fault_message(kept: Mapping[str, Any]) -> Message:
    return Message(kept["fix"], kept["params"])


def _row(ctx: TenantContext, pack: Pack, *, imported: bool) -> PackVersion:
    return PackVersion(
        id=uuid7(), pack_id=pack.pack_id, version=pack.version, content=msgspec.to_builtins(pack),
        content_hash=pack.hash(), imported=imported, added_by=ctx.actor.id,
        added_name=ctx.actor.name if imported else SHIPPED_BY, added_at=ctx.now(),
    )  # fmt: skip


def _agrees(ctx: TenantContext, pack: Pack) -> None:
    """Refuse a version that contradicts one the firm has already."""
    others = [pack_of(row) for row in versions(ctx, pack.pack_id)]
    if (ours := library.shipped().get(pack.pack_id)) is not None:
        raise PackRefused(
            [
                Fault(
                    "",
                    "pack_id",
                    Message(
                        N_("「{field}」是平台清单包的编号，请另取一个"), {"field": ours.pack_id}
                    ),
                )
            ]
        )
    faults = [fault for other in others if (fault := _contradicts(pack, other))]
    if faults:
        raise PackRefused(faults)


def _contradicts(pack: Pack, other: Pack) -> Fault | None:
    params = {"field": other.version}
    if pack.order == other.order:
        same = pack.hash() == other.hash()
        text = (
            N_("版本 {field} 已经导入过，内容相同，无须再导入")
            if same
            else N_("版本 {field} 已有，内容却不同，请换一个版本号")
        )
        return Fault("", "version", Message(text, params))
    older, newer = sorted((pack, other), key=lambda p: p.order)
    if newer.effective_from <= older.effective_from:
        return Fault(
            "",
            "effective_from",
            Message(N_("生效日期与版本 {field} 前后颠倒，较新的版本须较晚生效"), params),
        )
    if older.effective_to is not None and older.effective_to >= newer.effective_from:
        return Fault(
            "",
            "effective_from",
            Message(N_("有效期与版本 {field} 重叠，请把生效日期改到其失效之后"), params),
        )
    return None


# -- taking into use ---------------------------------------------------------------------------


def adopt(ctx: TenantContext, pack_id: str, version: str) -> PackVersion:
    """New runs take this version from now on; runs under way keep theirs.

    Raises ``NotFound``, ``Conflict`` for a version that is not newer, ``SecondPerson`` for
    whoever brought it in.
    """
    pack = known_version(ctx, pack_id, version)
    rows = versions(ctx, pack_id)
    row = next((r for r in rows if r.version == version), None)
    used = [packfile.order_of(r.version) for r in rows if r.adopted_at]
    if used and pack.order <= max(used):
        raise Conflict(N_("这个版本不比现用的新，无须启用"))
    if row is None:
        row = _row(ctx, pack, imported=False)
        ctx.session.add(row)
    elif row.imported and row.added_by == ctx.actor.id:
        raise SecondPerson(N_("导入清单包的人不能自己启用，请另一位同事核对后启用"))
    row.adopted_by, row.adopted_name, row.adopted_at = ctx.actor.id, ctx.actor.name, ctx.now()
    facts = {"pack": pack_id, "version": version, "hash": row.content_hash}
    ctx.record("pack_adopted", row.id, facts)
    return row


@dataclass(frozen=True, slots=True)
class Change:
    """One item of two versions: ``old`` or ``new`` is missing when it came or went."""

    item_id: str
    old: Item | None
    new: Item | None
    fields: tuple[str, ...] = ()


def difference(old: Pack, new: Pack) -> list[Change]:
    """Item by item what an upgrade changes; unchanged items are left out."""
    before, after = ({i.item_id: i for i in p.items} for p in (old, new))
    changes: list[Change] = []
    for item_id in dict.fromkeys((*before, *after)):
        was, now_ = before.get(item_id), after.get(item_id)
        if was is None or now_ is None:
            changes.append(Change(item_id, was, now_))
        elif packfile.item_hash(old, was) != packfile.item_hash(new, now_):
            changes.append(Change(item_id, was, now_, _changed(was, now_)))
    return changes


def _changed(old: Item, new: Item) -> tuple[str, ...]:
    names = [f.name for f in msgspec.structs.fields(Item)]
    return tuple(n for n in names if getattr(old, n) != getattr(new, n)) or ("sources",)


# -- facts of the firm -------------------------------------------------------------------------


def answers(ctx: TenantContext) -> dict[str, bool]:
    rows = ctx.session.execute(select(FactAnswer.key, FactAnswer.value))
    return {row.key: row.value for row in rows}


def fact_rows(ctx: TenantContext) -> Mapping[str, FactAnswer]:
    return {row.key: row for row in ctx.session.scalars(select(FactAnswer))}


def answer_facts(
    ctx: TenantContext, given: Mapping[str, str], *, seen: datetime | None = None
) -> int:
    """Keep the answers that changed; the number of them.

    ``seen`` is when the newest answer was given that the person saw (UTC).  Raises ``Invalid`` at
    a fact, also where somebody else has given another answer since.
    """
    wrong = {k: N_("请选择「是」或「否」") for k, v in given.items() if v not in {"yes", "no", ""}}
    wrong |= {k: N_("没有这项事实，请刷新页面") for k in given if k not in library.facts()}
    if wrong:
        raise Invalid(wrong)
    rows = {row.key: row for row in ctx.session.scalars(select(FactAnswer).with_for_update())}
    changed = {
        key: text == "yes"
        for key, text in given.items()
        if text and (key not in rows or rows[key].value != (text == "yes"))
    }
    newer = [key for key in changed if key in rows and (seen is None or rows[key].at > seen)]
    if newer:
        raise Invalid({key: _ANSWERED[rows[key].value] for key in newer})
    for key, value in changed.items():
        row = rows.get(key)
        if row is None:
            row = FactAnswer(key=key)
            ctx.session.add(row)
        row.value, row.by_id, row.by_name, row.at = value, ctx.actor.id, ctx.actor.name, ctx.now()
    if changed:
        ctx.record("facts_answered", ctx.tenant.id, changed)
    return len(changed)


_ANSWERED: Final[Mapping[bool, str]] = {
    True: N_("其他人刚刚回答「是」，如需修改请再次保存"),
    False: N_("其他人刚刚回答「否」，如需修改请再次保存"),
}


# -- vouching ----------------------------------------------------------------------------------


def vouches(ctx: TenantContext, pack_id: str) -> dict[str, list[Vouch]]:
    """What is vouched for, by the hash of the item; one query."""
    rows = ctx.session.scalars(
        select(Vouch).where(Vouch.pack_id == pack_id, Vouch.revoked_at.is_(None)).order_by(Vouch.at)
    )
    found: dict[str, list[Vouch]] = defaultdict(list)
    for row in rows:
        found[row.item_hash].append(row)
    return found


def vouch(ctx: TenantContext, pack_id: str, item_id: str, form: VouchForm) -> Vouch:
    """Enter that an item's sources were read, or that counsel has ticked it.

    Raises ``NotFound``, ``Invalid`` for a date to come, ``SecondPerson`` for counsel's tick from
    the one who entered the reading or brought the item in, ``Conflict`` when it is there already.
    """
    pack = shelf(ctx, pack_id).shown
    item = next((i for i in pack.items if i.item_id == item_id), None)
    if item is None:
        raise NotFound
    if form.on > today():
        raise Invalid({"on": N_("日期不能晚于今天")})
    if form.kind is Voucher.COUNSEL and not ctx.actor.can(TICK):
        raise NotFound
    key = packfile.item_hash(pack, item)
    there = vouches(ctx, pack_id).get(key, ())
    if any(row.kind == form.kind for row in there):
        raise Conflict(N_("这一项已有登记，先撤销再重新登记"))
    if any(row.by_id == ctx.actor.id for row in there):
        raise SecondPerson(N_("原文核对与律师确认须由两位同事分别登记"))
    if form.kind is Voucher.COUNSEL and _brought_in(ctx, pack_id, key):
        raise SecondPerson(N_("导入这一项的人不能登记律师确认，请另一位审批人登记"))
    row = Vouch(
        id=uuid7(), pack_id=pack_id, item_id=item_id, item_hash=key, kind=form.kind.value,
        person=form.person, on=form.on, source=form.source, by_id=ctx.actor.id,
        by_name=ctx.actor.name, at=ctx.now(),
    )  # fmt: skip
    ctx.session.add(row)
    facts = {"pack": pack_id, "item": item_id, "hash": key, "kind": form.kind, "on": form.on}
    ctx.record("vouched", row.id, facts, {"person": form.person, "source": form.source})
    return row


def _brought_in(ctx: TenantContext, pack_id: str, key: str) -> bool:
    """Whether this person imported a version that holds the very item."""
    mine = (row for row in versions(ctx, pack_id) if row.imported and row.added_by == ctx.actor.id)
    return any(
        packfile.item_hash(pack, item) == key for pack in map(pack_of, mine) for item in pack.items
    )


def revoke(ctx: TenantContext, vouch_id: uuid.UUID) -> Vouch:
    """Take a vouch back; it stays in the book.  Raises ``NotFound``."""
    row = ctx.session.scalar(select(Vouch).where(Vouch.id == vouch_id, Vouch.revoked_at.is_(None)))
    if row is None or (row.kind == Voucher.COUNSEL and not ctx.actor.can(TICK)):
        raise NotFound
    row.revoked_by, row.revoked_at = ctx.actor.id, ctx.now()
    ctx.record("vouch_revoked", row.id, {"pack": row.pack_id, "item": row.item_id})
    return row


def imports(ctx: TenantContext, n: int = 20) -> Iterable[PackImport]:
    return ctx.session.scalars(
        select(PackImport).order_by(PackImport.at.desc(), PackImport.id.desc()).limit(n)
    ).all()


def import_of(ctx: TenantContext, import_id: uuid.UUID) -> PackImport:
    row = ctx.session.scalar(select(PackImport).where(PackImport.id == import_id))
    if row is None:
        raise NotFound
    return row
