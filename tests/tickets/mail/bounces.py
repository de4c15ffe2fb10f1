"""Bounces as the servers of the world write them, each about one mail of ours to Nora.

A row: its name; who wrote it; the subject; the body; what is to be read in it: action, status, and whether it says that the address is bad.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import EmailMessage

NORA = "nora@initech.example"
OURS = "1.42.7.aaaaaaaaaaaaaaaaaaaaaaaaaa@support.example"
RETURNED = f"""\
Received: from mail.support.example (mail.support.example [192.0.2.10])
\tby mx.initech.example with ESMTPS id 4Xq1; Sat, 21 Nov 2026 10:00:02 +0000
From: "Dan Support (Acme Support)" <support@support.example>
To: Nora New <{NORA}>
Subject: [#1042] Player is blank
Message-ID: <{OURS}>
Auto-Submitted: auto-generated
"""


@dataclass(frozen=True)
class Bounce:
    name: str
    sender: str
    subject: str
    text: str
    action: str
    status: str
    is_bad: bool
    dsn: str = ""  # the fields of message/delivery-status
    returned: str = "text/rfc822-headers"  # how the mail came back, '' for not at all
    html: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def has_id(self) -> bool:
        return OURS in self.text or bool(self.dsn and self.returned) or OURS in str(self.headers)

    def raw(self, *, to: str = "support@support.example", returned: str = RETURNED, words: dict[str, str] | None = None) -> bytes:
        """`words`: replaced in the whole mail."""
        mail = EmailMessage()
        mail["Return-Path"], mail["From"], mail["To"], mail["Subject"] = "<>", self.sender, to, self.subject
        mail["Date"], mail["Message-ID"] = "Sat, 21 Nov 2026 10:00:05 +0000", f"<{self.name}@elsewhere.example>"
        for name, value in self.headers.items():
            mail[name] = value
        if self.dsn:
            mail["MIME-Version"], mail["Content-Type"] = "1.0", 'multipart/report; report-type=delivery-status; boundary="=_b"'
            back = f"--=_b\nContent-Type: {self.returned}\n\n{returned}\n" if self.returned else ""
            body = f"--=_b\nContent-Type: text/{'html' if self.html else 'plain'}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{self.text}\n"
            body += f"--=_b\nContent-Type: message/delivery-status\n\n{self.dsn}\n{back}--=_b--\n"
        else:
            mail["MIME-Version"], mail["Content-Type"] = "1.0", f"text/{'html' if self.html else 'plain'}; charset=utf-8"
            mail["Content-Transfer-Encoding"] = "8bit"
            body = self.text
        text = mail.as_bytes().partition(b"\n\n")[0].decode() + "\n\n" + body
        for old, new in (words or {}).items():
            text = text.replace(old, new)
        return text.encode()


def _fields(status: str, diagnostic: str = "", *, action: str = "failed", host: str = "mx.initech.example", more: str = "") -> str:
    told = f"Diagnostic-Code: {diagnostic}\n" if diagnostic else ""
    server = f"Reporting-MTA: dns; {host}\nArrival-Date: Sat, 21 Nov 2026 10:00:02 +0000"
    return f"{server}\n\nFinal-Recipient: rfc822; {NORA}\nAction: {action}\nStatus: {status}\n{told}{more}"


_POSTFIX = """\
This is the mail system at host mail.support.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

For further assistance, please send mail to postmaster.

                   The mail system

<nora@initech.example>: {words}
"""
_EXIM = f"""\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {NORA}
{{words}}

------ This is a copy of the message, including all the headers. ------

Return-path: <support@support.example>
{RETURNED}
It is fixed.
"""
_QMAIL = f"""\
Hi. This is the qmail-send program at mx.initech.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{NORA}>:
{{words}}

--- Below this line is a copy of the message.

Return-Path: <support@support.example>
{RETURNED}
It is fixed.
"""
_OUTLOOK = f"""\
{{head}}

{NORA}<mailto:{NORA}>
{{said}}


{{admins}}

Generating server: AM0PR04MB1234.eurprd04.prod.outlook.com

{NORA}
Remote Server returned '{{words}}'

{{original}}

Received: from mail.support.example (192.0.2.10) by AM0PR04.mail.protection.outlook.com
Message-ID: <{OURS}>
"""
_DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.initech.example>"
_GMAIL = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"

BOUNCES = [
    # --- Postfix
    Bounce(
        "postfix-unknown-user",
        _DAEMON,
        "Undelivered Mail Returned to Sender",
        _POSTFIX.format(
            words="host mx.initech.example[198.51.100.7] said: 550 5.1.1\n    <nora@initech.example>: Recipient address rejected: User unknown"
        ),
        "failed",
        "5.1.1",
        True,
        dsn=_fields(
            "5.1.1", "smtp; 550 5.1.1 <nora@initech.example>: Recipient address\n    rejected: User unknown in virtual mailbox table"
        ),
        headers={"Auto-Submitted": "auto-replied"},
    ),
    Bounce(
        "postfix-no-domain",
        _DAEMON,
        "Undelivered Mail Returned to Sender",
        _POSTFIX.format(words="Host or domain name not found. Name service error for name=initech.example type=AAAA: Host not found"),
        "failed",
        "5.4.4",
        True,
        dsn=_fields(
            "5.4.4", "X-Postfix; Host or domain name not found. Name service error for\n    name=initech.example type=AAAA: Host not found"
        ),
    ),
    Bounce(
        "postfix-given-up-on-timeout",
        _DAEMON,
        "Undelivered Mail Returned to Sender",
        _POSTFIX.format(words="connect to mx.initech.example[198.51.100.7]:25: Connection timed out"),
        "failed",
        "4.4.1",
        False,
        dsn=_fields("4.4.1", "X-Postfix; connect to mx.initech.example[198.51.100.7]:25: Connection\n    timed out"),
    ),
    Bounce(
        "postfix-delayed",
        _DAEMON,
        "Delayed Mail (still being retried)",
        "####\n# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #\n####\n\nYour message could not be delivered for more than 4 hour(s).\n"
        "It will be retried until it is 5 day(s) old.\n",
        "delayed",
        "4.2.0",
        False,
        dsn=_fields(
            "4.2.0",
            "smtp; 450 4.2.0 <nora@initech.example>: Greylisted",
            action="delayed",
            more="Will-Retry-Until: Thu, 26 Nov 2026 10:00:02 +0000\n",
        ),
    ),
    Bounce(
        "postfix-quota",
        _DAEMON,
        "Undelivered Mail Returned to Sender",
        _POSTFIX.format(words="host lmtp said: 552 5.2.2 <nora@initech.example> Quota exceeded (mailbox for user is full)"),
        "failed",
        "5.2.2",
        False,
        dsn=_fields("5.2.2", "smtp; 552 5.2.2 <nora@initech.example> Quota exceeded (mailbox for user is full)"),
        returned="message/rfc822",
    ),
    Bounce(
        "postfix-too-large",
        _DAEMON,
        "Undelivered Mail Returned to Sender",
        _POSTFIX.format(words="message size 31457280 exceeds size limit 10240000 of server mx.initech.example[198.51.100.7]"),
        "failed",
        "5.3.4",
        False,
        dsn=_fields("5.3.4", "X-Postfix; message size 31457280 exceeds size limit 10240000 of server mx.initech.example[198.51.100.7]"),
    ),
    Bounce(
        "postfix-internationalised-report",
        _DAEMON,
        "Undelivered Mail Returned to Sender",
        _POSTFIX.format(words="User unknown in local recipient table"),
        "failed",
        "5.1.1",
        True,
        dsn=_fields("5.1.1", 'X-Postfix; unknown user: "nora"').replace("rfc822;", "utf-8;"),
        returned="message/global-headers",
    ),
    Bounce(
        "postfix-success",
        _DAEMON,
        "Successful Mail Delivery Report",
        "This is the mail system at host mx.initech.example.\n\nYour message was successfully delivered to the destination(s)\n"
        "listed below.\n",
        "other",
        "2.0.0",
        False,
        dsn=_fields("2.0.0", "smtp; 250 2.0.0 OK", action="delivered"),
    ),
    # --- Exim
    Bounce(
        "exim-unrouteable",
        "Mail Delivery System <Mailer-Daemon@mail.support.example>",
        "Mail delivery failed: returning message to sender",
        _EXIM.format(words="    Unrouteable address"),
        "failed",
        "",
        True,
        headers={"X-Failed-Recipients": NORA, "Auto-Submitted": "auto-replied"},
    ),
    Bounce(
        "exim-remote-unknown",
        "Mail Delivery System <Mailer-Daemon@mail.support.example>",
        "Mail delivery failed: returning message to sender",
        _EXIM.format(
            words=f"    host mx.initech.example [198.51.100.7]\n    SMTP error from remote mail server after RCPT TO:<{NORA}>:\n    550 5.1.1 Recipient unknown"
        ),
        "failed",
        "5.1.1",
        True,
        headers={"X-Failed-Recipients": NORA},
    ),
    Bounce(
        "exim-mailbox-full",
        "Mail Delivery System <Mailer-Daemon@mail.support.example>",
        "Mail delivery failed: returning message to sender",
        _EXIM.format(words="    mailbox is full: retry timeout exceeded"),
        "failed",
        "",
        False,
        headers={"X-Failed-Recipients": NORA},
    ),
    Bounce(
        "exim-delayed",
        "Mail Delivery System <Mailer-Daemon@mail.support.example>",
        "Warning: message 1tEabc-0001 delayed 24 hours",
        "This message was created automatically by mail delivery software.\n"
        "A message that you sent has not yet been delivered to one or more of its\n"
        "recipients after more than 24 hours on the queue on mail.support.example.\n\n"
        "The message identifier is:     1tEabc-0001\n\nThe address to which the message has not yet been delivered is:\n\n"
        f"  {NORA}\n    Delay reason: Connection timed out\n\n"
        "No action is required on your part. Delivery attempts will continue for\n"
        "some time, and this warning may be repeated at intervals if the message\nremains undelivered.\n",
        "delayed",
        "",
        False,
        headers={"Auto-Submitted": "auto-replied"},
    ),
    Bounce(
        "exim-with-dsn",
        "Mail Delivery System <Mailer-Daemon@mail.support.example>",
        "Mail delivery failed: returning message to sender",
        f"This message was created automatically by mail delivery software.\n\nThe following address(es) failed:\n\n  {NORA}\n"
        "    all relevant MX records point to non-existent hosts\n",
        "failed",
        "5.0.0",
        False,
        dsn=_fields("5.0.0"),
        headers={"X-Failed-Recipients": NORA},
    ),
    # --- qmail
    Bounce(
        "qmail-no-mailbox",
        _DAEMON,
        "failure notice",
        _QMAIL.format(words="Sorry, no mailbox here by that name. (#5.1.1)"),
        "failed",
        "5.1.1",
        True,
    ),
    Bounce(
        "qmail-remote-refuses",
        _DAEMON,
        "failure notice",
        _QMAIL.format(words="198.51.100.7 does not like recipient.\nRemote host said: 550 No such user here\nGiving up on 198.51.100.7."),
        "failed",
        "",
        True,
    ),
    Bounce(
        "qmail-no-host",
        _DAEMON,
        "failure notice",
        _QMAIL.format(words="Sorry, I couldn't find any host named initech.example. (#5.1.2)"),
        "failed",
        "5.1.2",
        True,
    ),
    Bounce(
        "qmail-timeout",
        _DAEMON,
        "failure notice",
        _QMAIL.format(words="Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)"),
        "failed",
        "4.4.1",
        False,
    ),
    Bounce(
        "qmail-without-daemon",
        "server@mx.initech.example",
        "Nachricht",
        _QMAIL.format(words="Mailbox does not exist. (#5.1.1)"),
        "failed",
        "5.1.1",
        True,
    ),
    # --- sendmail
    Bounce(
        "sendmail-unknown-user",
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.initech.example>",
        "Returned mail: see transcript for details",
        "The original message was received at Sat, 21 Nov 2026 10:00:02 GMT\nfrom mail.support.example [192.0.2.10]\n\n"
        f"   ----- The following addresses had permanent fatal errors -----\n<{NORA}>\n"
        f"    (reason: 550 5.1.1 <{NORA}>... User unknown)\n\n   ----- Transcript of session follows -----\n"
        f"... while talking to mx.initech.example.:\n>>> DATA\n<<< 550 5.1.1 <{NORA}>... User unknown\n"
        f"550 5.1.1 <{NORA}>... User unknown\n",
        "failed",
        "5.1.1",
        True,
        dsn=_fields("5.1.1", f"SMTP; 550 5.1.1 <{NORA}>... User unknown"),
    ),
    Bounce(
        "sendmail-warning",
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.initech.example>",
        "Warning: could not send message for past 4 hours",
        "    **********************************************\n"
        "    **      THIS IS A WARNING MESSAGE ONLY      **\n"
        "    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n"
        "    **********************************************\n\n"
        "   ----- Transcript of session follows -----\n"
        f"<{NORA}>... Deferred: Connection refused by mx.initech.example.\nWarning: message still undelivered after 4 hours\n"
        "Will keep trying until message is 5 days old\n",
        "delayed",
        "4.4.1",
        False,
        dsn=_fields("4.4.1", action="delayed"),
    ),
    Bounce(
        "sendmail-old-plain",
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.initech.example>",
        "Returned mail: User unknown",
        f"   ----- The following addresses had permanent fatal errors -----\n<{NORA}>\n\n"
        f"   ----- Transcript of session follows -----\n550 <{NORA}>... User unknown\n\n   ----- Original message follows -----\n"
        f"{RETURNED}",
        "failed",
        "",
        True,
    ),
    # --- Microsoft
    Bounce(
        "office365-english",
        "postmaster@initech.example",
        "Undeliverable: [#1042] Player is blank",
        _OUTLOOK.format(
            head="Delivery has failed to these recipients or groups:",
            said="The email address you entered couldn't be found.",
            admins="Diagnostic information for administrators:",
            words="550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
            original="Original message headers:",
        ),
        "failed",
        "5.1.10",
        True,
        dsn=_fields(
            "5.1.10", "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient nora@initech.example not found by SMTP address lookup"
        ),
        headers={"Auto-Submitted": "auto-replied", "X-MS-Exchange-Message-Is-Ndr": ""},
    ),
    Bounce(
        "office365-german-plain",
        "postmaster@initech.example",
        "Unzustellbar: [#1042] Player is blank",
        _OUTLOOK.format(
            head="Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:",
            said="Die eingegebene E-Mail-Adresse konnte nicht gefunden werden.",
            admins="Diagnoseinformationen für Administratoren:",
            words="550 5.1.1 RESOLVER.ADR.RecipNotFound; not found",
            original="Ursprüngliche Nachrichtenkopfzeilen:",
        ),
        "failed",
        "5.1.1",
        True,
    ),
    Bounce(
        "office365-french-plain",
        "postmaster@initech.example",
        "Non remis : [#1042] Player is blank",
        _OUTLOOK.format(
            head="Échec de la remise à ces destinataires ou groupes :",
            said="La boîte aux lettres du destinataire est pleine.",
            admins="Informations de diagnostic pour les administrateurs :",
            words="554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",
            original="En-têtes de message d'origine :",
        ),
        "failed",
        "5.2.2",
        False,
    ),
    Bounce(
        "office365-spanish-plain",
        "postmaster@initech.example",
        "No entregado: [#1042] Player is blank",
        _OUTLOOK.format(
            head="No se pudo entregar el mensaje a los siguientes destinatarios o grupos:",
            said="No se encontró la dirección de correo electrónico que escribió.",
            admins="Información de diagnóstico para los administradores:",
            words="550 5.1.10 RESOLVER.ADR.RecipientNotFound",
            original="Encabezados de mensaje originales:",
        ),
        "failed",
        "5.1.10",
        True,
    ),
    Bounce(
        "office365-access-denied",
        "postmaster@initech.example",
        "Undeliverable: [#1042] Player is blank",
        "Delivery has failed to these recipients or groups:\n\nYour message to nora@initech.example couldn't be delivered.\n",
        "failed",
        "5.4.1",
        True,
        dsn=_fields("5.4.1", "smtp;550 5.4.1 Recipient address rejected: Access denied. [AM0PR04.eurprd04.prod.outlook.com]"),
    ),
    Bounce(
        "office365-blocked",
        "postmaster@initech.example",
        "Undeliverable: [#1042] Player is blank",
        "Delivery has failed to these recipients or groups:\n\n"
        "Your message couldn't be delivered because the sender is not allowed to send to it.\n",
        "failed",
        "5.7.133",
        False,
        dsn=_fields(
            "5.7.133", "smtp;550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; not a known recipient"
        ),
    ),
    Bounce(
        "exchange-html-only",
        "Microsoft Outlook <MicrosoftExchange329e71ec@initech.example>",
        "Undeliverable: [#1042] Player is blank",
        f"<html><head><style>p {{ color: red }}</style></head><body><p>Delivery has failed to these recipients or "
        f'groups:</p><p><a href="mailto:{NORA}">{NORA}</a></p><p>The email address wasn&#8217;t found.</p></body></html>',
        "failed",
        "5.1.1",
        True,
        dsn=_fields("5.1.1", host="AM0PR04.prod.outlook.com"),
        html=True,
    ),
    Bounce(
        "exchange-delayed",
        "postmaster@initech.example",
        "Delivery delayed: [#1042] Player is blank",
        f"Delivery is delayed to these recipients or groups:\n\n{NORA}\n\n"
        "This message hasn't been delivered yet. Delivery will continue to be attempted.\n",
        "delayed",
        "4.4.7",
        False,
        dsn=_fields("4.4.7", action="delayed"),
    ),
    Bounce(
        "outlook-com",
        "postmaster@hotmail.com",
        "Delivery Status Notification (Failure)",
        "This is an automatically generated Delivery Status Notification.\n\nDelivery to the following recipients failed.\n\n"
        f"       {NORA}\n",
        "failed",
        "5.5.0",
        True,
        dsn=_fields("5.5.0", "smtp;550 Requested action not taken: mailbox unavailable", host="COL004-MC1F7.hotmail.com"),
    ),
    # --- Google
    Bounce(
        "gmail-old-plain",
        _GMAIL,
        "Delivery Status Notification (Failure)",
        f"Delivery to the following recipient failed permanently:\n\n     {NORA}\n\nTechnical details of permanent failure: \n"
        f"DNS Error: Domain name not found\n\n----- Original message -----\n\n{RETURNED}",
        "failed",
        "",
        True,
        headers={"X-Failed-Recipients": NORA},
    ),
    Bounce(
        "gmail-address-not-found",
        _GMAIL,
        "Delivery Status Notification (Failure)",
        "\n** Address not found **\n\n"
        f"Your message wasn't delivered to {NORA} because the address couldn't be found, or is unable to receive mail.\n\n\n\n"
        "The response was:\n\n550 5.1.1 The email account that you tried to reach does not exist.\n",
        "failed",
        "5.1.1",
        True,
        dsn=_fields(
            "5.1.1",
            "smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try\n"
            " 550-5.1.1 double-checking the recipient's email address",
            host="googlemail.com",
        ),
        headers={"X-Failed-Recipients": NORA, "Auto-Submitted": "auto-replied"},
    ),
    Bounce(
        "gmail-disabled",
        _GMAIL,
        "Delivery Status Notification (Failure)",
        f"** Message not delivered **\n\nYour message couldn't be delivered to {NORA}.\n",
        "failed",
        "5.2.1",
        True,
        dsn=_fields("5.2.1", "smtp; 550 5.2.1 The email account that you tried to reach is inactive."),
    ),
    Bounce(
        "gmail-blocked",
        _GMAIL,
        "Delivery Status Notification (Failure)",
        f"** Message blocked **\n\nYour message to {NORA} has been blocked.\n\nThe response was:\n\n"
        "550 5.7.1 This message has been blocked because it contains prohibited content.\n",
        "failed",
        "5.7.1",
        False,
        headers={"X-Failed-Recipients": NORA},
    ),
    Bounce(
        "gmail-incomplete",
        _GMAIL,
        "Delivery Status Notification (Delay)",
        "** Delivery incomplete **\n\n"
        f"There was a temporary problem delivering your message to {NORA}. Gmail will retry for 46 more hours. You'll be "
        "notified if the delivery fails permanently.\n",
        "delayed",
        "",
        False,
        headers={"X-Failed-Recipients": NORA},
    ),
    # --- Relays and providers
    Bounce(
        "amazon-ses",
        "MAILER-DAEMON@eu-west-1.amazonses.com",
        "Delivery Status Notification (Failure)",
        f"An error occurred while trying to deliver the mail to the following recipients:\n{NORA}\n",
        "failed",
        "5.1.1",
        True,
        dsn=_fields(
            "5.1.1",
            "smtp; 550 5.1.1 <nora@initech.example>: Email address could not be found, or was misspelled (G8)",
            host="a4-1.smtp-out.eu-west-1.amazonses.com",
        ),
        returned="message/rfc822",
    ),
    Bounce(
        "amazon-ses-suppressed",
        "MAILER-DAEMON@amazonses.com",
        "Delivery Status Notification (Failure)",
        f"The following message to <{NORA}> was undeliverable.\nThe reason for the problem:\n"
        "5.1.0 - Unknown address error 550-'No such user'\n",
        "failed",
        "5.1.0",
        True,
    ),
    Bounce(
        "yahoo",
        "MAILER-DAEMON@yahoo.com",
        "Failure Notice",
        f"Sorry, we were unable to deliver your message to the following address.\n\n<{NORA}>:\n"
        f"554: delivery error: dd This user doesn't have a yahoo.com account ({NORA}) [0] - mta4211.mail.bf1.yahoo.com\n\n"
        f"--- Below this line is a copy of the message.\n\n{RETURNED}",
        "failed",
        "",
        True,
    ),
    Bounce(
        "gmx",
        "GMX Mailer Daemon <mailer-daemon@gmx.net>",
        "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of\nits recipients. This is a permanent error.\n\n"
        f"The following address failed:\n\n<{NORA}>:\nRequested action not taken: mailbox unavailable\n\n"
        f"--- The header of the original message is following. ---\n\n{RETURNED}",
        "failed",
        "",
        True,
    ),
    Bounce(
        "webde-full",
        "WEB.DE Mailer Daemon <mailer-daemon@web.de>",
        "Mail delivery failed: returning message to sender",
        f"This message was created automatically by mail delivery software.\n\nThe following address failed:\n\n<{NORA}>:\n"
        "Quota exceeded. The recipients mailbox is full.\n\n--- The header of the original message is following. ---\n\n"
        f"{RETURNED}",
        "failed",
        "",
        False,
    ),
    Bounce(
        "t-online",
        "Mail Delivery System <mailer-daemon@t-online.de>",
        "Mail delivery failed: returning message to sender",
        "|------------------------- Message log follows: -------------------------|\n"
        " no valid recipients were found for this message\n"
        f"|------------------------- Failed addresses follow: ---------------------|\n <{NORA}> ... unknown user\n"
        f"|------------------------- Message text follows: ------------------------|\n{RETURNED}",
        "failed",
        "",
        True,
    ),
    Bounce(
        "qq",
        "PostMaster@qq.com",
        "系统退信",
        f"抱歉，您的邮件被退回来了……\n\n收件人邮件地址（{NORA}）不存在，邮件无法送达。\n\n"
        "host mx3.qq.com said: 550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help (in reply to RCPT TO command)\n",
        "failed",
        "",
        True,
        headers={"X-Failed-Recipients": NORA},
    ),
    Bounce(
        "163",
        "Postmaster@163.com",
        "系统退信/Systems bounce",
        f"退信原因：\n收件人{NORA} 用户不存在\nSMTP error, RCPT TO: 550 User not found: {NORA}\n",
        "failed",
        "5.0.0",
        True,
        dsn=_fields("5.0.0", f"smtp; 550 User not found: {NORA}", host="163.com"),
    ),
    Bounce(
        "mail-ru",
        "mailer-daemon@corp.mail.ru",
        "Mail failure.",
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\nrecipients. The following address(es) failed:\n\n"
        f"  {NORA}\n    Message was not accepted -- invalid mailbox.  Local mailbox {NORA} is unavailable: user not found\n\n"
        f"------ This is a copy of the message's header. ------\n\n{RETURNED}",
        "failed",
        "",
        True,
        headers={"X-Mailer-Daemon-Recipients": NORA},
    ),
    Bounce(
        "orange",
        "MAILER-DAEMON@orange.fr",
        "Undelivered Mail Returned to Sender",
        f"Bonjour,\n\nVotre message n'a pas pu être remis à <{NORA}>.\n\n"
        "host smtp-in.orange.fr[193.252.22.65] said: 550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416\n",
        "failed",
        "5.1.1",
        True,
    ),
    Bounce(
        "docomo",
        "Mail Delivery Subsystem <mailer-daemon@docomo.ne.jp>",
        "Returned mail: User unknown",
        f"The following addresses had delivery problems:\n\n<{NORA}>\n\n    550 Unknown user {NORA}\n\n宛先のメールアドレスが見つかりません。\n",
        "failed",
        "",
        True,
    ),
    Bounce(
        "domino",
        "Mail Router <postmaster@initech.example>",
        "DELIVERY FAILURE: User nora (nora@initech.example) not listed in Domino Directory",
        "Your message\n\n  Subject: [#1042] Player is blank\n\nwas not delivered to:\n\n  nora@initech.example\n\nbecause:\n\n"
        "  User nora (nora@initech.example) not listed in Domino Directory\n",
        "failed",
        "5.1.1",
        True,
        dsn=_fields("5.1.1", "X-Notes; User nora (nora@initech.example) not listed in Domino Directory"),
    ),
    Bounce(
        "barracuda-spam",
        "postmaster@initech.example",
        "**Message you sent blocked by our bulk email filter**",
        f"Your message to: {NORA}\n"
        "was blocked by our Spam Firewall. The email you sent with the following subject has NOT BEEN DELIVERED:\n\n"
        "Subject: [#1042] Player is blank\n",
        "failed",
        "5.7.1",
        False,
        dsn=_fields("5.7.1", "smtp; 550 5.7.1 Message content rejected, UBE, id=12345"),
    ),
    Bounce(
        "mimecast",
        "postmaster@initech.example",
        "[Postmaster] Email Delivery Failure",
        f"Could not deliver message to the following recipient(s):\n\nFailed Recipient: {NORA}\n"
        "Reason: Remote host said: 550 Invalid Recipient - https://community.mimecast.example/docs/DOC-1369#550 [abc]\n\n"
        f"   -- The header and top 20 lines of the message follows --\n\n{RETURNED}",
        "failed",
        "",
        True,
    ),
    Bounce(
        "mailenable",
        "Postmaster <POSTMASTER@initech.example>",
        "Message Delivery Failure",
        "MailEnable: Message could not be delivered to some recipients.\nThe following recipient(s) could not be reached:\n\n"
        f"\tRecipient: [SMTP:{NORA}]\n"
        "\tReason: The message could not be delivered because the domain name (initech.example) does not appear to be "
        f"registered: domain not found.\n\nMessage headers follow:\n\n{RETURNED}",
        "failed",
        "",
        True,
    ),
    Bounce(
        "groupwise-without-fields",
        "Mailer-Daemon@initech.example",
        "Message status - undeliverable",
        f"The message that you sent was undeliverable to the following:\n\tnora (Mailbox closed: user no longer with us)\n\n{NORA}\n",
        "failed",
        "",
        True,
        headers={"In-Reply-To": f"<{OURS}>"},
    ),
    Bounce(
        "quoted-with-marks",
        _DAEMON,
        "Delivery failure",
        f"Could not be delivered:\n\n<{NORA}>: 550 5.1.1 no such user\n\n> Message-ID:\n>  <{OURS}>\n> Subject: [#1042] Player is blank\n",
        "failed",
        "5.1.1",
        True,
    ),
    # --- By machines that hardly say they are
    Bounce(
        "courier",
        '"Courier mail server at mx.initech.example" <@>',
        "NOTICE: mail delivery status.",
        "This is a delivery status notification from mx.initech.example,\nrunning the Courier mail server, version 0.65.3.\n\n"
        "                           UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n"
        f"<{NORA}>:\n    mx2.initech.example [198.51.100.8]:\n>>> RCPT TO:<{NORA}>\n<<< 550 5.1.1 <{NORA}>... User Unknown\n",
        "failed",
        "5.1.1",
        True,
    ),
    Bounce(
        "dragonfly",
        "MAILER-DAEMON <>",
        "Mail delivery failed",
        "This is the DragonFly Mail Agent v0.13 at mx.initech.example.\n\n"
        f"There was an error delivering your mail to <{NORA}>.\n\nmx2.initech.example [198.51.100.8] did not like our RCPT TO:\n550 No such user\n\n"
        f"Message headers follow.\n\n{RETURNED}",
        "failed",
        "",
        True,
    ),
    Bounce(
        "interscan",
        '"InterScan Messaging" <imss@initech.example>',
        "Mail could not be delivered",
        "****** Message from InterScan Messaging Security Suite ******\n\n"
        f"Sent <<< RCPT TO:<{NORA}>\nReceived >>> 550 5.1.1 <{NORA}>... user unknown\nUnable to deliver message to <{NORA}>.\n",
        "failed",
        "5.1.1",
        True,
    ),
    Bounce(
        "null-sender-alone",
        "Post <post@initech.example>",
        "Ihre Nachricht",
        f"Die Nachricht konnte nicht zugestellt werden / could not be delivered:\n\n{NORA}\n550 unknown user\n",
        "failed",
        "",
        True,
    ),
    Bounce(
        "delayed-without-code",
        "mailer-daemon@initech.example",
        "Delivery Status",
        "This is an automatically generated Delivery Status Notification.\n\nTHIS IS A WARNING MESSAGE ONLY.\n\n"
        f"Delivery to the following recipients has been delayed.\n\n       {NORA}\n",
        "delayed",
        "",
        False,
    ),
    Bounce(
        "google-empty-fields",
        _GMAIL,
        "Delivery Status Notification (Failure)",
        "** Message not delivered **\n\nThe response was:\n\nUnspecified Error: Smtp server does not advertise AUTH capability\n",
        "failed",
        "",
        False,
        dsn="\n",
        headers={"X-Failed-Recipients": NORA},
    ),
    Bounce(
        "office365-japanese",
        "postmaster@initech.example",
        "配信不能: [#1042] Player is blank",
        _OUTLOOK.format(
            head="次の受信者またはグループへの配信に失敗しました:",
            said="入力したメール アドレスが見つかりませんでした。",
            admins="管理者向けの診断情報:",
            words="550 5.1.10 RESOLVER.ADR.RecipientNotFound",
            original="元のメッセージ ヘッダー:",
        ),
        "failed",
        "5.1.10",
        True,
    ),
    Bounce(
        "italian",
        "MAILER-DAEMON@initech.example",
        "Mancato recapito",
        f"Impossibile recapitare il messaggio a {NORA}:\n550 utente sconosciuto\n",
        "failed",
        "",
        True,
    ),
]
