"""The only wiring place: settings in, a Flask application out."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import shapely
import structlog
from apiflask import APIFlask
from flask_compress import Compress
from sqlalchemy import make_url
from werkzeug.middleware.proxy_fix import ProxyFix

from dispatch.domain.contact import Way
from dispatch.domain.settings import Settings
from dispatch.geocode.guarded import Guarded
from dispatch.geocode.online.amap import AMapOnline
from dispatch.geocode.online.baidu import BaiduOnline
from dispatch.geocode.online.nominatim import NominatimOnline
from dispatch.geocode.online.tianditu import TiandituOnline
from dispatch.geocode.port import Geocoder
from dispatch.geocode.routers import router_of
from dispatch.notify import sms_aliyun, sms_tencent
from dispatch.notify.console import Console
from dispatch.notify.email import Email, Server
from dispatch.notify.port import Channel
from dispatch.notify.sms import Gateway, Sms, Wording
from dispatch.notify.sms_aliyun import Aliyun
from dispatch.notify.sms_tencent import Tencent
from dispatch.notify.webhook import Webhook
from dispatch.notify.webpush import WebPush
from dispatch.notify.wecom import Application, Robot
from dispatch.realtime.hub import Hub
from dispatch.realtime.pg import Listener, Notifier
from dispatch.realtime.sqlite import DataVersion
from dispatch.scheduler.jobs import Jobs
from dispatch.services.desk import Desk
from dispatch.services.live import Feed, Viewer
from dispatch.services.lookup import Lookup
from dispatch.services.push import Browsers
from dispatch.services.recipients import Mentions
from dispatch.storage.columns import db
from dispatch.storage.db import Store, engine_options
from dispatch.storage.keyfile import key_beside
from dispatch.web import auth, body, errors, headers, health, openapi
from dispatch.web.api import (
    articles,
    asking,
    board,
    callbacks,
    cases,
    circle,
    console,
    crew,
    cti,
    customers,
    drill,
    figures,
    incidents,
    messages,
    online,
    outages,
    photos,
    places,
    policies,
    public,
    push,
    rosters,
    session,
    similar,
    stream,
    surge,
    v1,
    zones,
)
from dispatch.web.now import utc_now
from dispatch.web.pages import account, agent, factor, shell, signin, welcome
from dispatch.web.pages import articles as articles_page
from dispatch.web.pages import board as board_page
from dispatch.web.pages import callbacks as callbacks_page
from dispatch.web.pages import cases as cases_page
from dispatch.web.pages import circle as circle_page
from dispatch.web.pages import crew as crew_page
from dispatch.web.pages import incidents as incidents_page
from dispatch.web.pages import messages as messages_page
from dispatch.web.pages import outages as outages_page
from dispatch.web.pages import places as places_page
from dispatch.web.pages import policies as policies_page
from dispatch.web.pages import public as public_page
from dispatch.web.pages import rosters as roster_page
from dispatch.web.pages import zones as zones_page

_DATA = Path(__file__).parents[1] / "data"
# What never holds a secret: a page holds its CSRF token, and what is compressed can be guessed at by its length.
_COMPRESSED = ["text/css", "text/javascript", "application/geo+json", "image/svg+xml"]


def create_app(settings: Settings) -> APIFlask:
    """Return the application; its desk is in `app.extensions["desk"]`, its scheduler, not started, in `["jobs"]`."""
    _configure_logging(settings.log_level)
    app = APIFlask(
        "dispatch",
        title="96533 Dispatch",
        version="1",
        docs_path=None,
        spec_path="/openapi.json",
        template_folder="web/templates",
        static_folder="web/static",
    )
    desk = _open_desk(app, settings)
    app.extensions["desk"] = desk
    lookup = Lookup([Guarded(one, utc_now) for one in geocoders(settings)], _districts())
    app.extensions["jobs"] = Jobs(desk, channels(desk), lookup)
    _face_the_web(app, settings)
    auth.install(app, desk, _secret_key(settings))
    _add_api(app, desk, lookup)
    _add_screens(app, desk)
    return app


def _open_desk(app: APIFlask, settings: Settings) -> Desk:
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings.database_url, settings.threads)
    _make_folder(settings)
    db.init_app(app)
    with app.app_context():
        desk = Desk(Store(db.engine), settings)
    if settings.router_url:
        desk.roads.router = router_of(settings.router_url, desk.roads.travel.roads, utc_now)
    return desk


def _face_the_web(app: APIFlask, settings: Settings) -> None:
    """Bound what comes in, harden and shrink what goes out, and turn every error into an answer."""
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["COMPRESS_MIMETYPES"] = _COMPRESSED
    app.config["COMPRESS_ALGORITHM"] = "gzip"
    Compress(app)
    if settings.proxies:
        behind = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=behind, x_proto=behind, x_host=behind)  # type: ignore[method-assign]
    body.install(app)
    headers.install(app, settings)
    errors.register(app, shell.fault)
    openapi.configure(app)


def _add_api(app: APIFlask, desk: Desk, lookup: Lookup) -> None:
    feed = Feed(desk, utc_now)
    for face in (
        v1, cti, console, crew, photos, session, board, outages, push, asking, figures, drill, circle, health,
        places, similar, incidents, cases, customers, surge, articles, callbacks, rosters, policies, messages,
    ):  # fmt: skip
        app.register_blueprint(face.blueprint(desk))
    app.register_blueprint(online.blueprint(desk, lookup))
    app.register_blueprint(public.blueprint(desk, app.config["SECRET_KEY"]))
    app.register_blueprint(zones.blueprint(desk, _DATA / "districts.geojson"))
    app.register_blueprint(stream.blueprint(feed, _hub(app, desk, feed)))


def _add_screens(app: APIFlask, desk: Desk) -> None:
    app.register_blueprint(shell.blueprint(desk, _DATA))
    for screen in (signin, factor, welcome, account, agent):
        app.register_blueprint(screen.blueprint(desk))
    app.register_blueprint(articles_page.blueprint(desk))
    app.register_blueprint(board_page.blueprint(desk))
    app.register_blueprint(public_page.blueprint(desk, app.config["SECRET_KEY"]))
    for frame in (
        callbacks_page, cases_page, circle_page, crew_page, incidents_page, messages_page, outages_page, places_page,
        policies_page, roster_page, zones_page,
    ):  # fmt: skip
        app.register_blueprint(frame.blueprint())


def _hub(app: APIFlask, desk: Desk, feed: Feed) -> Hub[Viewer]:
    """Return the hub of this process; what ends it is in `app.extensions["stop_live"]`."""
    store = desk.store
    watch = DataVersion if store.is_sqlite else Listener
    most = desk.settings.threads * 6 // 10  # each holds a thread; the others are for requests
    hub = Hub(feed, lambda: watch(store.connect_apart), most)
    stopping = [hub.stop]
    if not store.is_sqlite:
        notifier = Notifier(store.connect_apart)
        store.on_news = notifier.tell
        stopping.append(notifier.stop)
    app.extensions["stop_live"] = lambda: [stop() for stop in stopping]
    return hub


def _secret_key(settings: Settings) -> str:
    """Return the key that is set, or the one beside the embedded database."""
    path = make_url(settings.database_url).database
    if settings.secret_key or not settings.is_sqlite or not path:
        # config.py insists on a key where no file can keep one; without config.py this one is of the process.
        return settings.secret_key or secrets.token_urlsafe(32)
    return key_beside(Path(path))


def channels(desk: Desk) -> Mapping[str, Channel]:
    """Return the channels that the settings switch on."""
    settings = desk.settings
    made: dict[str, Channel] = {"console": Console()}
    if settings.webhook_url and settings.webhook_secret:
        made["webhook"] = Webhook(settings.webhook_url, settings.webhook_secret)
    if settings.push_key:
        made["webpush"] = WebPush(settings.push_key, settings.push_contact or settings.address, Browsers(desk))
    if settings.wecom_robot:
        made["wecom_robot"] = Robot(settings.wecom_robot, Mentions(desk))
    return {**made, **personal_channels(settings)}


def personal_channels(settings: Settings) -> Mapping[str, Channel]:
    """Return the channels to single people that the settings switch on: those of `Settings.ways`."""
    made: dict[str, Callable[[], Channel]] = {
        Way.SMS: lambda: Sms(sms_gateway(settings), sms_wording(settings)),
        Way.WECOM: lambda: Application(
            settings.wecom_corp or "", settings.wecom_agent or "0", settings.wecom_secret or "", settings.wecom_url
        ),
        Way.EMAIL: lambda: Email(mail_server(settings), settings.mail_from or "", settings.address),
    }
    return {way: made[way]() for way in settings.ways}


def sms_gateway(settings: Settings) -> Gateway:
    """Return the gateway of short messages that the settings name."""
    key_id, secret = settings.sms_key_id or "", settings.sms_key_secret or ""
    if settings.sms_gateway == "tencent":
        app = settings.sms_app or ""
        return Tencent(key_id, secret, app, settings.sms_sign, settings.sms_url or sms_tencent.URL)
    return Aliyun(key_id, secret, settings.sms_sign, settings.sms_url or sms_aliyun.URL)


def sms_wording(settings: Settings) -> Wording:
    """Return what short messages are made of."""
    staff, callers = settings.sms_template or "", settings.sms_caller_template
    return Wording(settings.sms_sign, staff, callers, settings.sms_text_max, settings.sms_alert_template)


def mail_server(settings: Settings) -> Server:
    """Return the mail server that the settings name."""
    return Server(
        settings.smtp_host or "", settings.smtp_port, settings.smtp_tls, settings.smtp_login, settings.smtp_password
    )


def geocoders(settings: Settings) -> list[Geocoder]:
    """Return the online geocoders that the settings switch on, in their order."""
    common: dict[str, Any] = {"city": settings.geocoder_city, "timeout_s": settings.geocoder_timeout_s}
    made: dict[str, Callable[[], Geocoder]] = {
        "amap": lambda: AMapOnline(settings.amap_key or "", secret=settings.amap_secret, **common),
        "baidu": lambda: BaiduOnline(settings.baidu_key or "", secret=settings.baidu_secret, **common),
        "tianditu": lambda: TiandituOnline(settings.tianditu_key or "", **common),
        "nominatim": lambda: NominatimOnline(settings.nominatim_url or "", **common),
    }
    return [made[name]() for name in settings.geocoder_names]


def _districts() -> dict[str, Any]:
    """Return the outlines of the city's districts by name, by which answers from outside are checked."""
    collection = json.loads((_DATA / "districts.geojson").read_bytes())
    return {
        feature["properties"]["name"]: shapely.from_geojson(json.dumps(feature["geometry"]))
        for feature in collection["features"]
    }


def _configure_logging(level: str) -> None:
    """Write the log as plain lines on standard error; a traceback shows no variables, since they hold secrets."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a look passed over in a long catch-up is no news
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level.lower()),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever standard error is by then
    )


_render = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
# Seven digits and more that are no part of a ticket number or a time; what has the length of a token; and the row that
# PostgreSQL quotes where it refuses one.
_SECRETS = re.compile(r"(?<![\w.])\+?\d{7,}(?!\w)|(?<![\w-])[\w-]{43}(?![\w-])|(?m:^DETAIL:.*$)")


def _line(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    """Write a line with telephone numbers and tokens masked."""
    return _SECRETS.sub("***", _render(logger, method, event))


def _make_folder(settings: Settings) -> None:
    path = make_url(settings.database_url).database
    if settings.is_sqlite and path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
