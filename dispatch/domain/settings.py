"""What an installation can set. config.py reads the environment into this; tests build it by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from dispatch.domain.callback import PAUSE, TRIES
from dispatch.domain.contact import Way

# The channel of notices that are yet to be addressed to single people.
PEOPLE = "people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of one process.

    Attributes:
        database_url: SQLAlchemy address; SQLite file by default, or `postgresql+psycopg://...`.
        host: Address the web server binds to.
        port: TCP port of the web server.
        workers: Web processes; only 1 on SQLite.
        threads: Threads per web process.
        max_body_bytes: Larger request bodies are answered with 413.
        webhook_url: Where notices are posted, or None for the console alone.
        webhook_secret: Key of the HMAC that signs them.
        sweep_cap_s: Longest sleep between two looks at the clocks, in seconds.
        late_after_s: A due step unfired for longer, in seconds, turns the health red.
        log_level: Level of the log on standard error.
        secret_key: Signs cookies and tracking links; the embedded installation makes its own beside its database.
        proxies: So many reverse proxies stand in front; what they say of address, scheme and host is believed.
        session_idle_s: A browser unused for so long, in seconds, must sign in again.
        admin_second_factor: `true`: administrators must use a one-time code or a passkey as well.
        public_url: Address under which people reach the pages, for links and passkeys; by default host and port.
        tiles_url: Template of map tiles under the grids, such as `https://tiles.example/{z}/{x}/{y}.png`.
        tiles_datum: Datum of these tiles: `wgs84`, `gcj02` or `bd09`.
        tiles_credit: Attribution that their owner asks for.
        push_key: Private VAPID key (base64url) that switches Web Push on.
        push_contact: Contact that push services are told, such as `mailto:it@example.cn`.
        travel: TOML file of speeds and detours in place of the shipped `data/travel.toml`.
        barriers: GeoJSON file (WGS-84 polygons) of rivers and the like, which straight lines must go round.
        callback_tries: So many times a caller who does not answer is called back (回访).
        callback_pause_min: Minutes between two such tries.
        frequent_calls: So many calls from one number within 30 days are pointed out to the agent.
        incident_calls: So many similar calls close together are proposed as one incident.
        incident_radius_m: Within so many metres of each other.
        incident_minutes: And within so many minutes.
        outage_alarm_min: So many minutes before the announced end of an outage it is asked whether water will be back.
        router_url: Routing service asked first for travel times: `osrm+http://host:5000`, `valhalla+http://host:8002`.
        positions_keep_h: The last position of a crew is removed after so many hours.
        geocoders: Online geocoders in the order they are asked, such as `amap,baidu`; also `tianditu`, `nominatim`.
        geocoder_timeout_s: Seconds that each of them may take.
        geocoder_city: City that they look in.
        amap_key: Key of AMap (高德), of the kind Web 服务.
        amap_secret: Private key that signs its requests, where the key asks for it.
        baidu_key: AK of Baidu (百度).
        baidu_secret: SK that signs its requests, where the AK asks for it.
        tianditu_key: Key of Tianditu (天地图), of the kind 服务器端.
        nominatim_url: Own host of Nominatim, such as `http://nominatim.example:8080`.
        sms_gateway: Gateway of short messages: `aliyun` or `tencent`; none by default.
        sms_key_id: AccessKeyId (Aliyun) or SecretId (Tencent) of an account that may do nothing but send SMS.
        sms_key_secret: Its secret; signs each request.
        sms_app: SmsSdkAppId (Tencent alone).
        sms_sign: Signature (签名) as the gateway approved it, without brackets.
        sms_template: Template for staff with two variables: `number` and `text` (Tencent: {1} and {2}).
        sms_alert_template: Template for escalations: `number`, `text`, and `code`, the end of the link in its words.
        sms_caller_template: Template for callers with one variable, `text` (Tencent: {1}); without it callers get none.
        sms_text_max: Characters of `text`; more is cut. Gateways bound the length of variables.
        sms_url: Address of the gateway in place of its public one, such as that of a proxy.
        wecom_robot: Webhook address of a group robot (企业微信群机器人) with its key.
        wecom_corp: Id of the company (企业微信 corpid), for messages to single people.
        wecom_agent: AgentId of the application that sends them.
        wecom_secret: Secret of that application.
        wecom_url: Address of the WeCom API.
        smtp_host: Mail server, such as `smtp.example.cn`; switches e-mail on.
        smtp_port: Its port.
        smtp_tls: `starttls`, `tls` (from the first byte) or `none` (only towards this machine).
        smtp_login: Login there, if it asks for one.
        smtp_password: Its password.
        mail_from: Address that e-mails come from.
        report_to: Addresses, by commas, that the daily report (日报) goes to by e-mail; nobody by default.
        report_at: When it goes out each morning, in Shanghai, about the day before.
    """

    database_url: str
    host: str = "127.0.0.1"
    port: int = 8653
    workers: int = 1
    threads: int = 128
    max_body_bytes: int = 1_000_000
    webhook_url: str | None = None
    webhook_secret: str | None = None
    sweep_cap_s: float = 1.0
    late_after_s: float = 5.0
    log_level: str = "INFO"
    secret_key: str | None = None
    proxies: int = 0
    session_idle_s: int = 8 * 3600
    admin_second_factor: bool = False
    public_url: str | None = None
    tiles_url: str | None = None
    tiles_datum: str = "wgs84"
    tiles_credit: str = ""
    push_key: str | None = None
    push_contact: str | None = None
    travel: str | None = None
    barriers: str | None = None
    callback_tries: int = TRIES
    callback_pause_min: int = PAUSE // timedelta(minutes=1)
    frequent_calls: int = 3
    incident_calls: int = 5
    incident_radius_m: int = 300
    incident_minutes: int = 30
    outage_alarm_min: int = 30
    router_url: str | None = None
    positions_keep_h: int = 12
    geocoders: str = ""
    geocoder_timeout_s: float = 3.0
    geocoder_city: str = "长沙市"
    amap_key: str | None = None
    amap_secret: str | None = None
    baidu_key: str | None = None
    baidu_secret: str | None = None
    tianditu_key: str | None = None
    nominatim_url: str | None = None
    sms_gateway: str = ""
    sms_key_id: str | None = None
    sms_key_secret: str | None = None
    sms_app: str | None = None
    sms_sign: str = ""
    sms_template: str | None = None
    sms_alert_template: str | None = None
    sms_caller_template: str | None = None
    sms_text_max: int = 35
    sms_url: str | None = None
    wecom_robot: str | None = None
    wecom_corp: str | None = None
    wecom_agent: str | None = None
    wecom_secret: str | None = None
    wecom_url: str = "https://qyapi.weixin.qq.com"
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_tls: str = "starttls"
    smtp_login: str | None = None
    smtp_password: str | None = None
    mail_from: str | None = None
    report_to: str = ""
    report_at: str = "07:30"

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is used."""
        return self.database_url.startswith("sqlite")

    @property
    def address(self) -> str:
        """Where people reach the pages, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def geocoder_names(self) -> tuple[str, ...]:
        """Online geocoders that are on, in the order they are asked."""
        return tuple(name for name in (part.strip() for part in self.geocoders.split(",")) if name)

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels that every notice goes to; from `people` on to each person by the ways to him."""
        switched_on = {
            "console": True,
            "webhook": self.webhook_url,
            "webpush": self.push_key,
            "wecom_robot": self.wecom_robot,
            PEOPLE: self.ways,
        }
        return tuple(name for name, is_on in switched_on.items() if is_on)

    @property
    def report_readers(self) -> tuple[str, ...]:
        """The addresses that the daily report goes to, each once."""
        return tuple(dict.fromkeys(one.strip() for one in self.report_to.split(",") if one.strip()))

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways to single people that are switched on."""
        switched_on = {Way.SMS: self.sms_gateway, Way.WECOM: self.wecom_secret, Way.EMAIL: self.smtp_host}
        return tuple(way for way, is_on in switched_on.items() if is_on)
