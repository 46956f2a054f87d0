"""The JSON API, version 1: thin views over the services."""
