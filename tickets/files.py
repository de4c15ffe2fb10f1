"""Files people send: what each is called, what it is, whether it may be shown as a picture. We decide that; neither the sender's type nor extension does."""

from __future__ import annotations

import codecs
import hashlib
import io
import unicodedata
import warnings
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import filetype
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image

from tickets.models import Article, ArticleFile, Attachment, Comment, StoredFile, Upload

if TYPE_CHECKING:
    from django.core.files.base import File

    from accounts.models import User

_SHOWN = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
}  # what every browser shows
_MAX_PIXELS = 50_000_000
_MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that is about to be attached."""

    name: str
    content: File[bytes]
    content_id: str = ""


def clean_name(name: str) -> str:
    """A name that is safe to show and to offer for download: no path, control, direction or zero-width characters, at most 200 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    printable = "".join(char for char in last if unicodedata.category(char)[0] != "C" and char not in '<>:"|?*')
    cleaned = unicodedata.normalize("NFC", printable).strip().strip(".").strip()
    path = PurePosixPath(cleaned or "file")
    return path.stem[: _MAX_NAME - len(path.suffix[:20])] + path.suffix[:20]


def attach(comment: Comment, new: NewFile) -> Attachment:
    """Raises OSError when the bytes can't be stored."""
    return Attachment.objects.create(comment=comment, content_id=new.content_id[:250], **_stored(new))


def attach_to_article(article: Article, new: NewFile) -> ArticleFile:
    """As above."""
    return ArticleFile.objects.create(article=article, **_stored(new))


@transaction.atomic
def keep(new: NewFile, *, uploader: User) -> Upload:
    """For what the uploader is about to write. Raises OSError when the bytes can't be stored."""
    return Upload.objects.create(uploader=uploader, **_stored(new))


def attach_kept(comment: Comment, upload: Upload) -> Attachment:
    """The bytes stay where they are. The text shows a picture by the upload's id."""
    attachment = Attachment.objects.create(comment=comment, content_id=str(upload.pk), **_facts(upload))
    upload.delete()
    return attachment


def attach_copy(comment: Comment, original: Attachment) -> Attachment:
    """The same bytes under another comment; they are kept as long as either is."""
    return Attachment.objects.create(comment=comment, content_id=original.content_id, **_facts(original))


def attach_kept_to_article(article: Article, upload: Upload) -> ArticleFile:
    """As above; the text shows a picture by its address."""
    file = ArticleFile.objects.create(article=article, **_facts(upload))
    upload.delete()
    return file


def _facts(upload: StoredFile) -> dict[str, Any]:
    return {"file": upload.file.name, **{name: getattr(upload, name) for name in ("name", "content_type", "size", "sha256", "is_image")}}


def drop(upload: Upload) -> bool:
    """False when a comment took it meanwhile."""
    if not Upload.objects.filter(pk=upload.pk).delete()[0]:
        return False
    upload.file.storage.delete(upload.file.name or "")
    return True


def _stored(new: NewFile) -> dict[str, Any]:
    """What a row says of the bytes, which go under a generated name when it is saved."""
    content_type, is_image = _inspect(new.content)
    digest = hashlib.sha256()
    for chunk in new.content.chunks():
        digest.update(chunk)
    new.content.name = "file"  # the storage wants one; `generated_name` decides where the bytes go
    return {
        "file": new.content,
        "name": clean_name(new.name),
        "content_type": content_type,
        "size": new.content.size,
        "sha256": digest.hexdigest(),
        "is_image": is_image,
    }


def not_stored(name: str) -> str:
    return _("“%(name)s” could not be stored, so nothing was sent. Try again in a few minutes.") % {"name": clean_name(name)}


def _inspect(content: File[bytes]) -> tuple[str, bool]:
    """Media type by the bytes, and whether it is a picture fit to be shown in place."""
    content.seek(0)
    head = content.read(8192)
    content.seek(0)
    guessed = filetype.guess_mime(head)
    if guessed in _SHOWN.values() and (shown := _picture_type(content)):
        return shown, True
    if guessed:
        return guessed, False
    return ("text/plain" if _is_text(head) else "application/octet-stream"), False


def _picture_type(content: File[bytes]) -> str:
    """'' when it isn't a whole picture, or would need too much memory to show. Reads the structure, never the pixels."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; the limit below is ours
            image = Image.open(content.file or io.BytesIO())
            kind, pixels = image.format, image.width * image.height
            image.verify()
    except Exception:  # noqa: BLE001 Pillow's decoders raise anything at all on hostile bytes
        return ""
    finally:
        content.seek(0)
    return _SHOWN.get(kind or "", "") if pixels <= _MAX_PIXELS else ""


def _is_text(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the head may end within a character
    except UnicodeDecodeError:
        return False
    return bool(head) and b"\0" not in head
