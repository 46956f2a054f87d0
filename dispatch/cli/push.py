"""push-key."""

from __future__ import annotations

import click

from dispatch.notify import webpush


@click.command("push-key")
def push_key() -> None:
    """Make the key that switches Web Push on; it is printed this once, and browsers subscribe under it."""
    key = webpush.make_key()
    click.echo(f"DISPATCH_PUSH_KEY={key}")
    click.echo("DISPATCH_PUSH_CONTACT=mailto:it@example.cn")
    click.echo(f"公钥 (浏览器自动获取): {webpush.public_key(key)}", err=True)
