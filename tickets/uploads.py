"""What people write and attach in a composer, in the portal and at the desk: the form that both build on.

Says what is wrong so that it can be put right; decides nothing about tickets. The verb takes `message()`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tickets import access
from tickets.actions import SUBJECT_LIMIT, TEXT_LIMIT, Message, gone
from tickets.files import NewFile, clean_name
from tickets.writing import prose

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from accounts.models import User
    from tickets.models import Channel, Upload


HTML_LIMIT = 400_000  # characters


def clean_text(text: str) -> str:
    """Without what no database or reader takes: NUL, other control characters, halves of characters. Line breaks become one kind."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in lines if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))


class TextField(forms.CharField):
    """Several lines. Too long a text is refused with its length, never cut."""

    widget = forms.Textarea

    def __init__(self, *, limit: int = TEXT_LIMIT, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit = limit

    def to_python(self, value: object) -> str:
        return super().to_python(clean_text(str(value or ""))) or ""

    def validate(self, value: str) -> None:
        super().validate(value)
        if len(value) > self.limit:
            raise ValidationError(self.too_long(len(value)), code="max_length")

    def too_long(self, length: int) -> str:
        return _("This is %(length)s characters long, and %(limit)s fit. Shorten it, or attach it as a file.") % {
            "length": f"{length:,}",
            "limit": f"{self.limit:,}",
        }


class EditorWidget(forms.Textarea):
    """A textarea that the editor may stand in for: then "html" says everything, and the text is made of it here, never by the browser."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        html = data.get("html") or ""
        is_rich = 0 < len(html) <= HTML_LIMIT and not _is_written_beside(data)
        return _plain(html) if is_rich else super().value_from_datadict(data, files, name)


class RichInput(forms.HiddenInput):
    """Where the editor keeps what it makes."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return "" if _is_written_beside(data) else super().value_from_datadict(data, files, name)


def _is_written_beside(data: Any) -> bool:
    """Where no editor stood, the HTML is what the page came with, and counts while the textarea still says the same."""
    html = data.get("html") or ""
    return "is_plain" in data and len(html) <= HTML_LIMIT and _plain(html).split() != (data.get("text") or "").split()


def _plain(html: str) -> str:
    return prose.plain(html, picture_word=_("Picture"))


class HtmlField(forms.CharField):
    """What the editor made; '' where the text alone says as much. Cleaned each time it is shown, by the `rich` filter alone."""

    widget = RichInput

    def to_python(self, value: object) -> str:
        return clean_text(str(value or ""))

    def validate(self, value: str) -> None:
        super().validate(value)
        if len(value) > HTML_LIMIT:
            raise ValidationError(_("There is too much formatting in this. Shorten it, or attach it as a file."), code="max_length")


class UploadsField(forms.CharField):
    """Files that came before: a line for each, which begins with its id; the rest is for who reads the page. Nonsense is none."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> tuple[UUID, ...]:
        found = (_UPLOAD.match(line) for line in str(value or "")[:20_000].splitlines())
        return tuple(UUID(match[0]) for match in found if match)


_UPLOAD = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class LineField(TextField):
    """One line, such as a subject: line breaks and tabs are spaces."""

    def __init__(self, *, limit: int = SUBJECT_LIMIT, **kwargs: Any) -> None:
        super().__init__(limit=limit, **{"widget": forms.TextInput, **kwargs})

    def to_python(self, value: object) -> str:
        return " ".join(super().to_python(value).split())

    def too_long(self, length: int) -> str:
        return _("Shorten this to %(limit)s characters; it has %(length)s now.") % {"length": f"{length:,}", "limit": self.limit}


class _SeveralFiles(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.Field):
    """Any number of files up to the limits; cleans to a tuple of `NewFile`."""

    widget = _SeveralFiles(attrs={"multiple": True})

    def clean(self, value: Any) -> tuple[NewFile, ...]:
        files: list[UploadedFile[Any]] = [one for one in (value if isinstance(value, list) else [value]) if one]
        problems = [problem for problem in [_too_many(len(files)), *map(_problem, files)] if problem]
        if self.required and not files:
            problems = [_("Choose a file.")]
        if problems:
            raise ValidationError(problems)
        return tuple(NewFile(name=file.name or "", content=file) for file in files)


def _too_many(count: int) -> str:
    if count <= settings.MAX_FILES:
        return ""
    return ngettext(
        "Attach at most %(limit)d file at a time; these were %(count)d.",
        "Attach at most %(limit)d files at a time; these were %(count)d.",
        settings.MAX_FILES,
    ) % {"limit": settings.MAX_FILES, "count": count}


def _problem(file: UploadedFile[Any]) -> str:
    name, size = clean_name(file.name or ""), file.size or 0
    if size == 0:
        return _("“%(name)s” is empty. Look whether it is the right file, and choose it again.") % {"name": name}
    if size > settings.MAX_FILE_BYTES:
        return _("“%(name)s” has %(size)s, and a file may have %(limit)s. Make it smaller, or send a link to it.") % {
            "name": name,
            "size": filesizeformat(size),
            "limit": filesizeformat(settings.MAX_FILE_BYTES),
        }
    return ""


class KeyField(forms.UUIDField):
    """Of this form as it was shown, so that sending it twice counts once. Nonsense is no key."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> UUID | None:
        try:
            key: UUID | None = super().clean(value)
        except ValidationError:
            return None
        return key


class SeenField(forms.IntegerField):
    """The newest event that the page showed. Nonsense is none."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> int | None:
        try:
            seen: int | None = super().clean(value)
        except ValidationError:
            return None
        return seen


class MessageForm(forms.Form):
    """Words, files, or both."""

    is_unfinished: ClassVar = False  # then neither is asked for
    text = TextField(required=False, label=gettext_lazy("Your reply"), widget=EditorWidget)
    html = HtmlField(required=False)
    uploads = UploadsField(required=False)
    files = FilesField(required=False, label=gettext_lazy("Files"))  # type: ignore[assignment] # Django takes it off the class
    key = KeyField(required=False, initial=uuid4)
    seen = SeenField(required=False)

    def __init__(self, *args: Any, writer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.writer = writer
        self._beside: list[Upload] = []  # uploaded, and not shown in the text

    @property
    def kept_uploads(self) -> str:
        """What `uploads` should say when the form is shown again: a line for each that is still there."""
        return "\n".join(f"{one.pk} {one.size} {one.name}" for one in self._beside)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for problem in self.errors.pop("html", []):  # its field is hidden
            self.add_error("text", problem)
        kept = self._take_uploads(cleaned)
        if not self.is_unfinished and not self.errors and not cleaned["text"] and not cleaned["files"] and not kept:
            self.add_error("text", _("Write something, or attach a file."))
        return cleaned

    def _take_uploads(self, cleaned: dict[str, Any]) -> list[Upload]:
        """Finds what is said to have been uploaded, beside the text and in it. The verb looks again."""
        html, beside = cleaned.get("html", ""), set(cleaned.get("uploads", ()))
        shown = {UUID(found) for found in _SHOWN_UPLOAD.findall(html)}
        kept = list(access.uploads_of(self.writer).filter(pk__in=beside | shown).order_by("created_at")) if beside | shown else []
        if len(kept) < len(beside | shown):
            self.add_error("files", gone())
        if kept and (problem := _too_many(len(kept) + len(cleaned.get("files", ())))):
            self.add_error("files", problem)
        cleaned["uploads"] = tuple(one.pk for one in kept)
        cleaned["html"] = prose.kept(html, picture=partial(_picture, kept={str(one.pk) for one in kept if one.is_image}))
        self._beside = [one for one in kept if one.pk in beside - shown]
        return kept

    def renew_key(self) -> None:
        """For a form that is shown again because its key is taken, by whom ever."""
        self.data = {**dict(self.data.items()), "key": str(uuid4())}

    def message(self, channel: Channel) -> Message:
        """Of a valid form, for the verb."""
        data = self.cleaned_data
        said = {name: data[name] for name in ("text", "html", "files", "uploads")}
        return Message(channel=channel, submission_key=data["key"], **said)


_SHOWN_UPLOAD = re.compile(rf'<img[^<>]{{0,500}}?\ssrc="/uploads/({_UPLOAD.pattern})/"')


def _picture(image: dict[str, str], *, kept: set[str]) -> str:
    """As mail has them: the `rich` filter shows our own copy in its place."""
    pk = image.get("src", "").removeprefix("/uploads/").removesuffix("/")
    return f'<img src="cid:{pk}" alt="{escape(image.get("alt", ""))}">' if pk in kept else ""
