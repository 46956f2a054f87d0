"""Who asks, and may they: a bearer token or a signed-in browser for each request, a permission for each route."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Generic, TypeVar, cast
from urllib.parse import urlsplit

from apiflask import APIBlueprint, HTTPTokenAuth
from flask import Flask, Response, current_app, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect, validate_csrf
from wtforms import ValidationError

from dispatch.domain import signin
from dispatch.domain.errors import DispatchError, NotAuthenticated, NotPermitted
from dispatch.domain.roles import PERMISSIONS, Actor, Permission, Role, check_permitted
from dispatch.domain.signin import Standing
from dispatch.services import sessions
from dispatch.services.desk import Desk
from dispatch.services.setup import actor_of_token
from dispatch.storage.accounts import Session
from dispatch.web.errors import MACHINES, problem
from dispatch.web.now import utc_now

# What was looked up is trusted so long: a revoked token or an ended session dies within this time, and a burst asks
# the database once.
_TRUSTED_FOR = timedelta(seconds=2)
_MOST_KNOWN = 4096
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# Where a role works; an integration has no screen.
_HOMES = {Role.AGENT: "/agent", Role.CREW: "/crew", Role.LEAD: "/crew"}
F = TypeVar("F", bound=Callable[..., Any])
V = TypeVar("V")
csrf = CSRFProtect()


class CsrfMissing(DispatchError):
    """An unsafe request of a browser without the token that only our own pages know."""

    code = "csrf"
    status = 400


class SignInFirst(NotAuthenticated):
    """A page for which nobody is signed in."""

    code = "sign-in-first"


class PageRefused(NotPermitted):
    """A page that is not for the role of who is signed in."""

    code = "page-refused"


class _Known(Generic[V]):
    """What a secret stands for, asked of the database of one desk and kept for a moment."""

    def __init__(self, desk: Desk, ask: Callable[[Desk, str, datetime], V | None]) -> None:
        self._desk = desk
        self._ask = ask
        self._known: dict[str, tuple[datetime, V]] = {}

    def look(self, secret: str, now: datetime) -> V | None:
        seen = self._known.get(secret)
        if seen is not None and abs(now - seen[0]) < _TRUSTED_FOR:
            return seen[1]
        found = self._ask(self._desk, secret, now) if secret else None
        return None if found is None else self.keep(secret, now, found)

    def keep(self, secret: str, now: datetime, found: V) -> V:
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[secret] = (now, found)
        return found

    def forget(self) -> None:
        self._known.clear()


class _Bearer(HTTPTokenAuth):
    """A bearer token where one is sent; else the browser's session."""

    def authenticate(self, auth: Any, stored_password: Any) -> Actor | None:
        """Return who asks, or None."""
        if not has_token():
            return visitor()
        return cast("Actor | None", super().authenticate(auth, stored_password))


class _Browser(UserMixin):  # type: ignore[misc]
    """A signed-in browser, as Flask-Login carries it: named by the token in its cookie."""

    def __init__(self, token: str, known: Session) -> None:
        self._token = token
        self.known = known

    def get_id(self) -> str:
        """Return what the cookie holds."""
        return self._token


bearer = _Bearer(scheme="Bearer", description="令牌由 create-token 生成")


def install(app: Flask, desk: Desk, secret_key: str) -> None:
    """Let tokens and cookies that `app` is shown be looked up in the database of `desk`."""
    is_https = desk.settings.address.startswith("https:")
    app.config.update(
        SECRET_KEY=secret_key,
        SESSION_COOKIE_NAME="__Host-session" if is_https else "session",
        SESSION_COOKIE_SECURE=is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=signin.LONGEST,
        # It is checked below, where it is known who asks; it lives as long as the session.
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.extensions["tokens"] = _Known(desk, actor_of_token)
    app.extensions["sessions"] = _Known(desk, sessions.look)
    login = LoginManager(app, add_context_processor=False)  # a page of an error asks the database for nothing
    login.session_protection = None  # a phone changes its address; ours is bound to nothing but its token
    login.user_loader(_browser)
    csrf.init_app(app)
    app.before_request(_check_csrf)


def _browser(token: str) -> _Browser | None:
    known: _Known[Session] = current_app.extensions["sessions"]
    now = utc_now()
    found = known.look(token, now)
    if found and not _is_unattended():
        used = sessions.use(current_app.extensions["desk"], found, now)
        found = found if used is found else known.keep(token, now, used)
    return _Browser(token, found) if found else None


def _is_unattended() -> bool:
    """Tell whether a page asks by itself, nobody in front of it: that must not keep a session going."""
    return "X-Unattended" in request.headers or request.path.endswith("/stream")


def _verify(token: str) -> Actor | None:
    tokens: _Known[Actor] = current_app.extensions["tokens"]
    return tokens.look(token, utc_now())


bearer.verify_token(_verify)


@bearer.error_processor
def _refuse(_error: Any) -> Response:
    detail = "请登录, 或在 Authorization 头中给出有效的令牌: Bearer <token>"
    answer = problem(401, NotAuthenticated.code, detail)
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def has_token() -> bool:
    """Tell whether a bearer token is shown; another scheme may be a proxy's and says nothing."""
    return request.headers.get("Authorization", "").lower().startswith("bearer")


def _check_csrf() -> None:
    """Refuse what another site may have made a browser send: it sends our cookie along, and cannot read our token."""
    if request.method in _SAFE or request.url_rule is None:
        return
    if not request.path.startswith(MACHINES):  # a form of a page
        csrf.protect()
    elif not has_token() and signed_in() is not None:
        try:
            validate_csrf(request.headers.get("X-CSRFToken"))
        except ValidationError as error:
            raise CsrfMissing("页面已过期, 请刷新后重试 (请求头 X-CSRFToken 缺失或失效)") from error


# ---------------------------------------------------------------- who


def signed_in() -> Session | None:
    """Return the session of this browser, full or not, or None."""
    return current_user.known if isinstance(current_user._get_current_object(), _Browser) else None


def visitor() -> Actor | None:
    """Return who is signed in here with all that the account needs, or None."""
    known = signed_in()
    return known.actor if known is not None and known.is_full else None


def holder() -> Callable[[], Actor | None]:
    """Return what tells, long after this request has begun, who asks: None once the token or the session has ended."""
    if has_token():
        token, tokens = cast(Any, bearer.get_auth()).token, current_app.extensions["tokens"]
        return lambda: tokens.look(token, utc_now())
    token, sessions_ = current_user.get_id(), current_app.extensions["sessions"]

    def of_session() -> Actor | None:
        known: Session | None = sessions_.look(token, utc_now())
        return known.actor if known is not None and known.is_full else None

    return of_session


def actor() -> Actor:
    """Return who asks; only behind `needs` or `page`."""
    return cast(Actor, bearer.current_user)


def remember(token: str) -> None:
    """Let this browser keep the token of a session; what its cookie held before is dropped."""
    session.clear()
    session.permanent = True
    forget_known()
    browser = _browser(token)
    login_user(browser)


def forget() -> None:
    """Let this browser keep nothing."""
    logout_user()
    session.clear()
    forget_known()


def forget_known() -> None:
    """Look every session up again in this process: one has changed."""
    current_app.extensions["sessions"].forget()


def home_of(role: Role) -> str:
    """Return the path of the screen where a role works."""
    return _HOMES.get(role, "/board")


def safe_path(path: str | None) -> str | None:
    """Return a path of this site, or None for all else that a link may have put in its place."""
    if not path or not path.startswith("/") or path.startswith("//") or "\\" in path or not path.isprintable():
        return None
    parts = urlsplit(path)
    return None if parts.scheme or parts.netloc else path


# ---------------------------------------------------------------- guards


def needs(api: APIBlueprint, permission: Permission) -> Callable[[F], F]:
    """Guard a view of `api`: 401 without token or session, 403 without `permission`; both before anything is read."""

    def guard(view: F) -> F:
        @wraps(view)
        def permitted(*args: Any, **kwargs: Any) -> Any:
            check_permitted(actor(), permission)
            return view(*args, **kwargs)

        guarded = api.auth_required(bearer)(cast(F, permitted))
        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return guard


def page(pages: APIBlueprint, permission: Permission) -> Callable[[F], F]:
    """Guard a page: who is signed out goes to /signin and comes back; who may not is told so, with a way home."""
    pages.enable_openapi = False

    def guard(view: F) -> F:
        @wraps(view)
        def permitted(*args: Any, **kwargs: Any) -> Any:
            who = visitor()
            if who is None:
                raise SignInFirst("请先登录")
            if permission not in PERMISSIONS[who.role]:
                raise PageRefused("您的角色不使用这个页面")
            g.flask_httpauth_user = who
            return view(*args, **kwargs)

        permitted.permission = permission  # type: ignore[attr-defined]
        return cast(F, permitted)

    return guard


def own(pages: APIBlueprint, *, may_lack_factor: bool = False) -> Callable[[F], F]:
    """Guard a page of one's own account, whatever the role; the view takes the session as its first argument.

    Args:
        pages: Where it belongs.
        may_lack_factor: Let in also who must first make a factor, but not who must first give it.
    """
    pages.enable_openapi = False

    def guard(view: F) -> F:
        @wraps(view)
        def permitted(*args: Any, **kwargs: Any) -> Any:
            known, desk = signed_in(), current_app.extensions["desk"]
            standing = sessions.standing_of(desk, known) if known is not None else Standing.VERIFY
            if standing is Standing.VERIFY or (standing is Standing.ENROL and not may_lack_factor):
                raise SignInFirst("请先登录")
            return view(known, *args, **kwargs)

        permitted.is_own = True  # type: ignore[attr-defined]
        return cast(F, permitted)

    return guard
