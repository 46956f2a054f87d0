"""The screens: frames in which ES modules speak to the API."""
