"""Files for the demo's tickets, made when they are needed: pictures like screenshots, logs, tables and a small PDF."""

from __future__ import annotations

import random
from io import BytesIO

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

from tickets.files import NewFile

_SIZE = (960, 600)
_INK, _PAPER, _LINE, _MARK = "#26303d", "#ffffff", "#d5dbe3", "#c4373f"
_TINTS = ("#e8f0fb", "#eaf5ee", "#fdf3e2", "#f3ecfa")


def demo_file(name: str) -> NewFile:
    """By the ending of its name; the same name is the same file."""
    make = {"png": _screenshot, "pdf": _pdf, "csv": _table, "xml": _metadata}.get(name.rpartition(".")[2], _log)
    return NewFile(name=name, content=ContentFile(make(name), name=name))


def _screenshot(name: str) -> bytes:
    return _saved(_window(name), "PNG")


def _pdf(name: str) -> bytes:
    return _saved(_page(name), "PDF")


def _saved(image: Image.Image, kind: str) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def _window(name: str) -> Image.Image:
    """A browser window with an application in it, and a red mark around what is wrong."""
    chance = random.Random(name)  # noqa: S311 a drawing, not a secret
    image = Image.new("RGB", _SIZE, _PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 960, 44), fill="#eef1f5")
    for number, colour in enumerate(("#e0655e", "#e2b24a", "#67b36b")):
        draw.ellipse((16 + 24 * number, 15, 30 + 24 * number, 29), fill=colour)
    draw.rounded_rectangle((110, 9, 700, 35), 12, fill=_PAPER, outline=_LINE)
    draw.text((126, 14), f"https://app.customer.example/{name.rpartition('.')[0]}", fill="#6a7686", font_size=14)
    draw.rectangle((0, 44, 190, 600), fill=_INK)
    for row in range(7):
        draw.rounded_rectangle((20, 76 + 44 * row, 60 + chance.randint(50, 110), 90 + 44 * row), 6, fill="#4a5767")
    _table_rows(draw, chance)
    _balloon(draw, name, chance)
    return image


def _table_rows(draw: ImageDraw.ImageDraw, chance: random.Random) -> None:
    draw.rounded_rectangle((220, 76, 460, 98), 6, fill=_INK)
    for row in range(9):
        y = 130 + 48 * row
        draw.line((220, y + 34, 930, y + 34), fill=_LINE)
        draw.rounded_rectangle((220, y, 248, y + 22), 11, fill=chance.choice(_TINTS))
        for column, width in enumerate((180, 120, 90)):
            x = 270 + 220 * column
            draw.rounded_rectangle((x, y + 5, x + width - chance.randint(0, 60), y + 17), 5, fill="#cbd3dd")


def _balloon(draw: ImageDraw.ImageDraw, name: str, chance: random.Random) -> None:
    x, y = chance.randint(420, 560), chance.randint(160, 360)
    draw.rounded_rectangle((x, y, x + 320, y + 130), 12, fill="#fffdf3", outline="#d9b44a", width=2)
    draw.text((x + 20, y + 18), name.rpartition(".")[0].replace("-", " ").capitalize(), fill=_INK, font_size=20)
    draw.rounded_rectangle((x + 20, y + 56, x + 280, y + 66), 5, fill="#e3ddc4")
    draw.rounded_rectangle((x + 20, y + 76, x + 200, y + 86), 5, fill="#e3ddc4")
    draw.ellipse((x - 22, y - 20, x + 342, y + 150), outline=_MARK, width=4)


def _page(name: str) -> Image.Image:
    image = Image.new("RGB", (827, 1169), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((90, 110), name.rpartition(".")[0].replace("-", " ").capitalize(), fill=_INK, font_size=40)
    for row in range(18):
        draw.rounded_rectangle((90, 220 + 44 * row, 730 - (row * 97) % 240, 232 + 44 * row), 6, fill="#c3cad4")
    return image


def _log(name: str) -> bytes:
    chance = random.Random(name)  # noqa: S311 as above
    lines = [
        f"09:{minute:02}:{chance.randint(0, 59):02}.{chance.randint(0, 999):03} {chance.choice(_LOG_WORDS)}" for minute in range(12, 52)
    ]
    return ("\n".join([f"# {name}", *lines]) + "\n").encode()


_LOG_WORDS = (
    "[info] player: ready, 14 items for this page",
    "[info] player: waiting for element #app main .title",
    "[warn] player: element not found after 2000 ms, trying again",
    "[error] Uncaught DOMException: the message port was closed before a response was received",
    "[info] POST /v1/events 202 in 41 ms",
    "[warn] POST /v1/events 429 in 3 ms, request 7f3c",
)


def _table(name: str) -> bytes:
    chance = random.Random(name)  # noqa: S311 as above
    rows = [f"{number};Person {number};{chance.choice(('done', 'started', 'open'))};{chance.randint(1, 900)}" for number in range(1, 121)]
    return ("\n".join(["id;name;state;seconds", *rows]) + "\n").encode()


def _metadata(_name: str) -> bytes:
    return b'<?xml version="1.0"?>\n<EntityDescriptor entityID="https://login.northwind.example/saml">\n  <IDPSSODescriptor/>\n</EntityDescriptor>\n'
