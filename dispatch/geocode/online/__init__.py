"""Geocoders on the network, by geopy; off unless they are set."""
