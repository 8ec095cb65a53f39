"""Commands, all under ``flask --app wsgi``."""
