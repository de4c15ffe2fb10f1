"""How mail programs announce quoted text, in the languages of our customers.

Patterns only. Each is tried on one short string at a time and is anchored or bounded, so none can backtrack far.
"""

from __future__ import annotations

import re

LONGEST = 600  # nothing that a mail program writes about a quote is longer
LONGEST_TAIL = 200  # of an attribution, from the verb on: a name, an address and a date

# Left-to-right and right-to-left marks, zero-width and narrow spaces: programs sprinkle them over their own lines.
MARKS = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")

_WROTE = (
    "wrote|writes|sent|schrieb|geschrieben|a [ée]crit|escribi[óo]|escreveu|ha scritto|ha escrit|va escriure|schreef|geschreven|skrev|skrifaði"
    r"|kirjoitti|napisał(?:\(a\)|a)?|napisana przez|pisze|napsal(?:\(a\)|a)?|nap[ií]sala?(?:\(a\))?|napisao(?:/la)?|написао(?:/ла)?"
    r"|написал(?:\(а\)|а)?|писал(?:\(а\)|а)?|написав(?:\(ла\))?|написала|написа|пишет|пише|yazdı|írta|a scris|έγραψε|rašė|rakstīja|kirjutab"
    "|đã viết|menulis|skribis|нап[иі]са[ўв]|kirjutas|نوشت|كتب|بواسطة|כתב|כתבה|מאת|ने लिखा|quoting|zitat von|citando|citat från|citerar"
    "|missatge de"
)
_WROTE_UNSPACED = "작성|写道|寫道|さんは書きました|のメッセージ|のメール|เขียนว่า|เขียน"
WROTE = re.compile(rf"(?<![\w.@-])(?:{_WROTE})(?![\w@])|{_WROTE_UNSPACED}", re.IGNORECASE)
DASHED_WROTE = re.compile(rf"-{{2,}}.{{1,200}}[\s>)](?:{_WROTE}) ?:? ?-{{2,}}$", re.IGNORECASE)
# GroupWise: ">>> Bob <bob@x.example> 02.03.2026 09:00 >>>", above text that bears no marks
GROUPWISE = re.compile(r">>> .{1,200}\d.{0,100} >>>$")
# What the first line of "On <date>, <name> wrote:" begins with; programs break it into up to four lines.
STARTS_WITH_DATE = re.compile(
    r"\W{0,6}(?:(?:On|In a message dated|At|Am|Le|El|Il|Em|Op|Den|Dne|Dňa|Dnia|W dniu|V|Pe|În|På|На|Στις|Vào|Pada|Il giorno|No dia|Kuupäev"
    r"|Wiadomość napisana)\s+\S"
    r"|(?:在|ในวันที่|เมื่อ|في |در تاریخ |בתאריך )\s?\S"
    r"|\d{1,4}(?:[./-]\d|年|년|[. ]{1,2}\w)"
    r"|[^\s\d:;!?]{1,12}[.,]{0,2} \d{1,4}[. -]|[^\W\d]{1,12}[.,]{0,2} \w{3,9}[.,]? \d)"
)
EMAIL = re.compile(r"[<(\[]?(?:mailto:)?[^\s<>()@]{1,64}@[^\s<>()@]{1,255}")
ANGLE_EMAIL = re.compile(r"<\s?(?:mailto:)?[^\s<>@]{1,64}@[^\s<>@]{1,255}>\s?[:：]?$")
# "Ana Ford <ana@x.example> ...": how attributions begin that do not begin with a date.
STARTS_WITH_NAME = re.compile(r"\W{0,3}[^\s<(][^<(:.!?]{0,60}[(<]{1,2}(?:mailto:)?[^\s<>()@]{1,64}@[^\s<>()@]{1,255}[>)]")
SHORT_NAME = re.compile(r"\W{0,3}[^\W\d_][^<(:!?,;]{0,50}$")
TIME_OR_YEAR = re.compile(r"(?<![\d:.])\d{1,2}[:.h]\d{2}|(?<!\d)(?:19|20)\d{2}(?!\d)|[۰-۹]{1,2}:[۰-۹]{2}")
DIGIT = re.compile(r"\d")

ORIGINAL = re.compile(
    r"\W{0,6}-{2,}\s?(?:Original Message|Original Appointment|Reply message|Ursprüngliche (?:Nachricht|Mail|E-Mail)|Original-?Nachricht"
    r"|Message d.origine|Message original|Mail original|Mensaje original|Mensagem original|Messaggio originale|Oorspronkelijk bericht"
    r"|Oprindelig meddelelse|Ursprungligt meddelande|Opprinnelig melding|Alkuperäinen viesti|Wiadomość oryginalna|Oryginalna wiadomość"
    r"|Původní (?:zpráva|e-?mail)|Pôvodná správa|Исходное сообщение|Оригинальное сообщение|Початкове повідомлення|Оригинално съобщение"
    r"|Eredeti üzenet|Mesaj original|Orijinal mesaj|Orijinal İleti|Αρχικό μήνυμα|Izvorna poruka|Originalna poruka|Izvirno sporočilo"
    r"|Algne sõnum|Pradinis pranešimas|Sākotnējais ziņojums|Missatge original|原始邮件|原始郵件|元のメッセージ|원본 (?:메시지|메일)"
    r"|הודעה מקורית|الرسالة الأصلية)(?!\w).{0,60}$",
    re.IGNORECASE,
)
# Stems of "forwarded", in small letters: looking for each costs less than one expression of them all.
_FORWARDED = tuple(
    (
        "forward weitergeleitet transfér transfer transmis réexpédi reenviad reenviat encaminhad inoltrat doorgestuurd vidarebefordra videresend"
        " edelleenlähet välitetty przekaz přepos prepos továbbít redirecțion redirect препрат προωθ letilen letilmiş yönlendir пересыл пересил"
        " переслан перенаправ переадрес прослеђ proslij proslеđ posredova edastat pārsūt persiųs 転送 转发 轉寄 轉發 전달 הועבר توجيه ส่งต่อ"
        " diteruskan chuyển ممر накіраван накірава birbidal trochstjoerd áframsent başlangıcı"
    ).split()
)
_DASHED = re.compile(r"\W{0,4}-{2}")
_LONGEST_FORWARDED = 100
FORWARD_SUBJECT = re.compile(
    r"\s*(?:\[[^\]]{1,40}\]\s{0,3}){0,3}[(\[]?(?:fwd?|wg|tr|rv|reenv|enc|doorst|vs|vb|vl|pd|i|fs|[iİ]lt|tov|továbbít(?:ás|va)|redir\.?"
    r"|videresend|πρθ|пересл"
    r"|转发|转寄|轉寄|轉發|전달|転送|הועבר|إعادة توجيه|chuyển tiếp|ส่งต่อ)\s?(?:\[\d{1,3}\])?(?:\s?[:：]|\))",
    re.IGNORECASE,
)

# Our own reply line and that of other helpdesks: the words are translated, the frame stays.
_ABOVE = (
    r"(?:above|over|below|under) (?:this|the|dotted) (?:dotted )?line|(?:oberhalb|über|unter(?:halb)?) (?:dieser|diese) (?:Zeile|Linie)"
    r"|au-dessus de cette ligne|(?:encima|arriba) de esta l[ií]nea|acima desta linha|sopra (?:di )?questa (?:riga|linea)"
    r"|boven deze (?:regel|lijn)|(?:nad|powyżej) (?:tą|tym|tej) lini|(?:выше|над) этой (?:строк|лини)|ovanför (?:den här |denna )(?:rad|linje)"
    r"|over denne linje|tämän rivin yläpuolel|nad tento řádek|nad tímto řádkem|この(?:行|線)(?:の|より)上|(?:在)?此[行线線](?:以)?上"
)
_REPLY_ABOVE = re.compile(
    r"\W{0,8}##-\s?\S.{3,200}-##\W{0,4}$"
    r"|\W{0,8}(?:please )?(?:type|write|enter|reply|respond)\b.{0,40}\babove this line\W{0,8}$",
    re.IGNORECASE,
)
_FRAMED = re.compile(r"\W{0,3}[-#=*_~—–]{1,30}\s?[^-#=*_~—–].{5,160}[-#=*_~—–]\W{0,3}$")
_SAYS_ABOVE = re.compile(_ABOVE, re.IGNORECASE)

RULE = re.compile(r"[\s>*]{0,4}[-_=—]{5,200}\s*$|\W{0,4}-{3,40}\s?[^-].{0,60}?-{3,40}\W{0,4}$")
LABELLED = re.compile(r"[*_]{0,2}[^\W\d_][^:：]{0,30}[:：]")  # "Label: value" in a language we do not know
DASHES = re.compile(r"--[ \xa0]?$")
LIST_RULE = re.compile(r"_{20,}\s*$")
LIST_FOOTER = re.compile(r".{0,100}(?:mailing list|listinfo|/lists?/)", re.IGNORECASE)
PGP_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"
PGP_SIGNATURE_END = "-----END PGP SIGNATURE-----"
PGP_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"

# A mobile signature is one short line that says "sent" and names a device or a program. All three must be there:
# "Sent from my desk" was typed.
LONGEST_MOBILE = 120
MOBILE_SENT = re.compile(
    r"\W{0,3}(?:Sent (?:from|via|with|using|on|by) |Von mein|Gesendet |Diese (?:Nachricht|E-Mail|Mail) wurde |Envoyé |Enviado |Enviat |Inviato "
    r"|Verzonden |Verstuurd |Skickat |Skickades |Sendt |Lähetetty |Wysłan[oey] |Wiadomość wysłan|Odesláno |Odoslan[éo] |Trimis |Изпратено "
    r"|Στάλθηκε "
    r"|Отправлено |Надіслано |Відправлено |Poslano |Poslato |Послато |Saadetud |Išsiųsta |Nosūtīts |Dikirim |Đã gửi |Gửi từ |ส่งจาก"
    r"|נשלח |تم الإرسال |أُرسلت |أرسل|发自|發自|寄自|從我|从我的)"
    r"|.{1,80}(?:から送信(?:しました|されました)?|에서 보냄|에서 보냈습니다|küldve|gönderildi|gesendet|傳送|傳送的|发送|發送)\W{0,3}$",
    re.IGNORECASE,
)
_DEVICE = (
    r"iPhon|iPad|iPod|Android|Galaxy|Samsung|Outlook|Yahoo|Proton|Gmail|BlackBerry|Huawei|华为|Honor|Xiaomi|小米|Redmi|OPPO|vivo|Nokia|Lumia"
    r"|Xperia|HTC|Motorola|OnePlus|Pixel|Fairphone|Windows|K-9|Tuta|Spark|Mailspring|Spike|Edison|BlueMail|Airmail|eM Client|TypeApp"
    r"|Superhuman|Front\Z|Missive|myMail"
    r"|Mail\.ru|GMX|WEB\.DE"
    r"|T-Online|Mail[ -]App|Mail for|Mail pour|Mail für|mobil|móvil|móvel|handy|phone|tablet|tel[eé]fon|téléphone|telemóvel|cellulare"
    r"|matkapuhelin|telefoon"
    r"|device|appareil|Gerät|dispositivo|készülék|uređaj|laite|смартфон|телефон|планшет|мобильн|мобільн|Яндекс|手机|手機|スマホ|휴대폰|스마트폰"
)
MOBILE_DEVICE = re.compile(rf"{_DEVICE}", re.IGNORECASE)
# Names of makers and programs may stand with "sent from" alone; "my" makes any short noun a device's.
MOBILE_MY = re.compile(r"\W{0,3}Sent (?:from|via|using|on) (?:my|the) (?:[^\s.,!?]{1,30} ?){1,5}\W{0,3}(?:<[^<>\s]{1,200}>)?$")
# What carriers and webmails write as prose.
MOBILE_SLOGAN = re.compile(
    r"Sent from my (?:Verizon|T-Mobile|AT&T|Sprint)\b[^.!?]{0,60}\W{0,2}$|(?:Sent from )?Yahoo Mail(?:: Search, Organize, Conquer"
    r"|\. Get the app)$"
)
MOBILE_PROSE = re.compile(r"[,!?;]|\.\s+(?!Please excuse|Bitte entschuldigen|Excusez|Desculpe|Disculp|Scusa)\w|[:：](?!//)\s")
GET_PROGRAM = re.compile(
    r"\W{0,3}(?:(?:Get|Hol(?:en)?(?: Sie)?(?: dir)?|Obtenez|Obtenir|Télécharger|Téléchargez|Obtener|Obtén|Obtenga|Descargar|Obter|Obtenha"
    r"|Baixar|Baixe|Scarica|Ottieni"
    r"|Download|Hent|Hämta|Skaffa|Få|Hanki|Lataa|Pobierz|Stáhnout|Stáhněte|Získat|Získajte|Получить|Получите|Скачать|Загрузить|Отримати"
    r"|Отримайте"
    r"|Λήψη|Αποκτήστε|Obțineți|Preuzm\w{1,4}|Prenesi\w{0,3}|Laadi|Atsisiųsti|Lejupielādēt|获取|取得|下载|下載) (?:\S{1,12} ){0,2})"
    r"\[?(?:Outlook|BlueMail|Yahoo Mail|Proton Mail|Spark)\b.{1,40}?(?:iOS|Android|Mac|Windows"
    r"|iPhone)\]?\W{0,3}(?:\(?<?https?://[^\s<>]{1,200}[>)]?)?\W{0,3}$"
    r"|\W{0,3}\[?Outlook (?:\S{1,12} ){0,2}(?:iOS|Android|Mac)\]?(?:\(?<https?://[^\s<>]{1,200}>\)?)? ?"
    r"(?:beziehen|herunterladen|abrufen|holen|downloaden|ophalen|を入手|을 다운로드|를 다운로드|다운로드|받기"
    r"|beszerzése|letöltése|uygulamasını edinin|'?u edinin|indir)"
    r"\W{0,3}(?:<https?://[^\s<>]{1,200}>)?$",
    re.IGNORECASE,
)

_LABELS = {
    "from": "From|Sender|Absender|Expéditeur|Remitente|Mittente|Nadawca|Expeditorul|Отправитель|Von|De|De la|Da|Van|Od|Från|Fra|Lähettäjä"
    "|Från|Feladó|Šalje|Pošiljatelj|Pošiljalac|Saatja|No|Nuo|Siuntėjas|Dari|Từ|Nork"
    "|От|От кого|Від|Від кого|Подател|Шаље|Од|Από|Kimden|Gönderen|发件人|發件人|寄件者|寄件人|差出人|送信者|보낸사람|מאת|من|از|จาก",
    "sent": "Sent|Gesendet|Envoyé|Envoyé le|Enviado|Enviado el|Enviada em|Enviada|Enviado em|Enviat|Enviat el|Inviato|Inviato il|Verzonden"
    "|Skickat|Sendt|Wysłano"
    "|Wysłane|Data wysłania|Odesláno|Odoslané|Elküldve|Küldve|Trimis|Lähetetty|Poslano|Poslato|Saadetud|Saatmisaeg|Nosūtīts|Sūtīts|Išsiųsta"
    "|Dikirim|Terkirim"
    "|Đã gửi|Отправлено|Надіслано|Відправлено|Изпратено|Послато|Στάλθηκε|Ημερομηνία αποστολής|Gönderildi|Gönderilme Tarihi|Gönderme Tarihi"
    "|发送时间|發送時間|发送日期|寄件日期|傳送時間|送信日時|보낸날짜|보낸시간|נשלח|تاريخ الإرسال|أرسلت|ارسال شده|ส่ง|ส่งเมื่อ|วันที่ส่ง",
    "date": "Date|Datum|Fecha|Data|Dato|Dată|Дата|Päivämäärä|Päiväys|Tarih|Dátum|Kuupäev|Datums|Ημερομηνία|Ngày|Tanggal|日期|日付|日時|날짜|תאריך"
    "|التاريخ|تاریخ|วันที่",
    "to": "To|Pour|Pre|Adresat|Destinataire|Destinatario|Destinatarul|An|À|A|Para|Per a|Aan|Till|Til|Do|Komu|Кому|Коме|До|За|За кого"
    "|Vastaanottaja|Kime|Alıcı|Címzett|Către|Prima|Za|Primatelj"
    "|Adressaat|Kellele|Saaja|Kam|Kepada"
    "|Đến|Tới|Προς|收件人|收件者|宛先|받는사람|אל|إلى|به|ถึง",
    "subject": "Subject|Sujet|Naslov|Subiectul|Betreff|Objet|Asunto|Assunto|Assumpte|Oggetto|Ogg|Onderwerp|Ämne|Emne|Temat|Předmět|Predmet"
    "|Zadeva|Subiect|Тема"
    "|Относно|Предмет|Aihe|Konu|Tárgy"
    "|Teema|Tēma|Temats|Subjek|Perihal|Chủ đề|Tiêu đề|Θέμα|主题|主題|主旨|件名|제목|נושא|الموضوع|موضوع|เรื่อง|ชื่อเรื่อง|หัวเรื่อง",
    "other": "Cc|Bcc|Kopie|Kopi|Kopia|Kopio|Kopija|Kópia|Koopia|Kp|Copie|Copie à|Copia|A/c|DW|Копия|Копія|Копие|Копија|Másolatot kap|Bilgi"
    "|Κοιν|抄送|副本|참조|עותק|نسخة"
    "|สำเนาถึง|สำเนา|Reply-To|Importance|Attachments|Organization|Priority|Requester|When|Where",
}
_LABEL = re.compile(r"[\s*_>]{0,8}([^\W\d_][^:：*_]{0,30})[*_]{0,2}[ \xa0]?[:：]")


def _key(word: str) -> str:
    return word.lower().replace(" ", "").strip(".\xa0")


_KINDS = {_key(word): kind for kind, words in _LABELS.items() for word in words.split("|")}


def label(text: str) -> str:
    """Which header of a quoted mail `text` is ("from", "sent", ...), '' if none."""
    match = _LABEL.match(text)
    return _KINDS.get(_key(match[1]), "") if match else ""


def is_reply_line(text: str) -> bool:
    """Whether `text` is the line above which a helpdesk wants its answer."""
    return bool(_REPLY_ABOVE.match(text) or (_FRAMED.match(text) and _SAYS_ABOVE.search(text)))


def is_forwarded(text: str) -> bool:
    """Whether `text` is the dashed line above a forwarded message."""
    return len(text) <= _LONGEST_FORWARDED and bool(_DASHED.match(text)) and _says_forwarded(text)


def announces_forward(text: str) -> bool:
    """Whether `text` is "Begin forwarded message:"; headers follow if it is."""
    return text.endswith((":", "：")) and len(text) <= _LONGEST_FORWARDED and _says_forwarded(text)


def _says_forwarded(text: str) -> bool:
    small = text.lower()
    return any(stem in small for stem in _FORWARDED)


def is_mobile_signature(text: str) -> bool:
    """Whether `text` is the line with which a phone or a mail program signs."""
    if len(text) > LONGEST_MOBILE:
        return bool(GET_PROGRAM.match(text))
    if GET_PROGRAM.match(text) or MOBILE_MY.match(text) or MOBILE_SLOGAN.match(text):
        return True
    return bool(MOBILE_SENT.match(text) and MOBILE_DEVICE.search(text) and not MOBILE_PROSE.search(text))
