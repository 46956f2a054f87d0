"""Routes of customers with flags: a table that is imported; what is personal is masked until somebody says why."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import request
from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.place import Datum
from dispatch.domain.roles import Permission
from dispatch.services import customers
from dispatch.services.desk import Desk
from dispatch.web.api.fields import Position, Text
from dispatch.web.api.requests import Body, PageIn
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class CustomerFileIn(BaseModel):
    """How to read a table of customers."""

    datum: Datum = Field(Datum.WGS84, description="what its coordinates are measured against")
    source: Text = Field("", max_length=200, description="name of the file; what came with it before is replaced")

    model_config = ConfigDict(extra="forbid")


class CustomersIn(PageIn):
    """Which customers."""

    flag: Text | None = Field(None, max_length=40)


class CustomerIdIn(BaseModel):
    """A customer, by the id in the path."""

    customer_id: Position


class WhyIn(Body):
    """Why somebody looks."""

    reason: Text = Field(min_length=1, max_length=200)


class RefusedRow(BaseModel):
    """A row that was not taken, and why."""

    row: int
    reason: str


class CustomerReport(BaseModel):
    """What became of a table."""

    taken: int
    replaced: int = Field(description="customers of a file of the same name that went")
    refused: list[RefusedRow]


class Customer(BaseModel):
    """A customer with a flag: number masked, no room."""

    id: int
    flag: str
    flag_label: str
    group_label: str
    name: str
    phone: str | None
    address: str
    lon: float | None = Field(description="WGS-84")
    lat: float | None
    radius_m: float | None
    note: str
    source: str
    valid_until: str | None


class Customers(BaseModel):
    """A page of customers."""

    items: list[Customer]
    next: int | None


class Revealed(BaseModel):
    """What is personal of a customer."""

    id: int
    phone: str | None
    address: str
    contact: str


class Gone(BaseModel):
    """A customer that was taken out."""

    id: int


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("customers", __name__, url_prefix="/api/v1", tag="customers")

    @api.post("/customers/import")
    @needs(api, Permission.CUSTOMER)
    @api.input(CustomerFileIn, location="query", arg_name="query")
    @api.output(CustomerReport)
    @api.doc(summary="导入客户标记", description="The body is a CSV (UTF-8 or GBK) or xlsx; wrong rows are told.")
    def import_customers(query: CustomerFileIn) -> dict[str, Any]:
        request.max_content_length = customers.MAX_BYTES
        source, data = query.source or "API", request.get_data()
        done = customers.import_customers(desk, actor(), data, source=source, datum=query.datum, now=utc_now())
        refused = [{"row": row, "reason": reason} for row, reason in done.refused]
        return {"taken": done.count, "replaced": done.replaced, "refused": refused}

    @api.get("/customers")
    @needs(api, Permission.CUSTOMER)
    @api.input(CustomersIn, location="query", arg_name="query")
    @api.output(Customers)
    @api.doc(summary="有标记的客户")
    def list_customers(query: CustomersIn) -> dict[str, Any]:
        return customers.listed(desk, actor(), **query.model_dump(), now=utc_now())

    @api.post("/customers/<customer_id>/reveal")
    @needs(api, Permission.CUSTOMER)
    @api.input(CustomerIdIn, location="path", arg_name="path")
    @api.input(WhyIn, arg_name="body")
    @api.output(Revealed)
    @api.doc(summary="查看客户的号码和地址", description="Who looked and why is in the audit.")
    def reveal_customer(customer_id: str, path: CustomerIdIn, body: WhyIn) -> dict[str, Any]:
        return customers.reveal(desk, actor(), path.customer_id, body.reason, utc_now())

    @api.post("/customers/<customer_id>/remove")
    @needs(api, Permission.CUSTOMER)
    @api.input(CustomerIdIn, location="path", arg_name="path")
    @api.output(Gone)
    @api.doc(summary="去掉客户标记", description="Calls are no longer known by it.")
    def remove_customer(customer_id: str, path: CustomerIdIn) -> dict[str, Any]:
        customers.remove(desk, actor(), path.customer_id, utc_now())
        return {"id": path.customer_id}

    return api
