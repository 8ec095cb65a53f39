"""Use cases: what pages, API and commands ask the application to do."""
