"""Settings: every wrong one is told with its variable and the fix."""

from dataclasses import replace
from typing import get_type_hints

import pytest

import config
from config import DEFAULT_DATABASE, ConfigError, from_env
from dispatch.app import geocoders, personal_channels, sms_gateway
from dispatch.domain.settings import Settings
from dispatch.notify.sms_aliyun import Aliyun
from dispatch.notify.sms_tencent import Tencent


def test_every_number_has_bounds() -> None:
    hints = get_type_hints(Settings)
    assert set(config._BOUNDS) == {name for name, kind in hints.items() if kind in (int, float)}
    for name, (least, most) in config._BOUNDS.items():
        assert least <= getattr(Settings(database_url="sqlite://"), name) <= most


def test_nothing_set_is_the_embedded_installation() -> None:
    settings = from_env({})
    assert settings.database_url == DEFAULT_DATABASE
    assert settings.is_sqlite
    assert (settings.workers, settings.port, settings.channels) == (1, 8653, ("console",))


def test_each_kind_is_read() -> None:
    environ = {
        "DISPATCH_DATABASE_URL": "postgresql+psycopg://db/dispatch",
        "DISPATCH_SECRET_KEY": "k" * 32,
        "DISPATCH_ADMIN_SECOND_FACTOR": "TRUE",
        "DISPATCH_WORKERS": "4",
        "DISPATCH_SWEEP_CAP_S": "0.5",
        "DISPATCH_WEBHOOK_URL": "http://127.0.0.1/hook",
        "DISPATCH_WEBHOOK_SECRET": "s",
    }
    settings = from_env(environ)
    assert (settings.workers, settings.sweep_cap_s, settings.is_sqlite) == (4, 0.5, False)
    assert settings.channels == ("console", "webhook")
    assert settings.admin_second_factor is True


def test_geocoders_are_asked_in_the_order_they_are_set() -> None:
    keys = {"DISPATCH_AMAP_KEY": "k", "DISPATCH_BAIDU_KEY": "k", "DISPATCH_TIANDITU_KEY": "k"}
    own = {"DISPATCH_NOMINATIM_URL": "https://maps.example/nominatim"}
    settings = from_env({"DISPATCH_GEOCODERS": "nominatim, baidu ,amap,tianditu", **keys, **own})
    assert settings.geocoder_names == ("nominatim", "baidu", "amap", "tianditu")
    assert [one.name for one in geocoders(settings)] == list(settings.geocoder_names)
    assert from_env({}).geocoder_names == ()


_SMS = {
    "DISPATCH_SMS_GATEWAY": "aliyun",
    "DISPATCH_SMS_KEY_ID": "k",
    "DISPATCH_SMS_KEY_SECRET": "s",
    "DISPATCH_SMS_SIGN": "示例水务",
    "DISPATCH_SMS_TEMPLATE": "SMS_1",
}
_WECOM = {"DISPATCH_WECOM_CORP": "ww1", "DISPATCH_WECOM_AGENT": "1000002", "DISPATCH_WECOM_SECRET": "s"}
_MAIL = {"DISPATCH_SMTP_HOST": "smtp.example.cn", "DISPATCH_MAIL_FROM": "96533@example.cn"}
_ROBOT = {"DISPATCH_WECOM_ROBOT": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k"}


def test_ways_to_people_are_switched_on_by_what_they_need() -> None:
    settings = from_env({**_SMS, **_WECOM, **_MAIL, **_ROBOT})
    assert settings.ways == ("sms", "wecom", "email")
    assert settings.channels == ("console", "wecom_robot", "people")
    tencent = from_env({**_SMS, "DISPATCH_SMS_GATEWAY": "tencent", "DISPATCH_SMS_APP": "1400006666"})
    assert (tencent.ways, from_env(_MAIL).ways, from_env({}).ways) == (("sms",), ("email",), ())


@pytest.mark.parametrize("environ", [_SMS, {**_SMS, **_WECOM, **_MAIL, **_ROBOT}, {}], ids=["sms", "all", "none"])
def test_every_way_and_channel_has_its_sender(environ: dict[str, str]) -> None:
    settings = from_env(environ)
    made = personal_channels(settings)
    assert tuple(made) == settings.ways
    for gateway, kind in (("aliyun", Aliyun), ("tencent", Tencent)):
        assert isinstance(sms_gateway(replace(settings, sms_gateway=gateway)), kind)


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({**_SMS, "DISPATCH_SMS_GATEWAY": "pigeon"}, "DISPATCH_SMS_GATEWAY 应为 aliyun 或 tencent"),
        ({**_SMS, "DISPATCH_SMS_SIGN": ""}, "DISPATCH_SMS_GATEWAY=aliyun 需要同时设置 .*DISPATCH_SMS_SIGN"),
        ({**_SMS, "DISPATCH_SMS_GATEWAY": "tencent"}, "需要同时设置 .*DISPATCH_SMS_APP"),
        ({**_SMS, "DISPATCH_SMS_URL": "http://sms.example"}, "DISPATCH_SMS_URL 应为 https://"),
        ({**_SMS, "DISPATCH_SMS_TEXT_MAX": "5"}, "DISPATCH_SMS_TEXT_MAX 应在 10 到 500 之间"),
        ({"DISPATCH_WECOM_ROBOT": "ftp://x"}, "DISPATCH_WECOM_ROBOT 应为"),
        ({"DISPATCH_WECOM_URL": "http://x"}, "DISPATCH_WECOM_URL 应为 https://"),
        ({**_WECOM, "DISPATCH_WECOM_AGENT": "app"}, "DISPATCH_WECOM_AGENT"),
        ({"DISPATCH_SMTP_HOST": "smtp.example.cn"}, "DISPATCH_MAIL_FROM"),
        ({**_MAIL, "DISPATCH_SMTP_TLS": "ssl"}, "DISPATCH_SMTP_TLS 应为"),
        (
            {**_MAIL, "DISPATCH_SMTP_TLS": "none", "DISPATCH_SMTP_LOGIN": "a", "DISPATCH_SMTP_PASSWORD": "b"},
            "DISPATCH_SMTP_LOGIN 需要加密",
        ),
        ({**_MAIL, "DISPATCH_SMTP_LOGIN": "a"}, "须同时设置"),
        ({"DISPATCH_REPORT_TO": "a@example.cn"}, "DISPATCH_REPORT_TO 需要同时设置 DISPATCH_SMTP_HOST"),
        ({**_MAIL, "DISPATCH_REPORT_TO": "a@example.cn; b@example.cn"}, "DISPATCH_REPORT_TO 应为电子邮箱地址"),
        ({**_MAIL, "DISPATCH_REPORT_AT": "7:30"}, "DISPATCH_REPORT_AT 应为时刻"),
        ({"DISPATCH_PORT": "abc"}, "DISPATCH_PORT 应为数字"),
        ({"DISPATCH_SWEEP_CAP_S": "soon"}, "DISPATCH_SWEEP_CAP_S 应为数字"),
        ({"DISPATCH_SWEEP_CAP_S": "-5"}, "DISPATCH_SWEEP_CAP_S 应在 0.01 到 60 之间"),
        ({"DISPATCH_SWEEP_CAP_S": "nan"}, "应在 0.01 到 60 之间"),
        ({"DISPATCH_THREADS": "0"}, "DISPATCH_THREADS 应在 1 到 4096 之间"),
        ({"DISPATCH_PORT": "65536"}, "DISPATCH_PORT 应在 1 到 65535 之间"),
        ({"DISPATCH_WORKERS": "2"}, "需要 PostgreSQL"),
        ({"DISPATCH_DATABASE_URL": "mysql://x"}, "postgresql\\+psycopg://"),
        ({"DISPATCH_DATABASE_URL": "postgresql+psycopg://db/x"}, "DISPATCH_SECRET_KEY, 例如"),
        ({"DISPATCH_SECRET_KEY": "short"}, "至少 32 个字符"),
        ({"DISPATCH_ADMIN_SECOND_FACTOR": "yes"}, "应为 true 或 false"),
        ({"DISPATCH_TILES_DATUM": "cgcs"}, "wgs84, gcj02 或 bd09"),
        ({"DISPATCH_PUSH_KEY": "k"}, "push-key"),
        ({"DISPATCH_PUSH_KEY": "k" * 43}, "DISPATCH_PUSH_CONTACT"),
        ({"DISPATCH_ROUTER_URL": "http://osrm"}, "osrm\\+http"),
        ({"DISPATCH_GEOCODERS": "google"}, "amap, baidu, tianditu, nominatim"),
        ({"DISPATCH_GEOCODERS": "amap"}, "含 amap, 需要同时设置 DISPATCH_AMAP_KEY"),
        ({"DISPATCH_GEOCODERS": "nominatim"}, "DISPATCH_NOMINATIM_URL"),
        ({"DISPATCH_GEOCODERS": "amap,amap", "DISPATCH_AMAP_KEY": "k"}, "有重复"),
        ({"DISPATCH_NOMINATIM_URL": "maps.example"}, "http:// 或 https://"),
        ({"DISPATCH_GEOCODER_TIMEOUT_S": "60"}, "应在 0.2 到 10 之间"),
        ({"DISPATCH_WEBHOOK_URL": "http://x"}, "DISPATCH_WEBHOOK_SECRET"),
    ],
)
def test_a_wrong_setting_is_told(environ: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        from_env(environ)
