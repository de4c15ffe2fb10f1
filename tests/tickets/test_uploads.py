from __future__ import annotations

from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.datastructures import MultiValueDict

from accounts.models import User
from tickets.models import Channel
from tickets.uploads import LineField, MessageForm, clean_text

KEY = "0b5e6f9a-2f6c-4f1e-9d53-0d6c1f1f7d11"


def upload(name: str = "log.txt", content: bytes = b"one line") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def form(*files: SimpleUploadedFile, **data: str) -> MessageForm:
    return MessageForm(data, MultiValueDict({"files": list(files)}), writer=User())


def errors(*files: SimpleUploadedFile, **data: str) -> dict[str, list[str]]:
    return {name: [str(problem) for problem in problems] for name, problems in form(*files, **data).errors.items()}


def test_message_when_words_and_files_then_has_both():
    sent = form(upload("a.txt"), upload("b.txt"), text=" Hello\r\nthere ", key=KEY)
    assert sent.is_valid()
    message = sent.message(Channel.PORTAL)
    assert (message.text, [file.name for file in message.files]) == ("Hello\nthere", ["a.txt", "b.txt"])
    assert (message.submission_key, message.channel) == (UUID(KEY), Channel.PORTAL)


def test_message_when_files_alone_then_is_valid():
    assert form(upload()).is_valid()


@pytest.mark.parametrize("text", ["", "  \r\n ", "\0\x07"])
def test_message_when_nothing_is_said_then_asks_for_something(text):
    assert errors(text=text) == {"text": ["Write something, or attach a file."]}


def test_text_when_too_long_then_tells_both_lengths():
    assert form(text="a" * 100_000).is_valid()
    assert errors(text="a" * 100_001) == {"text": ["This is 100,001 characters long, and 100,000 fit. Shorten it, or attach it as a file."]}


def test_text_when_lines_end_as_browsers_send_them_then_each_counts_once():
    assert form(text="a\r\n" * 50_000).is_valid()


@pytest.mark.parametrize(
    ("text", "cleaned"), [("a\0b", "ab"), ("a\x1bb\x85", "ab"), ("a\ud800b", "ab"), ("a\tb\rc", "a\tb\nc"), ("नमस्ते👩‍💻", "नमस्ते👩‍💻")]
)
def test_text_when_cleaned_then_loses_only_what_is_not_text(text, cleaned):
    assert clean_text(text) == cleaned


def test_line_when_broken_then_is_one_line():
    assert LineField().clean(" Player\r\n is\tblank ") == "Player is blank"


def test_message_when_editor_wrote_it_then_text_is_made_of_the_html_and_never_the_browsers():
    sent = form(text="Transfer it all", html="<p>See <b>this</b></p><ul><li>one</li></ul>")
    assert sent.is_valid()
    message = sent.message(Channel.PORTAL)
    assert (message.text, message.html) == ("See this\n\n- one", "<p>See <b>this</b></p><ul><li>one</li></ul>")


@pytest.mark.parametrize("html", ["<p>Hello</p>", "Hello\0", "<p>Hello</p><script>x</script>"])
def test_message_when_html_says_no_more_than_text_then_text_alone_is_kept(html):
    sent = form(text="", html=html)
    assert sent.is_valid()
    message = sent.message(Channel.PORTAL)
    assert (message.text, message.html) == ("Hello", "")


@pytest.mark.parametrize("html", ["<p></p>", "<ul><li></li></ul>", "<script>x</script>", "\0"])
def test_message_when_html_says_nothing_then_asks_for_something(html):
    assert errors(text="ignored", html=html) == {"text": ["Write something, or attach a file."]}


def test_message_when_there_is_too_much_html_then_says_so_beside_the_text():
    assert errors(html="<b>x</b>" * 60_000) == {"text": ["There is too much formatting in this. Shorten it, or attach it as a file."]}
    assert list(errors(html="<p>" + "x" * 100_001 + "</p>")) == ["text"]


def test_file_when_empty_then_is_refused_by_name():
    assert errors(upload("empty.log", b""), text="See") == {
        "files": ["“empty.log” is empty. Look whether it is the right file, and choose it again."]
    }


def test_file_when_too_large_then_is_refused_by_name(settings):
    settings.MAX_FILE_BYTES = 1024
    assert form(upload(content=b"x" * 1024), text="See").is_valid()
    assert errors(upload("big.mp4", b"x" * 2048), text="See") == {
        "files": ["“big.mp4” has 2.0\xa0KB, and a file may have 1.0\xa0KB. Make it smaller, or send a link to it."]
    }


def test_files_when_too_many_then_tells_how_many_fit():
    assert form(*[upload()] * 20, text="See").is_valid()
    assert errors(*[upload()] * 30, text="See") == {"files": ["Attach at most 20 files at a time; these were 30."]}


def test_file_name_when_refused_then_is_shown_clean():
    (problem,) = errors(upload("a" * 300 + "\u202eexe.log", b""))["files"]
    assert ("\u202e" in problem, len(problem) < 300) == (False, True)


@pytest.mark.parametrize("nonsense", ["", "x", "9" * 5000, "[]", "\0", "-"])
def test_hidden_fields_when_nonsense_then_count_as_absent(nonsense):
    sent = form(text="Hello", key=nonsense, seen=nonsense)
    assert sent.is_valid()
    assert (sent.cleaned_data["key"], sent.cleaned_data["seen"]) == (None, None)


def test_form_when_browser_asks_to_clear_files_then_nothing_breaks():
    assert form(upload(), text="Hello", **{"files-clear": "on"}).is_valid()


def test_form_when_shown_then_has_a_key():
    assert UUID(MessageForm(writer=User())["key"].value())
