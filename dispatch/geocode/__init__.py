"""Places and distances by geopy."""
