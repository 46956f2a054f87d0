"""One POST of JSON, and what is known of it afterwards: surely not sent, answered, or nobody knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from dispatch.notify.port import DeliveryError, Unanswered

TIMEOUT = urllib3.Timeout(connect=3.0, read=7.0)
# No connection was made: not a byte of the request has left.
_NOT_SENT = (NewConnectionError, ConnectTimeoutError, SSLError)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is a JSON object."""

    status: int
    told: Mapping[str, Any]


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: urllib3.Timeout = TIMEOUT) -> Answer:
    """Post once, follow no redirect, try nothing again.

    Raises:
        DeliveryError: where no connection was made: to be tried again.
        Unanswered: where the request may have arrived, and no JSON object came back.
    """
    try:
        # A connection of its own: one kept open may be closed by the other side just now, and the request be in doubt.
        with urllib3.PoolManager(timeout=timeout, retries=False) as pool:
            got = pool.request("POST", url, body=body, headers={**headers, "Connection": "close"}, redirect=False)
        told = json.loads(got.data)
    except _NOT_SENT as error:
        raise DeliveryError(type(error).__name__, is_permanent=False) from error
    except HTTPError as error:
        raise Unanswered(type(error).__name__) from error
    except (ValueError, RecursionError) as error:
        raise Unanswered(f"HTTP {got.status}, no JSON") from error
    if not isinstance(told, dict):
        raise Unanswered(f"HTTP {got.status}, no JSON object")
    return Answer(got.status, told)
