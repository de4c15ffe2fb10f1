"""A DNS server on this machine, for what a test says that the world publishes; and keys to sign mails with."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import dkim
import dns.flags
import dns.message
import dns.resolver
import dns.rrset
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import Iterator


class Names:
    """What is published: {("acme.example", "TXT"): ["…"]}. A name in `slow` is never answered; while `silent`, none is."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {(".", "NS"): ["a.root-servers.net."]}
        self.slow: set[str] = set()
        self.silent = False
        self.asked: list[str] = []

    def text(self, name: str, *texts: str) -> None:
        self.records[name, "TXT"] = [" ".join(f'"{text[i : i + 200]}"' for i in range(0, len(text) or 1, 200)) for text in texts]

    def publish_key(self, domain: str, *, selector: str = "s1", bits: int = 2048) -> None:
        self.text(f"{selector}._domainkey.{domain}", f"v=DKIM1; k=rsa; p={_key(bits)[1]}")

    def publish_policy(self, domain: str, policy: str) -> None:
        self.text(f"_dmarc.{domain}", f"v=DMARC1; {policy}")

    def answer(self, wire: bytes) -> bytes | None:
        question = dns.message.from_wire(wire)
        asked = question.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True).lower() or ".", asked.rdtype.name
        self.asked.append(name)
        if self.silent or name in self.slow:
            return None
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        if found := self.records.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *found))
        return answer.to_wire(max_size=8_000)


@contextmanager
def name_server(names: Names) -> Iterator[dns.resolver.Resolver]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(server, names), daemon=True)
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.getsockname()[1]
        resolver.use_edns(0, 0, 8_000)
        yield resolver
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", server.getsockname())
        thread.join()


def _serve(server: socket.socket, names: Names) -> None:
    while True:
        wire, whence = server.recvfrom(8_000)
        if not wire:
            return
        if answer := names.answer(wire):
            server.sendto(answer, whence)


@cache
def _key(bits: int) -> tuple[bytes, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, "".join(public.decode().splitlines()[1:-1])


def signed(raw: bytes, domain: str, *, selector: str = "s1", bits: int = 2048, **how) -> bytes:
    """`raw` with a DKIM signature on top."""
    return bytes(dkim.sign(raw, selector.encode(), domain.encode(), _key(bits)[0], **how)) + raw


def sealed(raw: bytes, domain: str, *, server: str) -> bytes:
    """`raw` as a forwarder passes it on, with its ARC set on top; `server` is the id of the results in it that the seal takes over."""
    return b"".join(dkim.arc_sign(raw, b"s1", domain.encode(), _key(2048)[0], server.encode())) + raw
