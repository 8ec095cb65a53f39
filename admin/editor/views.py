"""Drafts being written: each page is one form, saved as it is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel import Locale
from flask import Response, make_response, redirect, request, url_for
from flask_login import current_user

from admin.editor import pages
from admin.editor.changes import Posted
from admin.editor.clashes import Shown, shown
from admin.editor.desk import Desk, plainly
from admin.editor.values import Manner
from admin.language import words
from admin.problems import by_field
from admin.shell import field_id
from admin.views import View, acting, is_part, page, reading, today, told
from app.merit import merit
from app.models import PolicyVersion
from app.services import drafting, governance
from app.services.authority import Permission
from app.services.drafting import Clash
from app.services.errors import Invalid, NotActionable, NotThere
from app.services.policies import LARGEST_DOCUMENT
from app.services.starts import READY_IN, STARTS, starting_document
from rules.document import Problem
from rules.document.strict_json import JsonRefused, loads
from rules.messages import N_, Message

_DRAFT = Permission.DRAFT_POLICY


class Editor(View):
    """The drafts, and all that can be said in one."""

    label = N_("Drafts")

    def __init__(self) -> None:
        super().__init__(endpoint="editor", url="/drafts")

    # -- which draft -----------------------------------------------------------------------------

    @page("/", _DRAFT)
    def index(self, problems: Mapping[str, list[str]] | None = None) -> Any:
        with reading() as session:
            found = governance.versions(session)
            answer = self.render(
                "editor/drafts.html",
                drafts=[each for each in found if each.state == "draft"],
                versions=found,
                starts=STARTS,
                language_options=[
                    (each, Locale.parse(each).get_display_name()) for each in _ready()
                ],
                main_language=merit().fixed.language,
                states=governance.STATES,
                given=request.form,
                problems=problems,
            )
        return answer if problems is None else (answer, 422)

    @page("/new", _DRAFT, methods=("POST",))
    def new(self) -> Any:
        start = request.form.get("start", "")
        try:
            document, based_on = _begun(start)
            with acting() as act:
                number = governance.draft(act, document, based_on)
        except Invalid as error:
            return Editor.index(self, by_field(error.problems))
        told(
            Message(
                "Version %(number)d is a draft. All you change is saved at once.", number=number
            )
        )
        return redirect(url_for("editor.overview", number=number))

    # -- one draft -------------------------------------------------------------------------------

    @page("/<int:number>/", _DRAFT)
    def overview(self, number: int) -> Any:
        desk = _desk(number)
        counts = [pages.page_of(each.path)[0] for each in desk.problems]
        return self.render(
            "editor/overview.html",
            desk=desk,
            pages=[(each, counts.count(each.part)) for each in pages.PAGES.values()],
            problems=[_told_on(desk, each) for each in desk.problems],
            undoable=_undoable(number),
        )

    @page("/<int:number>/undo", _DRAFT, methods=("POST",))
    def undo(self, number: int) -> Any:
        back = request.form.get("back", "")
        try:
            with acting() as act:
                drafting.undo(act, number, _choices())
        except Clash as clash:
            return self._clash(number, shown(clash), back)
        told(Message("Your last change is taken back."))
        return redirect(_back(number, back))

    @page("/<int:number>/<part>/", _DRAFT, methods=("GET", "POST"))
    def part(self, number: int, part: str) -> Any:
        return self._page(number, part, None)

    @page("/<int:number>/<part>/<ref>", _DRAFT, methods=("GET", "POST"))
    def entry(self, number: int, part: str, ref: str) -> Any:
        return self._page(number, part, ref)

    def _page(self, number: int, part: str, ref: str | None) -> Any:
        if part not in pages.PAGES:
            raise NotThere("A draft has no page of this name.")
        found = pages.PAGES[part]
        if request.method == "GET":
            return self._show(_desk(number), found, ref)
        posted = _posted()
        try:
            with acting() as act:
                revision = _whole(request.form.get("revision"))
                drafting.edit(act, number, revision, posted, _choices())
        except Clash as clash:
            return self._clash(number, shown(clash), request.path)
        except Invalid as error:
            return self._show(_desk(number), found, ref, error.problems)
        desk = _desk(number)
        added = posted.op.startswith(f"add {found.path}") and posted.op.count("[") == 0
        if added and found.path and ref is None:
            last = len(desk.entries(found.path)) - 1
            return _to(pages.address(number, part, desk, last))
        if ref is not None and pages.place_of(found, desk, ref) is None:
            return _to(pages.address(number, part, desk))
        return self._show(desk, found, ref) if is_part() else redirect(request.path, 303)

    def _show(
        self, desk: Desk, found: pages.Page, ref: str | None, refused: tuple[Problem, ...] = ()
    ) -> Any:
        path = None if ref is None else pages.place_of(found, desk, ref)
        if ref is not None and path is None:
            raise NotThere("This is not in the draft any more.")
        items = pages.items_of(found, desk, path)
        here = desk.settle()
        answer = self.render(
            "editor/body.html" if is_part() else "editor/page.html",
            desk=desk,
            page=found,
            title=pages.title_of(found, desk, path),
            shown=items,
            here=here,
            refused=refused,
            elsewhere=len(desk.problems) - len(here),
            undoable=_undoable(desk.number),
            listed=ref is not None,
        )
        return (answer, 422) if refused else answer

    def _clash(self, number: int, clashes: list[Shown], back: str) -> Response:
        """Show what two people said of the same; what was posted is sent again with a choice."""
        fields = [
            (name, value)
            for name, value in request.form.items(multi=True)
            if name != "csrf_token" and not name.startswith("choice:")
        ]
        return make_response(
            self.render(
                "editor/clash_body.html" if is_part() else "editor/clash.html",
                number=number,
                clashes=clashes,
                fields=fields,
                back=_back(number, back),
            ),
            200 if is_part() else 409,
        )


def _ready() -> list[str]:
    """Return the languages that a draft may be begun in: the company's own, and what is ready."""
    return list(dict.fromkeys((merit().fixed.language, *READY_IN)))


def _begun(start: str) -> tuple[dict[str, Any], int | None]:
    """Return the document that a draft begins with, and the version it is based on."""
    if start == "file":
        return _imported(), None
    if start.startswith("version:"):
        number = _whole(start.removeprefix("version:"))
        with reading() as session:
            document: dict[str, Any] = governance.version_named(session, number).document
        return document, number
    languages = request.form.getlist("languages") or [merit().fixed.language]
    return starting_document(start, merit().fixed, languages), None


def _imported() -> dict[str, Any]:
    file = request.files.get("file")
    content = b"" if file is None else file.read(LARGEST_DOCUMENT + 1)
    if not content:
        raise Invalid([Problem("file", Message("choose a file with a policy in it"))])
    try:
        document = loads(content)
    except JsonRefused as error:
        raise Invalid([Problem("file", error.message)]) from error
    if not isinstance(document, dict):
        raise Invalid([Problem("file", Message("this is no policy"))])
    return document


def _desk(number: int) -> Desk:
    """Return a draft as it is now.

    :raises NotActionable: if it is none any more.
    """
    installation = merit().fixed
    with reading() as session:
        version = governance.version_named(session, number)
        _require_draft(version)
        former = governance.in_force_now(session)
        before = None if former is None else former.document
        document, revision = version.document, version.revision
    return Desk(
        number=number,
        revision=revision,
        document=document,
        problems=drafting.findings(document, installation, before),
        manner=_manner(),
        day=today(),
    )


def _require_draft(version: PolicyVersion) -> None:
    if version.state != "draft":
        raise NotActionable(
            "Version %(number)d is %(state)s and cannot be changed.",
            number=version.id,
            state=Message(governance.STATES[version.state]),
        )


def _manner() -> Manner:
    return Manner(words().language, merit().fixed.currency)


def _undoable(number: int) -> bool:
    with reading() as session:
        return drafting.can_undo(session, number, current_user.actor.person_id)


def _posted() -> Posted:
    op = request.form.get("op", "")
    fields = tuple(
        (*name.partition(":")[::2], tuple(typed))
        for name, typed in request.form.lists()
        if ":" in name and name.partition(":")[0] not in ("choice", "new", "key", "as")
    )
    return Posted(
        fields=fields,
        op=f"{op} {word}" if (word := request.form.get(f"as:{op}")) else op,
        new_name=request.form.get(f"new:{op}", ""),
        new_key=request.form.get(f"key:{op}", ""),
        manner=_manner(),
        day=today(),
    )


def _choices() -> dict[str, bool]:
    return {
        name.removeprefix("choice:"): value == "mine"
        for name, value in request.form.items()
        if name.startswith("choice:")
    }


def _whole(text: str | None) -> int:
    """:raises NotThere: if it is no number of a revision or version."""
    if text and text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    raise NotThere("There is no such revision.")


def _told_on(desk: Desk, problem: Problem) -> tuple[str, object, str]:
    """Return where a problem can be mended, what that is called, and what is wrong."""
    part, index = pages.page_of(problem.path)
    page = pages.PAGES[part]
    path = None if index is None else f"{page.path}[{index}]"
    url = f"{pages.address(desk.number, part, desk, index)}#{field_id(problem.path)}"
    return url, pages.title_of(page, desk, path), plainly(problem.message)


def _back(number: int, wanted: str) -> str:
    own = url_for("editor.overview", number=number)
    return wanted if wanted.startswith(own) else own


def _to(url: str) -> Any:
    """Lead to another page, whoever asked: a browser, or htmx for a part of one."""
    if is_part():
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url, 303)
