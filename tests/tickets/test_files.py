"""What a sent file is called and what it is: decided by us, by the bytes."""

from __future__ import annotations

import io
import struct
import zlib
from hashlib import sha256

import pytest
from PIL import Image

from tests.factories import make_ticket, message, new_file
from tickets.actions import NotStored
from tickets.files import clean_name
from tickets.models import Attachment

RTL, ZERO_WIDTH = "\N{RIGHT-TO-LEFT OVERRIDE}", "\N{ZERO WIDTH SPACE}"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("log.txt", "log.txt"),
        ("Prüfbericht März.pdf", "Prüfbericht März.pdf"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\ana\\log.txt", "log.txt"),
        ("..", "file"),
        ("", "file"),
        (" . ", "file"),
        ("a/", "file"),
        ("log\0.txt", "log.txt"),
        ("log.txt\r\nX-Evil: 1", "log.txtX-Evil 1"),
        (f"exe{RTL}gpj.txt", "exegpj.txt"),
        (f"{ZERO_WIDTH}.htaccess", "htaccess"),
        (".htaccess", "htaccess"),
        ("<script>.html", "script.html"),
        ('a"b|c?d*.txt', "abcd.txt"),
        ("u\N{COMBINING DIAERESIS}ber.txt", "über.txt"),
        ("\ud800.txt", "txt"),
        ("x" * 10_000 + ".log", "x" * 196 + ".log"),
        ("x." + "y" * 10_000, "x." + "y" * 19),
    ],
)
def test_name_when_hostile_then_is_fit_to_be_shown_and_offered(sent, kept):
    assert clean_name(sent) == kept


@pytest.mark.parametrize("sent", ["a" * 300, "ü" * 300 + ".txt", "." * 300, "a." * 300, f"{'é' * 199}.jpeg", "\U0001f600" * 300])
def test_name_when_long_then_fits_the_column(sent):
    assert 0 < len(clean_name(sent)) <= 200


@pytest.mark.django_db
def attached(ana, name: str, content: bytes) -> Attachment:
    ticket = make_ticket(ana, message=message(files=(new_file(name, content),)))
    return Attachment.objects.get(comment__ticket=ticket)


def picture(kind: str, size: tuple[int, int] = (4, 3)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind)
    return out.getvalue()


def png_that_says(width: int, height: int) -> bytes:
    """A well-formed PNG of a few bytes whose header promises a huge picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "content_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp")]
)
@pytest.mark.django_db
def test_picture_when_browsers_show_it_then_is_one_whatever_its_name(workflow, ana, kind, content_type):
    kept = attached(ana, "notes.txt", picture(kind))
    assert (kept.content_type, kept.is_image) == (content_type, True)


NOT_SHOWN = {
    "page.png": (b"<html><script>alert(1)</script></html>", "text/plain"),
    "drawing.png": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "text/plain"),
    "bomb.png": (png_that_says(50_000, 50_000), "image/png"),
    "broken.png": (picture("PNG")[:-20], "image/png"),
    "half.png": (b"\x89PNG\r\n\x1a\n", "image/png"),
    "gifar.gif": (b"GIF89a/*<script>alert(1)</script>*/=1", "image/gif"),
    "scan.tiff": (picture("TIFF"), "image/tiff"),
    "old.bmp": (picture("BMP"), "image/bmp"),
    "report.pdf": (b"%PDF-1.7\n%", "application/pdf"),
    "noise.jpg": (bytes(range(256)), "application/octet-stream"),
    "nul.txt": (b"a\0b", "application/octet-stream"),
    "latin.txt": ("Grüße aus Köln".encode("latin-1"), "application/octet-stream"),
    "empty.txt": (b"", "application/octet-stream"),
    "short.txt": ("ü".encode(), "text/plain"),
    "long.txt": (("€" * 3000).encode(), "text/plain"),
    "longer.txt": (("a" + "€" * 3000).encode(), "text/plain"),
}


@pytest.mark.parametrize("name", NOT_SHOWN)
@pytest.mark.django_db
def test_file_when_no_whole_picture_then_is_never_shown_in_place(workflow, ana, name):
    content, content_type = NOT_SHOWN[name]
    kept = attached(ana, name, content)
    assert (kept.content_type, kept.is_image) == (content_type, False)


@pytest.mark.parametrize("content", [b"", b"x", b"\r\n" * 1000, bytes(range(256)) * 5000])
@pytest.mark.django_db
def test_file_when_stored_then_every_byte_is_there(workflow, ana, content):
    kept = attached(ana, "data.bin", content)
    with kept.file.open() as stored:
        assert stored.read() == content
    assert (kept.size, kept.sha256) == (len(content), sha256(content).hexdigest())


@pytest.mark.django_db
def test_file_when_stored_then_nothing_of_its_name_reaches_the_disk(workflow, ana, settings):
    kept = attached(ana, "secret-plan.php", b"<?php")
    assert kept.name == "secret-plan.php"
    assert "secret" not in kept.file.name
    assert "php" not in kept.file.name


@pytest.mark.django_db
def test_file_when_it_cannot_be_stored_then_nothing_is_said(workflow, ana, settings, tmp_path):
    from tickets.models import Comment, Ticket

    (tmp_path / "media").write_text("a file where the folder should be")
    with pytest.raises(NotStored):
        attached(ana, "log.txt", b"line")
    assert (Ticket.objects.count(), Comment.objects.count()) == (0, 0)
