"""The SMTP and LMTP listener, spoken to over a real socket."""

from __future__ import annotations

import asyncio
import gc
import smtplib
import socket
import threading

import pytest

from tests.factories import make_ticket
from tests.tickets.mail.letters import letter, signed_address
from tickets.mail import receiver
from tickets.models import InboundMessage, InboundState, Mailbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def listen(workflow):
    """Starts a listener in a thread and gives its port."""
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[None], threading.Thread]] = []

    def start(*, lmtp: bool = False) -> int:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        loop = asyncio.new_event_loop()
        task = loop.create_task(receiver.serve(host="127.0.0.1", port=port, lmtp=lmtp))
        thread = threading.Thread(target=_run, args=(loop, task), daemon=True)
        thread.start()
        loops.append((loop, task, thread))
        _wait_for(port)
        return port

    yield start
    for loop, task, thread in loops:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(5)
    gc.collect()  # closes the connections to the database that the ended threads had


def _run(loop, task):
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(task)
    except asyncio.CancelledError:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def _wait_for(port):
    for _try in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.05)
    raise AssertionError("the listener did not start")


def send(port, raw, *, to="support@support.example", kind=smtplib.SMTP):
    with kind("127.0.0.1", port, timeout=10) as client:
        client.ehlo_or_helo_if_needed()
        return client.sendmail("ana@acme.example", to, raw)


def test_client_when_it_speaks_smtp_then_is_kept_and_by_lmtp_it_is_our_own_server(listen):
    for port, kind in ((listen(), smtplib.SMTP), (listen(lmtp=True), smtplib.LMTP)):
        with kind("127.0.0.1", port, local_hostname="mx.elsewhere.example", timeout=10) as client:
            client.sendmail("ana@acme.example", "support@support.example", letter())
    clients = InboundMessage.objects.order_by("id").values_list("client_ip", "client_name")
    assert list(clients) == [("127.0.0.1", "mx.elsewhere.example"), (None, "")]


def test_mail_is_committed_when_the_listener_has_said_250(listen):
    raw = letter().replace(b"\n", b"\r\n")
    send(listen(), raw)
    stored = InboundMessage.objects.get()
    assert (bytes(stored.raw), stored.state, stored.envelope_from) == (
        raw,
        InboundState.WAITING,
        "ana@acme.example",
    )


def test_same_mail_twice_is_stored_once(listen):
    port, raw = listen(), letter()
    send(port, raw)
    send(port, raw)
    assert InboundMessage.objects.count() == 1


def test_unknown_recipient_is_refused_in_the_protocol(listen):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        send(listen(), letter(), to="nobody@support.example")
    assert refusal.value.recipients["nobody@support.example"][0] == 550


def test_switched_off_mailbox_is_refused(listen):
    Mailbox.objects.update(is_active=False)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(listen(), letter())


def test_oversized_mail_is_refused_in_the_protocol(listen, settings):
    settings.MAX_MAIL_BYTES = 10_000
    with pytest.raises(smtplib.SMTPResponseException) as refusal:
        send(listen(), letter(text="x" * 50 + "\n" + "y\n" * 10_000))
    assert (refusal.value.smtp_code, InboundMessage.objects.count()) == (552, 0)


def test_mail_to_several_of_our_addresses_is_one_mail_under_the_signed_one(listen, ana):
    signed = signed_address(make_ticket(ana), ana)
    send(listen(), letter(), to=["support@support.example", signed])
    assert InboundMessage.objects.get().envelope_to == signed


def test_lmtp_takes_mail_as_smtp_does(listen):
    send(listen(lmtp=True), letter(), kind=smtplib.LMTP)
    assert InboundMessage.objects.count() == 1


def test_lmtp_answers_for_each_recipient(listen):
    with smtplib.LMTP("127.0.0.1", listen(lmtp=True), timeout=5) as post:
        post.ehlo()
        post.mail("ana@acme.example")
        assert [post.rcpt(address)[0] for address in ("support@support.example", "support+x@support.example")] == [250, 250]
        assert [post.data(letter())[0], post.getreply()[0]] == [250, 250]
    assert InboundMessage.objects.count() == 1


def test_smuggled_second_mail_is_no_second_mail(listen):
    smuggled = (
        letter(text="one\n")
        + b"\n.\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<support@support.example>\r\nDATA\r\nFrom: boss@acme.example\r\n"
    )
    with pytest.raises(smtplib.SMTPException):
        raise_if_refused(send(listen(), smuggled))
    assert not InboundMessage.objects.filter(envelope_from="evil@x.example").exists()


def raise_if_refused(refused):
    raise smtplib.SMTPException(str(refused))


def test_line_of_any_length_is_taken(listen):
    raw = letter().replace(b"\n", b"\r\n") + b"x" * 100_000 + b"\r\n"
    send(listen(), raw)
    assert bytes(InboundMessage.objects.get().raw) == raw
