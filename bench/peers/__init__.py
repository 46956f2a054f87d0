"""The same work in django-helpdesk and roundup, used as they come; see docs/bench.md."""
