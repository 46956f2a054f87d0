"""set-contact, test-channel and sms-count as an administrator types them."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from dispatch.cli.main import cli
from dispatch.domain.settings import Settings

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), obj=lambda: Settings(database_url=url, sms_gateway="aliyun"))


def test_a_person_gets_an_address_and_a_test(url: str) -> None:
    told = run(url, "set-contact", "crew.a", "--phone", "+86 130-0000-0002", "--email", "jia@example.cn")
    assert told.output == "crew.a: 短信 13000000002, 邮件 jia@example.cn\n"
    assert run(url, "set-contact", "crew.b", "--phone", "0731-88665533").output == "crew.b: 没有可用的联系方式\n"
    assert "已排队, 发往 13000000002" in run(url, "test-channel", "sms", "crew.a").output
    assert run(url, "sms-count").output == "本月没有发送\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("set-contact", "nobody"), "没有用户“nobody”"),
        (("set-contact", "crew.a", "--phone", "88665533"), "请加区号"),
        (("test-channel", "email", "crew.a"), "邮件没有开启"),
        (("test-channel", "sms", "crew.b"), "没有登记短信可用的联系方式"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(url: str, arguments: tuple[str, ...], told: str) -> None:
    result = run(url, *arguments)
    assert (result.exit_code, told in result.output) == (2, True)
