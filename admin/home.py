"""The first page: what awaits whoever is signed in."""

from __future__ import annotations

from flask_admin import AdminIndexView

from admin.views import View, page
from rules.messages import N_


class Home(View, AdminIndexView):
    label = N_("Home")

    def __init__(self) -> None:
        super().__init__(endpoint="home", url="/")

    @page("/")
    def index(self) -> str:
        return self.render("home.html")
