"""What people write and attach in a composer, in the portal and at the desk: the form that both build on.

Says what is wrong so that it can be put right; decides nothing about tickets. The verb takes `message()`.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tickets import prose
from tickets.actions import SUBJECT_LIMIT, TEXT_LIMIT, Message
from tickets.files import NewFile, clean_name

if TYPE_CHECKING:
    from uuid import UUID

    from django.core.files.uploadedfile import UploadedFile

    from tickets.models import Channel


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
        return (
            prose.plain(html, picture_word=_("Picture")) if 0 < len(html) <= HTML_LIMIT else super().value_from_datadict(data, files, name)
        )


class HtmlField(forms.CharField):
    """What the editor made; '' where the text alone says as much. Cleaned each time it is shown, by the `rich` filter alone."""

    widget = forms.HiddenInput

    def to_python(self, value: object) -> str:
        return clean_text(str(value or ""))

    def validate(self, value: str) -> None:
        super().validate(value)
        if len(value) > HTML_LIMIT:
            raise ValidationError(_("There is too much formatting in this. Shorten it, or attach it as a file."), code="max_length")

    def clean(self, value: Any) -> str:
        return prose.kept(super().clean(value), picture=lambda _image: "")


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
        problems = [problem for problem in [_too_many(files), *map(_problem, files)] if problem]
        if problems:
            raise ValidationError(problems)
        return tuple(NewFile(name=file.name or "", content=file) for file in files)


def _too_many(files: list[UploadedFile[Any]]) -> str:
    if len(files) <= settings.MAX_FILES:
        return ""
    return ngettext(
        "Attach at most %(limit)d file at a time; these were %(count)d.",
        "Attach at most %(limit)d files at a time; these were %(count)d.",
        settings.MAX_FILES,
    ) % {"limit": settings.MAX_FILES, "count": len(files)}


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

    text = TextField(required=False, label=gettext_lazy("Your reply"), widget=EditorWidget)
    html = HtmlField(required=False)
    files = FilesField(required=False, label=gettext_lazy("Files"))  # type: ignore[assignment] # Django takes it off the class
    key = KeyField(required=False, initial=uuid4)
    seen = SeenField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for problem in self.errors.pop("html", []):  # its field is hidden
            self.add_error("text", problem)
        if not self.errors and not cleaned["text"] and not cleaned["files"]:
            self.add_error("text", _("Write something, or attach a file."))
        return cleaned

    def renew_key(self) -> None:
        """For a form that is shown again because its key is taken, by whom ever."""
        self.data = {**dict(self.data.items()), "key": str(uuid4())}

    def message(self, channel: Channel) -> Message:
        """Of a valid form, for the verb."""
        data = self.cleaned_data
        return Message(text=data["text"], html=data["html"], channel=channel, files=data["files"], submission_key=data["key"])
