"""How mail programs announce quoted text, in the languages of our customers.

Patterns only. Each is tried on one short string at a time and is anchored or bounded, so none can backtrack far.
"""

from __future__ import annotations

import re

LONGEST = 600  # nothing that a mail program writes about a quote is longer

_WROTE = (
    "wrote|writes|sent|schrieb|a écrit|a ecrit|escribió|escribio|escreveu|ha scritto|schreef|skrev|kirjoitti"
    r"|napisał\(?a?\)?|napisał\(a\)|napsal\(?a?\)?|napisal\(?a?\)?|написал\(?а?\)?|пишет|писал\(?а?\)?|yazdı|írta"
    "|작성|写道|寫道|さんは書きました|のメッセージ|wrote via .{1,60}"
)
ENDS_WITH_WROTE = re.compile(rf"(?:^|[\s>\"'),])(?:{_WROTE})(?:[\s<(][^:：]{{0,120}})?\s?[:：]$", re.IGNORECASE)
DASHED_WROTE = re.compile(r"-{2,}.{1,200}\bwrote ?-{2,}$")
# What the first line of "On <date>, <name> wrote:" begins with; programs break it into up to four lines.
STARTS_WITH_DATE = re.compile(
    r"\W{0,3}(?:(?:On|Am|Le|El|Il|Em|Op|Den|Dne|Dnia|W dniu|Pada|Il giorno|Em)\s+\S"
    r"|\d{1,4}(?:[./-]\d|年|년|[. ]{1,2}\w)"
    r"|\w{2,12}[.,]{0,2} \d{1,2}[. ]|\w{2,12}[.,]{0,2} \w{3,9}[.,]? \d)"
)
EMAIL = re.compile(r"[<(\[]?(?:mailto:)?[^\s<>()@]{1,64}@[^\s<>()@]{1,255}")
ANGLE_EMAIL = re.compile(r"<\s?(?:mailto:)?[^\s<>@]{1,64}@[^\s<>@]{1,255}>\s?[:：]?$")
TIME_OR_YEAR = re.compile(r"\b\d{1,2}[:.h]\d{2}|\b(?:19|20)\d{2}(?!\d)")
DIGIT = re.compile(r"\d")

ORIGINAL = re.compile(
    r"\W{0,6}-{2,}\s?(?:Original Message|Original Appointment|Reply message|Ursprüngliche Nachricht"
    r"|Original-?Nachricht|Message d.origine|Message original|Mensaje original|Mensagem original"
    r"|Messaggio originale|Oorspronkelijk bericht|Oprindelig meddelelse|Ursprungligt meddelande"
    r"|Opprinnelig melding|Alkuperäinen viesti|Wiadomość oryginalna|Původní zpráva|Исходное сообщение"
    r"|Eredeti üzenet|Orijinal mesaj|原始邮件|元のメッセージ|원본 메시지)\b.{0,60}$",
    re.IGNORECASE,
)
FORWARDED = re.compile(
    r"\W{0,4}(?:-{2,}\s?(?:(?:Original )?Forwarded message|Weitergeleitete Nachricht|Message transféré"
    r"|Mensaje reenviado|Mensagem encaminhada|Messaggio inoltrato|Doorgestuurd bericht|Videresendt (?:besked|melding)"
    r"|Vidarebefordrat (?:meddelande|brev)|Przekazana wiadomość|Treść przekazanej wiadomości|Přeposlaná zpráva"
    r"|Пересылаемое сообщение|Пересланное сообщение|转发(?:的)?邮件|転送メッセージ)"
    r"|(?:Begin forwarded message|Anfang der weitergeleiteten (?:E-?Mail|Nachricht)|Début du message (?:réexpédié|transféré)"
    r"|Inizio messaggio inoltrato|Inicio del mensaje reenviado|Begin doorgestuurd bericht"
    r"|Start på vidarebefordrat meddelande|Videresendt melding):)",
    re.IGNORECASE,
)
FORWARD_SUBJECT = re.compile(
    r"\s*(?:fwd?|wg|tr|rv|enc|doorst|vs|vb|vl|pd|i|fs|ynt|пересл|转发|轉寄)\s?(?:\[\d{1,3}\])?\s?[:：]", re.IGNORECASE
)
REPLY_ABOVE = re.compile(r"\W{0,8}(?:please )?(?:type|write|enter|reply|respond)\b.{0,40}\babove this line\W{0,8}$", re.IGNORECASE)

RULE = re.compile(r"[\s>*]{0,4}[-_=—]{5,200}\s*$")
DASHES = re.compile(r"--[ \xa0]?$")
LIST_RULE = re.compile(r"_{20,}\s*$")
LIST_FOOTER = re.compile(r".{0,100}(?:mailing list|listinfo|/lists?/)", re.IGNORECASE)
MOBILE = re.compile(
    r"\W{0,2}(?:(?:Sent (?:from|via|with|using) (?:my |the |Mail |Outlook|Yahoo|Proton|Gmail|a mobile|Samsung)"
    r"|Von meinem |Gesendet (?:von|mit|aus) |Envoyé (?:de|depuis|à partir de) |Enviado (?:desde|do|de|pelo) "
    r"|Inviato (?:da|dal) |Verzonden (?:vanaf|met|vanuit) |Verstuurd vanaf |Skickat från |Sendt fra |Lähetetty "
    r"|Wysłan[oe] z |Odesláno z |Отправлено (?:с|из) |iPhoneから送信|发自我的|從我的 )(?:[^\s.,!?]{1,30} ?){0,5}"
    r"|(?:Get|Hol dir|Obtenez|Obtener|Scarica|Download|Hent|Hämta) Outlook (?:for|für|pour|para|per|voor|til|för) .{1,60})"
    r"\W{0,3}(?:<[^<>\s]{1,200}>)?\s*$"
)

_LABELS = {
    "from": "From|Von|De|Da|Van|Od|Från|Fra|Lähettäjä|От|От кого|Kimden|Gönderen|Feladó|发件人|寄件者|差出人|보낸 ?사람",
    "sent": "Sent|Gesendet|Envoyé|Envoyé le|Enviado|Enviado el|Enviada em|Inviato|Verzonden|Skickat|Sendt|Wysłano"
    "|Wysłane|Odesláno|Отправлено|Lähetetty|Gönderildi|Elküldve|发送时间|寄件日期|送信日時|보낸 ?날짜",
    "date": "Date|Datum|Fecha|Data|Dato|Дата|Päivämäärä|Tarih|Dátum|日期|日付",
    "to": "To|An|À|A|Para|Aan|Till|Til|Do|Komu|Кому|Vastaanottaja|Kime|Címzett|收件人|收件者|宛先|받는 ?사람",
    "subject": "Subject|Betreff|Objet|Asunto|Assunto|Oggetto|Onderwerp|Ämne|Emne|Temat|Předmět|Тема|Aihe|Konu|Tárgy|主题|主旨|件名|제목",
    "other": "Cc|Bcc|Kopie|Kopi|Kopia|Copie|Copia|DW|Копия|抄送|副本|참조|Reply-To|Importance|Attachments|Organization|Priority|Requester",
}
_LABEL = re.compile(
    r"[\s*_]{0,8}(?:" + "|".join(f"(?P<{kind}>{words})" for kind, words in _LABELS.items()) + r")[*_]{0,2}[ \xa0]?[:：]",
    re.IGNORECASE,
)


def label(text: str) -> str:
    """Which header of a quoted mail `text` is ("from", "sent", ...), '' if none."""
    match = _LABEL.match(text[:LONGEST])
    return (match.lastgroup or "") if match else ""
