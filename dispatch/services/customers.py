"""Customers with flags: imported as a table, listed with what is personal masked, shown in full for a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dispatch.domain.address_text import without_room
from dispatch.domain.call import check_phone, check_text, mask_phone
from dispatch.domain.case import spot_of
from dispatch.domain.errors import InvalidCoordinate, InvalidInput, NotFound
from dispatch.domain.flags import GROUP_LABELS
from dispatch.domain.place import Datum, Wgs84Point, point_of, to_wgs84
from dispatch.domain.policy import Policy
from dispatch.domain.progress import Track, untold
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.zones import RouteStatus
from dispatch.services import live, watching
from dispatch.services.desk import Desk, Rules
from dispatch.services.place_file import read_rows
from dispatch.storage import customers, watched

COLUMNS: Mapping[str, Sequence[str]] = {
    "flag": ("flag", "标记", "类型", "客户标记"),
    "name": ("name", "名称", "姓名", "用户"),
    "phone": ("phone", "电话", "手机", "号码"),
    "address": ("address", "地址"),
    "lon": ("lon", "lng", "经度"),
    "lat": ("lat", "纬度"),
    "radius_m": ("radius_m", "半径"),
    "note": ("note", "备注"),
    "contact": ("contact", "联系人"),
    "valid_until": ("valid_until", "有效期", "有效期至"),
}
MAX_BYTES = 5 * 1024 * 1024
MOST_M = 500.0
_LONGEST = {"name": 100, "address": 300, "note": 500, "contact": 100}
_MAX_REPORTED = 1_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a table: rows taken, those of the same file before that went, and (row number, why) refused."""

    count: int
    replaced: int
    refused: Sequence[tuple[int, str]]


def import_customers(
    desk: Desk, actor: Actor, data: bytes, *, source: str, datum: Datum, now: datetime, track: Track = untold
) -> Imported:
    """Take a CSV or Excel table of customers with flags, in the place of what came with a file of this name before.

    Args:
        desk: The process's desk.
        actor: Who brings it.
        data: The file.
        source: Its name.
        datum: What its coordinates are measured against.
        now: The server's time.
        track: Told of each row.

    Raises:
        NotPermitted: if the role may not.
        InvalidInput: if it is no table.
    """
    check_permitted(actor, Permission.CUSTOMER)
    rows = read_rows(data, COLUMNS)
    source = source[:200]
    told = {"source": source, "imported_at": now, "imported_by": actor.user_id}
    good, refused = [], []
    with desk.store.write() as tx:
        rules = desk.rules(tx, now)
        for number, row in track("核对客户", rows):
            try:
                good.append(told | _customer(row, datum, rules))
            except InvalidInput as error:
                refused.append((number, error.detail))
        before = customers.of_source(tx, source)
        customers.remove(tx, before, now)
        watched.forget_customers(tx, before)
        for one in good:
            watched.watch(tx, watching.customer_keys(one), customer_id=customers.add(tx, one))
        tx.audit(now, actor, "import-customers", source, taken=len(good), replaced=len(before), refused=len(refused))
        live.tell(tx, "customers", source, now)
    return Imported(len(good), len(before), refused[:_MAX_REPORTED])


def _customer(row: Mapping[str, str], datum: Datum, rules: Rules) -> dict[str, Any]:
    flags = rules.policy.flags
    by_name = {flag.label: flag.id for flag in flags.values()} | {id_: id_ for id_ in flags}
    flag = by_name.get(row.get("flag", ""))
    if flag is None:
        known = "、".join(flag.label for flag in flags.values()) or "政策中没有客户标记"
        raise InvalidInput(f"标记“{row.get('flag', '')[:20]}”不认识, 可用: {known}")
    values = {name: row.get(name, "") for name in _LONGEST}
    for name, most in _LONGEST.items():
        check_text(values[name], name)
        if len(values[name]) > most:
            raise InvalidInput(f"{name} 超过 {most} 字")
    if not values["name"]:
        raise InvalidInput("请填写名称")
    phone = row.get("phone", "").replace(" ", "").replace("-", "") or None
    check_phone(phone, "phone")
    point = _point(row, datum, rules)
    if phone is None and point is None and spot_of(values["address"], None) is None:
        raise InvalidInput("须有电话、写到门牌或楼栋的地址、或经纬度, 否则来电时无法识别")
    return values | {
        "flag": flag,
        "phone": phone,
        "lon": point.lon if point else None,
        "lat": point.lat if point else None,
        "radius_m": _radius(row.get("radius_m", ""), point),
        "valid_until": _day(row.get("valid_until", "")),
    }


def _point(row: Mapping[str, str], datum: Datum, rules: Rules) -> Wgs84Point | None:
    east, north = row.get("lon", ""), row.get("lat", "")
    if not east and not north:
        return None
    try:
        pair = (float(east.replace("_", "?")), float(north.replace("_", "?")))
    except ValueError as error:
        raise InvalidCoordinate(f"经纬度“{east[:20]}, {north[:20]}”不是数字") from error
    point = to_wgs84(point_of(*pair, datum))
    route = rules.zones.route(point)
    if route.status is RouteStatus.QUARANTINED:
        raise InvalidCoordinate(route.reason)
    return point


def _radius(cell: str, point: Wgs84Point | None) -> float | None:
    if not cell or point is None:
        return None
    try:
        radius = float(cell.replace("_", "?"))
    except ValueError as error:
        raise InvalidInput(f"半径“{cell[:20]}”不是数字") from error
    if not 0 < radius <= MOST_M:
        raise InvalidInput(f"半径应在 0–{MOST_M:.0f} 米之间")
    return radius


def _day(cell: str) -> date | None:
    if not cell:
        return None
    try:
        return date.fromisoformat(cell[:10].replace("/", "-"))
    except ValueError as error:
        raise InvalidInput(f"有效期“{cell[:20]}”应写成 2027-12-31") from error


# ---------------------------------------------------------------- for people


def listed(desk: Desk, actor: Actor, *, flag: str | None, after: int, limit: int, now: datetime) -> dict[str, Any]:
    """Return a page of customers, newest first, with numbers masked and no rooms: `{items, next}`.

    Raises:
        NotPermitted: if the role looks after no customers.
    """
    check_permitted(actor, Permission.CUSTOMER)
    with desk.store.read() as tx:
        policy = desk.rules(tx, now).policy
        rows = customers.page(tx, flag, after, limit + 1)
    items = [_shown(row, policy) for row in rows[:limit]]
    return {"items": items, "next": items[-1]["id"] if len(rows) > limit else None}


def _shown(row: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    flag = policy.flags.get(row["flag"])
    return {
        **{name: row[name] for name in ("id", "flag", "name", "lon", "lat", "radius_m", "note", "source")},
        "flag_label": flag.label if flag else row["flag"],
        "group_label": GROUP_LABELS[flag.group] if flag else "",
        "phone": mask_phone(row["phone"]),
        "address": without_room(row["address"].strip()),
        "valid_until": row["valid_until"].isoformat() if row["valid_until"] else None,
    }


def reveal(desk: Desk, actor: Actor, customer_id: int, reason: str, now: datetime) -> dict[str, Any]:
    """Return number, address and contact of a customer; who looked and why is audited first.

    Raises:
        NotPermitted: if the role looks after no customers.
        InvalidInput: without a reason.
        NotFound: if there is no such customer.
    """
    check_permitted(actor, Permission.CUSTOMER)
    check_text(reason, "reason")
    if not reason.strip():
        raise InvalidInput("请写明查看原因", field="reason")
    with desk.store.write() as tx:
        row = customers.find(tx, customer_id)
        if row is None:
            raise NotFound(f"没有客户 {customer_id}")
        tx.audit(now, actor, "reveal-customer", f"customer {customer_id}", reason=reason)
    return {name: row[name] for name in ("id", "phone", "address", "contact")}


def remove(desk: Desk, actor: Actor, customer_id: int, now: datetime) -> None:
    """Take a customer out: calls are no longer known by it.

    Raises:
        NotPermitted: if the role looks after no customers.
        NotFound: if there is no such customer.
    """
    check_permitted(actor, Permission.CUSTOMER)
    with desk.store.write() as tx:
        row = customers.find(tx, customer_id)
        if row is None:
            raise NotFound(f"没有客户 {customer_id}")
        customers.remove(tx, [customer_id], now)
        watched.forget_customers(tx, [customer_id])
        tx.audit(now, actor, "remove-customer", f"customer {customer_id}", flag=row["flag"])
        live.tell(tx, "customers", str(customer_id), now)
