"""The tables of phrases, one row a language or program: what a customer's mail program writes around the words that count."""

from __future__ import annotations

import textwrap

import pytest

from tickets.mail.parse import ParsedMail, parse

TYPED = "It still fails, sorry.\nThe red lamp is on."
OLD = "Dear Ana,\n\nplease restart the printer.\n\nKind regards\nBob"
BOB = "Bob Old <bob@desk.example>"


def read(text: str, *, subject: str = "Re: Printer") -> ParsedMail:
    return parse(f"Subject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{text}".encode())


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def wrapped(line: str) -> str:
    return "\n".join(textwrap.wrap(line, 60, break_long_words=False, break_on_hyphens=False))


# Labels of Outlook's header block, in the order from, sent, to, copy, subject; then a date as it is written there.
HEADER_BLOCKS = [
    "From|Sent|To|Cc|Subject|Monday, March 2, 2026 9:00 AM",
    "Von|Gesendet|An|Cc|Betreff|Montag, 2. März 2026 09:00",
    "De |Envoyé |À |Cc |Objet |lundi 2 mars 2026 09:00",
    "De |Envoyé le |À |Cc |Objet |lundi 2 mars 2026 09:00",
    "De|Enviado|Para|CC|Asunto|lunes, 2 de marzo de 2026 9:00",
    "De|Enviado el|Para|CC|Asunto|lunes, 2 de marzo de 2026 9:00",
    "De|Enviada em|Para|Cc|Assunto|segunda-feira, 2 de março de 2026 09:00",
    "De|Enviado|Para|Cc|Assunto|segunda-feira, 2 de março de 2026 09:00",
    "Da|Inviato|A|Cc|Oggetto|lunedì 2 marzo 2026 09:00",
    "Van|Verzonden|Aan|CC|Onderwerp|maandag 2 maart 2026 09:00",
    "Från|Skickat|Till|Kopia|Ämne|den 2 mars 2026 09:00",
    "Fra|Sendt|Til|Cc|Emne|2. marts 2026 09:00",
    "Fra|Sendt|Til|Kopi|Emne|mandag 2. mars 2026 09.00",
    "Lähettäjä|Lähetetty|Vastaanottaja|Kopio|Aihe|maanantai 2. maaliskuuta 2026 9.00",
    "Od|Wysłane|Do|DW|Temat|poniedziałek, 2 marca 2026 09:00",
    "Od|Wysłano|Do|DW|Temat|poniedziałek, 2 marca 2026 09:00",
    "Od|Odesláno|Komu|Kopie|Předmět|pondělí 2. března 2026 9:00",
    "Od|Odoslané|Komu|Kópia|Predmet|pondelok 2. marca 2026 9:00",
    "Feladó|Elküldve|Címzett|Másolatot kap|Tárgy|2026. március 2., hétfő 9:00",
    "De la|Trimis|Către|Cc|Subiect|luni, 2 martie 2026 09:00",
    "От|Изпратено|До|Копие|Относно|понеделник, 2 март 2026 г. 09:00",
    "Από|Στάλθηκε|Προς|Κοιν.|Θέμα|Δευτέρα, 2 Μαρτίου 2026 9:00 πμ",
    "Kimden|Gönderildi|Kime|Bilgi|Konu|2 Mart 2026 Pazartesi 09:00",
    "Gönderen|Gönderilme Tarihi|Kime|Bilgi|Konu|2 Mart 2026 Pazartesi 09:00",
    "От|Отправлено|Кому|Копия|Тема|2 марта 2026 г. 9:00",
    "Від|Надіслано|Кому|Копія|Тема|понеділок, 2 березня 2026 р. 09:00",
    "Šalje|Poslano|Prima|Kopija|Predmet|ponedjeljak, 2. ožujka 2026. 9:00",
    "Od|Poslano|Za|Kp|Zadeva|ponedeljek, 2. marec 2026 09:00",
    "Od|Poslato|Za|Kopija|Predmet|ponedeljak, 2. mart 2026. 09:00",
    "Saatja|Saadetud|Adressaat|Koopia|Teema|esmaspäev, 2. märts 2026 09:00",
    "No|Nosūtīts|Kam|Kopija|Tēma|pirmdiena, 2026. gada 2. marts 09:00",
    "Nuo|Išsiųsta|Kam|Kopija|Tema|2026 m. kovo 2 d., pirmadienis 09:00",
    "差出人|送信日時|宛先|CC|件名|2026年3月2日 9:00",
    "发件人|发送时间|收件人|抄送|主题|2026年3月2日 9:00",
    "寄件者|寄件日期|收件者|副本|主旨|2026年3月2日 上午 09:00",
    "寄件者|傳送時間|收件者|副本|主旨|2026年3月2日 上午 09:00",
    "보낸 사람|보낸 날짜|받는 사람|참조|제목|2026년 3월 2일 월요일 오전 9:00",
    "\u200f\u200fמאת|\u200f\u200fנשלח|\u200f\u200fאל|\u200f\u200fעותק|\u200f\u200fנושא|יום שני 02 מרץ 2026 09:00",
    "\u200f\u200fمن|\u200f\u200fتاريخ الإرسال|\u200f\u200fإلى|نسخة|\u200f\u200fالموضوع|02/مارس/2026 09:00 ص",
    "จาก|ส่ง|ถึง|สำเนาถึง|เรื่อง|2 มีนาคม 2569 9:00",
    "Từ|Đã gửi|Đến|Cc|Chủ đề|2 Tháng Ba 2026 9:00 SA",
    "Dari|Dikirim|Kepada|Cc|Subjek|02 Maret 2026 9:00",
    "De|Enviat el|Per a|A/c|Tema|dilluns, 2 de març de 2026 9:00",
]


@pytest.mark.parametrize("row", HEADER_BLOCKS)
@pytest.mark.parametrize("rule", ["_" * 32 + "\n", "----- Xyzzy -----\n", ""])
def test_reply_when_outlook_quotes_below_labels_then_ends_there(row: str, rule: str) -> None:
    sender, sent, to, copy, subject, date = row.split("|")
    block = f"{rule}{sender}: {BOB}\n{sent}: {date}\n{to}: Ana\n{copy}: Eve <eve@x.example>\n{subject}: Printer\n\n{OLD}"
    assert read(f"{TYPED}\n\n{block}").reply_text == TYPED


@pytest.mark.parametrize("row", HEADER_BLOCKS)
def test_reply_when_outlook_labels_are_bold_and_people_have_no_address_then_ends_there(row: str) -> None:
    sender, sent, to, _copy, subject, date = (field.strip() for field in row.split("|"))
    block = f"*{sender}:* Old, Bob\n*{sent}:* {date}\n*{to}:* Ford, Ana\n*{subject}:* Printer\n\n{OLD}"
    assert read(f"{TYPED}\n\n{block}").reply_text == TYPED


# "On ... wrote:" of the programs that write an address
ATTRIBUTIONS = [
    f"On Mon, Mar 2, 2026 at 9:00\u202fAM {BOB} wrote:",
    f"On Mon, 2 Mar 2026 at 09:00, {BOB} wrote:",
    f"Am Mo., 2. März 2026 um 09:00 Uhr schrieb {BOB}:",
    f"{BOB} schrieb am Mo., 2. März 2026, 09:00:",
    f"Le lun. 2 mars 2026 à 09:00, {BOB} a écrit :",
    "El lun, 2 mar 2026 a las 9:00, Bob Old (<bob@desk.example>) escribió:",
    f"El lun, 2 de mar. de 2026 9:00 a. m., {BOB} escribió:",
    f"Em seg., 2 de mar. de 2026 às 09:00, {BOB} escreveu:",
    f"{BOB} escreveu (segunda, 2/03/2026 à(s) 09:00):",
    f"{BOB} escreveu no dia segunda, 2/03/2026 à(s) 09:00:",
    f"Il giorno lun 2 mar 2026 alle ore 09:00 {BOB} ha scritto:",
    f"Il lun 2 mar 2026, 09:00 {BOB} ha scritto:",
    f"Op ma 2 mrt 2026 om 09:00 schreef {BOB}:",
    f"Den mån 2 mars 2026 kl 09:00 skrev {BOB}:",
    f"Den man. 2. mar. 2026 kl. 09.00 skrev {BOB}:",
    f"man. 2. mars 2026 kl. 09:00 skrev {BOB}:",
    "ma 2. maalisk. 2026 klo 9.00 Bob Old (bob@desk.example) kirjoitti:",
    f"pon., 2 mar 2026 o 09:00 {BOB} napisał(a):",
    f"po 2. 3. 2026 v 9:00 odesílatel {BOB} napsal:",
    f"po 2. 3. 2026 o 9:00 {BOB} napísal(a):",
    f"{BOB} ezt írta (időpont: 2026. márc. 2., H, 9:00):",
    f"În lun., 2 mar. 2026 la 09:00, {BOB} a scris:",
    f"На пн, 2.03.2026 г. в 9:00 ч. {BOB} написа:",
    f"Στις Δευ 2 Μαρ 2026 στις 9:00 π.μ., ο/η {BOB} έγραψε:",
    f"{BOB}, 2 Mar 2026 Pzt, 09:00 tarihinde şunu yazdı:",
    f"пн, 2 мар. 2026 г. в 09:00, {BOB}:",
    f"пн, 2 бер. 2026 р. о 09:00 {BOB} пише:",
    f"pon, 2. ožu 2026. u 09:00 {BOB} napisao je:",
    f"V V pon., 2. mar. 2026 ob 09:00 je oseba {BOB} napisala:",
    f"пон, 2. мар 2026. у 09:00 {BOB} је написао/ла:",
    f"2026-03-02, pr, 09:00 {BOB} rašė:",
    "pirmd., 2026. g. 2. marts, plkst. 09:00 — lietotājs Bob Old (<bob@desk.example>) rakstīja:",
    "Bob Old (<bob@desk.example>) kirjutas kuupäeval E, 2. märts 2026 kell 09:00:",
    f"2026年3月2日(月) 9:00 {BOB}:",
    f"{BOB} 于2026年3月2日周一 09:00写道：",
    f"{BOB} 於 2026年3月2日 週一 上午9:00寫道：",
    f"2026년 3월 2일 (월) 오전 9:00, {BOB}님이 작성:",
    f"Vào Th 2, 2 thg 3, 2026 vào lúc 09:00 {BOB} đã viết:",
    f"Pada tanggal Sen, 2 Mar 2026 pukul 09.00 {BOB} menulis:",
    f"ในวันที่ จ. 2 มี.ค. 2026 เวลา 09:00 {BOB} เขียนว่า:",
    "\u202bבתאריך יום ב׳, 2 במרץ 2026 ב-9:00 מאת \u202aBob Old\u202c\u200f <\u202abob@desk.example\u202c\u200f>:\u202c",
    f"في الاثنين، 2 مارس 2026 في 9:00 ص تمت كتابة ما يلي بواسطة {BOB}:",
    f"در تاریخ دوشنبه ۲ مارس ۲۰۲۶،\u200f ۹:۰۰ {BOB} نوشت:",
    f"Missatge de {BOB} del dia dl., 2 de març 2026 a les 9:00:",
    f"सोम, 2 मार्च 2026 को 9:00 am बजे को {BOB} ने लिखा:",
    f"On Mar 2, 2026, at 9:00\u202fAM, {BOB} wrote:",
    f"Am 02.03.2026 um 09:00 schrieb {BOB}:",
    f"Le 2 mars 2026 à 09:00, {BOB} a écrit :",
    f"No dia 02/03/2026, às 09:00, {BOB} escreveu:",
    f"Em 2 de mar. de 2026, à(s) 09:00, {BOB} escreveu:",
    f"Il giorno 2 mar 2026, alle ore 09:00, {BOB} ha scritto:",
    f"Op 2 mrt 2026, om 09:00 heeft {BOB} het volgende geschreven:",
    f"2 mars 2026 kl. 09:00 skrev {BOB}:",
    f"{BOB} kirjoitti 2.3.2026 kello 9.00:",
    f"Wiadomość napisana przez {BOB} w dniu 2 mar 2026, o godz. 09:00:",
    f"2. 3. 2026 v 9:00, {BOB}:",
    f"2026. márc. 2. dátummal, 9:00 időpontban {BOB} írta:",
    f"Στις 2 Μαρ 2026, στις 9:00 π.μ., ο χρήστης {BOB} έγραψε:",
    f"{BOB} şunları yazdı (2 Mar 2026 09:00):",
    f"2 марта 2026 г., в 09:00, {BOB} написал(а):",
    f"2026/03/02 9:00、{BOB}のメール:",
    f"2026年3月2日 09:00，{BOB} 写道：",
    f"2026. 3. 2. 오전 9:00, {BOB} 작성:",
    f"Pe 2 mar. 2026, la 09:00, {BOB} a scris:",
    f"On Monday, March 2, 2026 at 09:00:00 AM GMT+1, {BOB} wrote: ",
    f"Am Montag, 2. März 2026 um 09:00:00 MEZ hat {BOB} Folgendes geschrieben: ",
    f"Le lundi 2 mars 2026 à 09:00:00 UTC+1, {BOB} a écrit : ",
    f"El lunes, 2 de marzo de 2026, 09:00:00 CET, {BOB} escribió: ",
    f"Il lunedì 2 marzo 2026 alle ore 09:00:00 CET, {BOB} ha scritto: ",
    f"Em segunda-feira, 2 de março de 2026 às 09:00:00 BRT, {BOB} escreveu: ",
    f"Понедельник, 2 марта 2026, 9:00 +03:00 от {BOB}:",
    '02.03.2026, 09:00, "Bob Old" <bob@desk.example>:',
    f"On 2 Mar 2026, 9:00 +0100, {BOB}, wrote:",
    'At 2026-03-02 09:00:00, "Bob Old" <bob@desk.example> wrote:',
    '在 2026-03-02 09:00:00，"Bob Old" <bob@desk.example> 写道：',
    f"On Monday, March 2nd, 2026 at 9:00 AM, {BOB} wrote:",
    f"Am 2. März 2026 09:00:00 MEZ schrieb {BOB}:",
    f"On Mar 2, 2026, 9:00 AM, at 9:00 AM, {BOB} wrote:",
    "On 2 March 2026 at 09:00:00, Bob Old (bob@desk.example) wrote:",
    f"On Mon, 2 Mar 2026 09:00:00 +0100\n{BOB} wrote:",
    f"Quoting {BOB}:",
    f"Zitat von {BOB}:",
    f"---- On Mon, 02 Mar 2026 09:00:00 +0100 {BOB} wrote ---",
    f" ---- On Mon, 02 Mar 2026 09:00:00 +0100 {BOB} wrote ----",
    f">>> {BOB} 02.03.2026 09:00 >>>",
    f"-----{BOB} wrote: -----",
    f"On Mar 2 2026, at 9:00 am, {BOB} wrote:",
    f"On March 2, 2026, {BOB} wrote:",
    'Dne 02.03.26 9:00, "Bob Old" <bob@desk.example> napsal(a):',
    'D. 02.03.2026 09.00 skrev "Bob Old" <bob@desk.example>:',
    'Am 02.03.26, 09:00 schrieb "Bob Old" <bob@desk.example>:',
    'On 02/03/2026, 09:00, "Bob Old" <bob@desk.example> wrote:',
    'El 2/3/26, 9:00, "Bob Old" <bob@desk.example> escribió:',
    "Le 02/03/2026 09:00, « Bob Old » <bob@desk.example> a écrit :",
    f"{BOB} kirjoitti 2.3.2026 klo 9.00:",
    "2026. 03. 02. 9:00 időpontban Bob Old (<bob@desk.example>) ezt írta:",
    'Il giorno 02/03/26, 09:00 "Bob Old" <bob@desk.example> ha scritto:',
    f"Op 02-03-2026 09:00 heeft {BOB} geschreven:",
    f"{BOB} skrev følgende den 02.03.2026 09:00:",
    "Dnia 02.03.2026, 09:00 „Bob Old” <bob@desk.example> napisał:",
    'Em 02/03/2026, 09:00, "Bob Old" <bob@desk.example> escreveu:',
    '02.03.2026, 9:00 пользователь "Bob Old" <bob@desk.example> написал:',
    "2. 3. 2026, 9:00 používateľ Bob Old (<bob@desk.example>) napísal:",
    'Den 2026-03-02 09:00 skrev "Bob Old" <bob@desk.example> följande:',
    '"Bob Old" <bob@desk.example>, 2.03.2026 09:00 tarihinde şunu yazdı:',
    "In a message dated 3/2/2026 9:00:00 AM Eastern Standard Time, bob@desk.example writes:",
    f"{BOB} schrieb am Montag, 2. März 2026:",
    "On 02/03/2026 09:00, bob@desk.example wrote:",
    "Le 02/03/2026 à 09:00, bob@desk.example a écrit :",
    "On Monday, March 2, 2026 at 9:00:00 AM UTC+1 bob@desk.example wrote:",
    "El lun., 2 de marzo de 2026 9:00, Bob Old<bob@desk.example> escribió:",
    f"2026-03-02 9:00 GMT+01:00 {BOB}:",
    'On Mar 2, 2026 9:00 AM, "Bob Old" <bob@desk.example> wrote:',
    f"Le lun. 2 mars 2026, 09 h 00, {BOB} a écrit :",
    f"W dniu pon., 2.03.2026 o 09:00 {BOB} napisał(a):",
]
# and of those that write a name alone: only a quote below makes it one
NAME_ONLY = [
    "On 3/2/26 9:00 AM, Bob Old wrote:",
    "Am 02.03.26 um 09:00 schrieb Bob Old:",
    "Le 02/03/2026 à 09:00, Bob Old a écrit :",
    "El 2/3/26 a las 9:00, Bob Old escribió:",
    "Il 02/03/2026 09:00, Bob Old ha scritto:",
    "Op 02-03-2026 om 09:00 schreef Bob Old:",
    "W dniu 2.03.2026 o 09:00, Bob Old pisze:",
    "Dne 02. 03. 26 v 9:00 Bob Old napsal(a):",
    "Den 2026-03-02 kl. 09:00, skrev Bob Old:",
    "Bob Old kirjoitti 2.3.2026 klo 9.00:",
    "02.03.2026 9:00, Bob Old пишет:",
    "2026. 03. 02. 9:00 keltezéssel, Bob Old írta:",
    "2.03.2026 09:00 tarihinde Bob Old yazdı:",
    "Em 02/03/2026 09:00, Bob Old escreveu:",
    "在 2026/3/2 9:00, Bob Old 写道:",
    "02.03.26 09:00, Bob Old пише:",
    "Dňa 2. 3. 2026 o 9:00 Bob Old napísal(a):",
    "Pe 02.03.2026 09:00, Bob Old a scris:",
    "Στις 2/3/26 09:00, ο/η Bob Old έγραψε:",
    "Dne 2. 03. 2026 ob 09:00 je Bob Old napisal(a):",
    "Bob Old wrote on 3/2/26 9:00 AM:",
    "Bob Old schreef op 2026-03-02 09:00:",
    "Am 2026-03-02 09:00, schrieb Bob Old:",
    "On Mon, Mar 02, 2026 at 09:00:00AM +0100, Bob Old wrote:",
    "On Mon, 2 Mar 2026, Bob Old wrote:",
    "Am Montag, dem 02.03.2026 um 09:00 +0100 schrieb Bob Old:",
    "Monday, March 2, 2026, 9:00:00 AM, you wrote:",
    "Bob Old <bob@desk.example> writes:",
    "Bob Old writes:",
    "At 09:00 AM 3/2/2026, Bob Old wrote:",
    "Am Montag, 2. März 2026, 09:00:00 CET schrieb Bob Old:",
    "On Mon, 2 Mar 2026, at 9:00 AM, Bob Old wrote:",
]


@pytest.mark.parametrize("line", [*ATTRIBUTIONS, *NAME_ONLY])
def test_reply_when_quote_is_attributed_then_both_are_folded(line: str) -> None:
    mail = read(f"{TYPED}\n\n{line}\n\n{quoted(OLD)}")
    assert (mail.reply_text, mail.quoted_text.splitlines()[-1]) == (TYPED, "> Bob")


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_reply_when_attribution_is_broken_into_lines_then_all_are_folded(line: str) -> None:
    assert read(f"{TYPED}\n\n{wrapped(line)}\n{quoted(OLD)}").reply_text == TYPED


@pytest.mark.parametrize("line", [line for line in ATTRIBUTIONS if "2026" in line])
def test_reply_when_attributed_text_bears_no_marks_then_ends_there(line: str) -> None:
    assert read(f"{TYPED}\n\n{line}\n\n{OLD}").reply_text == TYPED


ORIGINALS = [
    '----- Mail original -----\nDe: "Bob Old" <b@x.eu>\nÀ: "Ana" <a@x.eu>\nEnvoyé: Lundi 2 Mars 2026 09:00:00\nObjet: Printer',
    '----- Ursprüngliche Mail -----\nVon: "Bob Old" <b@x.eu>\nAn: "Ana" <a@x.eu>\nGesendet: 2. März 2026 09:00:00\nBetreff: Printer',
    '------------------ 原始邮件 ------------------\n发件人: "Bob Old" <b@x.eu>;\n发送时间: 2026年3月2日9:00\n收件人: "Ana"<a@x.eu>;\n主题: Printer',
    '------------------ Original ------------------\nFrom:  "Bob Old"<b@x.eu>;\nDate:  Mon, Mar 2, 2026 09:00 AM\nTo:  "Ana"<a@x.eu>;\nSubject:  Printer',
    '-----Original Message-----\nFrom: "Bob Old" <b@x.eu>\nTo: "Ana" <a@x.eu>;\nCc:\nSent: 2026-03-02 (월) 09:00:00 (GMT+09:00)\nSubject: Printer',
    "--------- 원본 메일 ---------\n보낸사람: Bob Old <b@x.eu>\n받는사람: Ana <a@x.eu>\n날짜: 2026년 3월 2일 월요일, 09시 00분\n제목: Printer",
    'Gesendet: 2. März 2026 um 09:00 Uhr\nVon: "Bob Old" <b@x.eu>\nAn: a@x.eu\nBetreff: Printer',
    'Sent: Monday, March 02, 2026 at 9:00 AM\nFrom: "Bob Old" <b@x.eu>\nTo: a@x.eu\nSubject: Printer',
    '------ Original Message ------\nFrom "Bob Old" <b@x.eu>\nTo a@x.eu\nDate 02.03.2026 09:00:00\nSubject Printer',
    '------ Originalnachricht ------\nVon "Bob Old" <b@x.eu>\nAn a@x.eu\nDatum 02.03.2026 09:00:00\nBetreff Printer',
    "From:\tBob Old/Desk\nTo:\tAna Ford/Acme@Acme\nDate:\t02.03.2026 09:00\nSubject:\tRe: Printer",
    "Von:        Bob Old/Desk@desk.example\nAn:        Ana Ford/Acme@Acme\nDatum:        02.03.2026 09:00\nBetreff:        Printer",
    "-----Original Message-----\nFrom: Bob Old <b@x.eu>\nTo: a@x.eu\nSent: Mon, Mar 2, 2026 9:00 am\nSubject: Printer",
    "-----Mensaje original-----\nDe: Bob Old\nEnviado el: lunes, 2 de marzo de 2026 9:00\nPara: Ana\nAsunto: Printer",
    "-----Oryginalna wiadomość-----\nOd: Bob Old\nWysłane: 2 marca 2026\nDo: Ana\nTemat: Printer",
    "---------- Původní e-mail ----------\nOd: Bob Old <b@x.eu>\nKomu: a@x.eu\nDatum: 2. 3. 2026 9:00:00\nPředmět: Printer",
    "-----Mensagem Original-----\nDe: Bob Old\nEnviada em: segunda\nPara: Ana\nAssunto: Printer",
    "-------- Original Message --------\nSubject: \tPrinter\nDate: \tMon, 2 Mar 2026 09:00:00 +0100\nFrom: \tBob Old <b@x.eu>\nTo: \ta@x.eu",
    "Dnia 2 marca 2026 09:00 Bob Old <b@x.eu> napisał(a):",
    "02.03.2026, 09:00, от Bob Old <b@x.eu>:",
    "--- Ursprüngliche Nachricht ---\nVon: Bob Old <b@x.eu>\nDatum: 02.03.2026 09:00:00\nAn: a@x.eu\nBetreff: Printer",
    "----Messaggio originale----\nDa: b@x.eu\nData: 02/03/2026 9.00\nA: <a@x.eu>\nOgg: Printer",
    "envoyé : 2 mars 2026 à 09:00\nde : Bob Old <b@x.eu>\nà : a@x.eu\nobjet : Printer",
    "On 03/02/2026 9:00 AM CET Bob Old <b@x.eu> wrote:",
    "Bob Old <b@x.eu> hat am 02.03.2026 09:00 CET geschrieben:",
    '-----Original-Nachricht-----\nBetreff: Printer\nDatum: 2026-03-02T09:00:00+0100\nVon: "Bob Old" <b@x.eu>\nAn: "a@x.eu"',
    "-------- Оригинално писмо --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "-------- Oorspronklike boodskap --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "-------- Mensaxe orixinal --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "-------- Opprinnelig e-post --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "-------- Ursprungligt mejl --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "-------- Alkuperäinen Viesti --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "-------- Messaggio Originale --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "-------- Algne kiri --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "-------- Originele bericht --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "-------- Původní zpráva --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "-------- Izvorno sporočilo --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "-------- Eredeti levél --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "-------- Původní Zpráva --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "-------- Isi asli --------\nSubject: x\nDate: 2026\nFrom: Bob Old <b@x.eu>\nTo: Ana",
    "De la: Bob Old <b@x.eu>\nDestinatarul: Ana\nSubiectul: x\nDată: 2 martie 2026",
    "Expeditorul: Bob Old <b@x.eu>\nSubiectul: x\nData: 2 martie 2026\nDestinatarul: Ana",
    "Отправитель: Bob Old <b@x.eu>\nТема: x\nДата: 2 марта 2026\nКому: Ana",
    "Від кого: Bob Old <b@x.eu>\nТема: x\nДата: 2 березня\nКому: Ana",
    "Mittente: Bob Old <b@x.eu>\nOggetto: x\nData: 2 marzo\nA: Ana",
    "Nadawca: Bob Old <b@x.eu>\nTemat: x\nData: 2026\nAdresat: Ana",
    "Sujet : x\nDate : lundi\nDe : Bob Old <b@x.eu>\nPour : Ana",
    "Naslov: x\nDatum: 2026\nŠalje: Bob Old <b@x.eu>\nPrima: Ana",
    "Od: Bob Old <b@x.eu>\nPredmet: x\nDátum: 2026\nPre: Ana",
    "Da: Bob\nData: lunedì, 2 marzo 2026 alle ore 09:00\nA: Ana\nOggetto: x",
    "Fra: Bob\nDato: mandag 2. mars 2026 kl. 09:00\nTil: Ana\nEmne: x",
    "Från: Bob\nDatum: måndag, 2 mars 2026 09:00\nTill: Ana\nÄmne: x",
    "Lähettäjä: Bob\nPäiväys: maanantai 2. maaliskuuta 2026\nVastaanottaja: Ana\nAihe: x",
    "De: Bob\nData: segunda-feira\nPara: Ana\nAssunto: x",
    "Kimden: Bob\nTarih: 2 Mart 2026\nKime: Ana\nKonu: x",
    "From: Bob\nReply-To: Bob\nDate: Monday\nTo: Ana\nSubject: x",
    "From: Bob Old <b@x.eu>\nDate: Mon, Mar 2, 2026 at 9:00 AM\nSubject: x\nTo: Ana",
    "From: Bob Old [mailto:bob@desk.example]\nSent: Monday\nTo: Ana\nSubject: x",
    "From: Bob Old [mailto:bob@desk.example]\nSent: Monday\nTo: Ana\nCc: A; B; C\n D; E\nImportance: High\nSubject: x",
    "**From:** Bob\n**Sent:** Monday\n**To:** Ana\n**Subject:** x",
    "*From: *Bob <bob@desk.example>\n*Date: *Monday\n*To: *Ana\n*Subject: *x",
    "De : Bob Old <b@x.eu>\n\nEnvoyé : lundi\n\nÀ : Ana\n\nObjet : x",
    "From : Bob\nTo : Ana\nDate : Monday\nSubject : x",
    "Van: Bob\nDatum: maandag\nAan: Ana\nOnderwerp: x",
]


@pytest.mark.parametrize("block", ORIGINALS)
def test_reply_when_original_follows_then_ends_there(block: str) -> None:
    assert read(f"{TYPED}\n\n{block}\n\n{OLD}").reply_text == TYPED


MOBILE_SIGNATURES = [
    "Sent from my iPhone",
    "Sent from my iPad",
    "Sent from my Samsung Galaxy smartphone.",
    "Sent from Yahoo Mail on Android",
    "Sent from Yahoo Mail for iPhone",
    "Sent from Outlook for Android",
    "Sent from Proton Mail for iOS",
    "Sent with Proton Mail secure email.",
    "Sent from my BlackBerry 10 smartphone.",
    "Sent from my Huawei phone",
    "Sent via BlackBerry by AT&T",
    "Von meinem iPhone gesendet",
    "Von meinem Samsung Galaxy Smartphone gesendet.",
    "Gesendet von Outlook für Android",
    "Gesendet von meinem Mobiltelefon",
    "Gesendet mit der mobilen Mail App",
    "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
    "Envoyé de mon iPhone",
    "Envoyé à partir de Outlook pour Android",
    "Envoyé depuis mon appareil Galaxy",
    "Enviado desde mi iPhone",
    "Enviado desde Outlook para Android",
    "Enviado do meu iPhone",
    "Enviado via iPhone",
    "Obter o Outlook para iOS",
    "Inviato da iPhone",
    "Inviato dal mio iPad",
    "Scarica Outlook per iOS",
    "Verstuurd vanaf mijn iPhone",
    "Verzonden vanaf mijn Galaxy",
    "Outlook voor Android downloaden",
    "Skickat från min iPhone",
    "Hämta Outlook för iOS",
    "Sendt fra min iPhone",
    "Hent Outlook til iOS",
    "Hent Outlook for iOS",
    "Lähetetty iPhonesta",
    "Hanki Outlook for iOS",
    "Wysłane z iPhone'a",
    "Wysłano z iPhone'a",
    "Pobierz program Outlook dla systemu Android",
    "Odesláno z iPhonu",
    "Odoslané z iPhonu",
    "Az iPhone készülékemről küldve",
    "iPhone-ról küldve",
    "Trimis de pe iPhone-ul meu",
    "Изпратено от моят iPhone",
    "Στάλθηκε από το iPhone μου",
    "iPhone'umdan gönderildi",
    "Отправлено с iPhone",
    "Отправлено из мобильной Почты Mail.ru",
    "Отправлено из мобильной Яндекс.Почты",
    "Надіслано з iPhone",
    "Poslano s mog iPhone uređaja",
    "Poslano iz mojega iPhonea",
    "iPhoneから送信",
    "发自我的iPhone",
    "從我的 iPhone 傳送",
    "나의 iPhone에서 보냄",
    "נשלח מה-iPhone שלי",
    "تم الإرسال من الـ iPhone",
    "ส่งจาก iPhone ของฉัน",
    "Đã gửi từ iPhone của tôi",
    "Dikirim dari iPhone saya",
    "Enviat des del meu iPhone",
    "Saadetud minu iPhone'ist",
    "Išsiųsta iš mano iPhone",
    "Nosūtīts no mana iPhone",
    "发自我的华为手机",
    "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "Get [Outlook for iOS](https://aka.ms/o0ukef)",
    "Outlook for Android を入手",
    "Outlook for iOS を入手",
    "Sent from my Verizon, Samsung Galaxy smartphone",
    "Sent from my T-Mobile 5G Device",
    "Sent from AOL on Android",
    "Sent from Mail for Windows 10",
    "Envoyé à l’aide de Courrier pour Windows",
    "Envoyé de mon mobile Orange",
    "Sent from Gmail Mobile",
    "Gesendet von Mail für Windows",
    "Von meinem iPad gesendet",
    "Enviado do Correio para Windows",
    "Enviado do meu smartphone Samsung Galaxy.",
    "Verzonden vanuit Outlook voor iOS",
    "Sendt fra Outlook til Android",
    "Skickat från Outlook för iOS",
    "Inviato da Libero Mail per Android",
    "Отправлено с моего iPhone",
    "Sent with Spark",
    "Sent from Front",
    "Sent via Superhuman",
    "Sent from ProtonMail Mobile",
    "Envoyé avec Proton Mail",
    "Sent from Yahoo Mail. Get the app",
    "Yahoo Mail: Search, Organize, Conquer",
    "Sent from TypeApp",
    "Get BlueMail for Android",
    "Sent from myMail for iOS",
    "Gesendet mit BlueMail",
    "Download BlueMail for Android",
]


@pytest.mark.parametrize("line", MOBILE_SIGNATURES)
def test_reply_when_phone_signs_then_is_without_it(line: str) -> None:
    mail = read(f"{TYPED}\n\n{line}\n")
    assert (mail.reply_text, mail.quoted_text) == (TYPED, line)


FORWARDS = [
    "---------- Forwarded message ---------",
    "-------- Weitergeleitete Nachricht --------",
    "---------- Weitergeleitete Nachricht ----------",
    "-------- Message transféré --------",
    "---------- Message transmis ----------",
    "---------- Mensaje reenviado ----------",
    "---------- Mensagem encaminhada ---------",
    "---------- Messaggio inoltrato ---------",
    "-------- Doorgestuurd bericht --------",
    "---------- Vidarebefordrat meddelande ----------",
    "---------- Videresendt meddelelse ---------",
    "---------- Edelleenlähetetty viesti ----------",
    "-------- Välitetty viesti --------",
    "---------- Przekazana wiadomość ---------",
    "-------- Přeposlaná zpráva --------",
    "-------- Preposlaná správa --------",
    "-------- Továbbított üzenet --------",
    "-------- Mesaj redirecționat --------",
    "-------- Препратено съобщение --------",
    "-------- Προωθημένο μήνυμα --------",
    "---------- İletilen mesaj ---------",
    "---------- Yönlendirilmiş ileti ----------",
    "---------- Пересылаемое сообщение ----------",
    "-------- Перенаправленное сообщение --------",
    "---------- Forwarded message ---------\nВід:",
    "-------- Прослеђена порука --------",
    "-------- Proslijeđena poruka --------",
    "-------- Posredovano sporočilo --------",
    "---------- 転送されたメッセージ ----------",
    "-------- 転送メッセージ --------",
    "-------- 转发的消息 --------",
    "---------- 转发邮件信息 ----------",
    "---------- 轉寄郵件 ----------",
    "---------- 전달된 메일 ----------",
    "---------- הודעה שהועברה ---------",
    "---------- رسالة معاد توجيهها ---------",
    "Begin forwarded message:",
    "Anfang der weitergeleiteten Nachricht:",
    "Début du message transféré :",
    "Inicio del mensaje reenviado:",
    "Início da mensagem encaminhada:",
    "Begin doorgestuurd bericht:",
    "Inizio messaggio inoltrato:",
    "Vidarebefordrat brev:",
    "Start på videresendt besked:",
    "Videresendt melding:",
    "Välitetty viesti alkaa:",
    "Początek przekazywanej wiadomości:",
    "Začátek přeposílané zprávy:",
    "Továbbított levél kezdete:",
    "İletilmiş mesajın başlangıcı:",
    "Начало переадресованного сообщения:",
    "Початок листа, що пересилається:",
    "転送されたメッセージ:",
    "开始转发的邮件：",
    "下面是被转发的邮件：",
    "전달된 메시지 시작:",
    "----- Forwarded by Bob Old/Desk on 03/02/2026 09:00 AM -----",
    "----- Weitergeleitet von Bob Old/Desk am 02.03.2026 09:00 -----",
    "----- Forwarded message from Bob Old <bob@desk.example> -----",
    "Début du message réexpédié :",
    "Započni proslijeđenu poruku:",
    "Início da mensagem reencaminhada:",
    "Începe mesajul redirecționat:",
    "Začiatok preposlanej správy:",
    "Vidarebefordrat mejl:",
    "İleti başlangıcı:",
    "-------- Mensagem reencaminhada --------",
    "----- Перенаправлене повідомлення -----",
    "-------- Välitetty viesti / Fwd.Msg --------",
    "--- Treść przekazanej wiadomości ---",
    "-------- Preposlaná správa --- Forwarded Message --------",
    "-------- İletilen İleti --------",
    "-------- Переслане повідомлення --------",
    "----- İletilmiş Mesaj -----",
    "-------- Edastatud kiri --------",
    "-------- Missatge reenviat --------",
    "-------- رسالة ممرّرة --------",
    "-------- Накіраваны ліст --------",
    "-------- Birbidalitako mezua --------",
    "-------- Trochstjoerd berjocht --------",
    "-------- Persiųstas laiškas --------",
    "-------- Pārsūtītā vēstule --------",
    "-------- Áframsent bréf --------",
    "-------- 전달된 메시지 --------",
    "-------- 轉寄訊息 --------",
    "-------- 转发邮件 --------",
]


@pytest.mark.parametrize("marker", FORWARDS)
def test_reply_when_mail_is_forwarded_then_is_kept_whole(marker: str) -> None:
    mail = read(f"{TYPED}\n\n{marker}\n\nFrom: {BOB}\nSent: 2 March 2026\nSubject: x\n\n{OLD}", subject="Printer")
    assert mail.quoted_text == ""


@pytest.mark.parametrize(
    "prefix",
    [
        "Fwd:",
        "FW:",
        "Fw :",
        "WG:",
        "TR:",
        "RV:",
        "ENC:",
        "I:",
        "PD:",
        "VB:",
        "VL:",
        "VS:",
        "Redir.:",
        "Videresend:",
        "Doorst:",
        "İLT:",
        "ΠΡΘ:",
        "TOV:",
        "转发:",
        "轉寄：",
        "전달:",
        "הועבר:",
        "[EXTERNAL] FW:",
        "[x] [y] Fwd:",
        "(Fwd)",
        "[Fwd:",
        "Fwd[2]:",
    ],
)
def test_reply_when_subject_says_forwarded_then_is_kept_whole(prefix: str) -> None:
    assert read(f"{TYPED}\n\nFrom: {BOB}\nSent: 2 March 2026\nSubject: x\n\n{OLD}", subject=f"{prefix} Printer").quoted_text == ""


@pytest.mark.parametrize("prefix", ["Re:", "AW: WG:", "YNT:", "SV:", "RE: FW:", "Antw:", "Forwarding broken", "Imac:"])
def test_reply_when_subject_says_answered_then_quote_is_folded(prefix: str) -> None:
    assert read(f"{TYPED}\n\nFrom: {BOB}\nSent: 2 March 2026\nSubject: x\n\n{OLD}", subject=f"{prefix} Printer").reply_text == TYPED


REPLY_LINES = [
    "##- Bitte schreiben Sie Ihre Antwort über\ndiese Zeile -##",
    "##- Please write your answer above this line -##",
    "##- Bitte schreiben Sie Ihre Antwort über diese Zeile -##",
    "##- Veuillez écrire votre réponse au-dessus de cette ligne -##",
    "##- この行の上に返信を書いてください -##",
    "##- Please type your reply above this line -##",
    "## In replies all text above this line is added to the ticket ##",
    "-- reply above this line --",
    "--- Reply above this line ---",
    "--- Please reply above this line ---",
    "=== Please reply above this line ===",
    "- Reply above this line to respond -",
    "*** Please do not write below this line ***",
    "--- Antworten Sie oberhalb dieser Zeile ---",
    "===== Schreiben Sie Ihre Antwort oberhalb dieser Linie =====",
    "--- Répondez au-dessus de cette ligne ---",
    "--- Responda por encima de esta línea ---",
    "-=-=-=-=-=-=-=-=- Please type above this line -=-=-=-=-=-=-=-=-",
    "—————— Reply above this line ——————",
    "---- Write ABOVE THIS LINE to post a reply ----",
    "##~- Please type your reply above this line -~##",
]


@pytest.mark.parametrize("line", REPLY_LINES)
def test_reply_when_helpdesk_asks_to_answer_above_then_ends_there(line: str) -> None:
    assert read(f"{TYPED}\n\n{line}\n\n{OLD}").reply_text == TYPED


@pytest.mark.parametrize(
    "above",
    [
        "Am 2-a de marto 2026 je 09:00, Bob Old skribis jene:",
        "Hii ni 2026, Bob aliandika:",
        "Sendinto: Bob Old\nSendita: 2-a de marto 2026\nRicevonto: Ana\nTemo: Printer",
        "_" * 32 + "\nSendinto: Bob Old\nSendita: 2-a de marto 2026\nRicevonto: Ana\nTemo: Printer",
    ],
)
def test_reply_when_our_line_follows_an_attribution_in_any_language_then_that_is_folded(above: str) -> None:
    assert read(f"{TYPED}\n\n{above}\n\n##- x y z -##\n\n{OLD}").reply_text == TYPED


TYPED_LINES = [
    "On Friday I will call you.\nThanks",
    "Name: Ana Ford\nEmail: ana@acme.example\nDate: 2026-03-02\nOrder: 5531\nMessage: broken",
    "From: Berlin\nTo: Hamburg\nDate: 5 May 2026\nPlease book it.",
    "He wrote:\nI want my money back.",
    "On 2 March I wrote to you.\nNobody answered:\nwhy?",
    "Sent from my desk, which is better than a phone.\nBye",
    "The log says:\n2026-03-02 09:00:01 ERROR bob@desk.example: no route\n2026-03-02 09:00:02 retry",
    "Steps:\n1. On 2026-03-02 at 9:00 I pressed start\n2. It wrote: E5\nPlease help",
    "Subject: is wrong in your form\nDate: is missing",
    "Please change:\nFrom: old@acme.example\nTo: new@acme.example\nin our account.",
    "Von: Montag\nBis: Freitag\nDatum: offen",
    "Get Outlook for iOS does not work for me.\nWhat now?",
    "We sent from our warehouse:\n- 3 boxes\n- 2 pallets",
    "________________________________\nPlease sign above.\nThen send it back.",
    "Begin of the week is fine.\nPlease reply above this line of work",
    "Am Montag, 2. März 2026 um 9 Uhr kommt der Techniker:\nHerr Bob, bitte einplanen.",
    "Le 2 mars 2026 à 09:00 nous avons noté :\n- lampe rouge\n- bruit",
    "I got this from Bob <bob@desk.example>:\nhe says it is fine.\nIs it?",
    "Original message was lost.\nOriginal Message: none",
    "De: 9h\nA: 12h\nmerci",
    "Two dashes -- and\n--verbose flag",
    "Nummer 12:\nwrote:\nzwei",
    "I wrote to bob@desk.example on 2 March 2026 and he said:\nno.",
    "On Monday 2 March 2026 I asked Bob:\nis it on?",
    "From: our office in Berlin\nDate: any day\nwe can come.",
    "See the error of 09:00:\n-----\nERR\n-----\nThanks",
    "My address:\nAna Ford\nSent: never",
    "Question 1:\n---- wrote ----\nanswer",
    "---- step 1 ----\nI forwarded the port\n---- step 2 ----\nIt fails",
    "I read what Bob <bob@desk.example> wrote:\nbut it does not help.",
    "The mail of Bob (bob@desk.example) from 2026:\nis missing",
    "To: do\nSubject: to change\nFrom: tomorrow",
    "Please write above the line.\nok",
    "Order date: 2026-03-02\nFrom: Shop\nTotal: 5",
    "The driver is for Outlook for iOS.",
    "We use Outlook for Android",
    "Sent from: Berlin\nTo: Rome",
    "It was gesendet vom iPhone gestern, oder?",
    "My phone is a Galaxy sent by you",
    "I got an iPhone from you",
]


@pytest.mark.parametrize("text", TYPED_LINES)
def test_reply_when_typed_words_look_like_marks_then_are_kept(text: str) -> None:
    assert read(f"Hello,\n\n{text}").reply_text == f"Hello,\n\n{text}"
