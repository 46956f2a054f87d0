"""Where pushes may go, and what may lie on a locked screen."""

import pytest

from dispatch.domain.errors import InvalidInput
from dispatch.domain.push import check_endpoint, hide_phones


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://updates.push.services.mozilla.com:443/wpush/v2/gAAA",
        "https://web.push.apple.com/QGuQyavXutnMH",
    ],
)
def test_a_push_service_is_reached(endpoint: str) -> None:
    check_endpoint(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com:99999/x",
        "https://user@fcm.googleapis.com/x",
        "https://127.0.0.1/x",
        "https://127.1/x",
        "https://10.0.0.5/x",
        "https://[::1]/x",
        "https://[::1/x",
        "https://localhost/x",
        "https://db.internal/x",
        "https://router.lan./x",
        "https:///x",
        "https://例子.中国/x",
        "ftp://fcm.googleapis.com/x",
        "https://fcm.googleapis.com/" + "x" * 1000,
    ],
)
def test_nothing_inside_is(endpoint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_endpoint(endpoint)
    assert caught.value.field == "endpoint"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("新工单 GD20261124-000123: 天心-03", "新工单 GD20261124-000123: 天心-03"),
        ("GD1 又有来电: 回电13000000001, 急", "GD1 又有来电: 回电***, 急"),
        ("回电 130 0000 0001", "回电 ***"),
        ("回电 0731-84960000", "回电 ***"),
        ("回电 +8613000000001。", "回电 ***。"),
        ("2026-11-24 14:05 前到场, DN300, 501 室", "2026-11-24 14:05 前到场, DN300, 501 室"),
    ],
)
def test_no_number_lies_on_the_screen(text: str, shown: str) -> None:
    assert hide_phones(text) == shown
