"""Japanese carriers and providers: docomo, ezweb and au, SoftBank, BIGLOBE, NIFTY, OCN, Yahoo! JAPAN."""

from __future__ import annotations

from delivery.bounce_formats.notice import Format

FORMATS = (
    Format("ezweb, au", r"^each of the following recipients was rejected|^the user\(s\) account is|^the following recipients? (?:was|were) (?:rejected|not)|^following recipients?'? (?:was|were|mailbox)|^the user\(s\)"),
    Format("KDDI, au one net", r"^could not be delivered to:|^as their mailbox is|^the (?:mailbox|user|account) is (?:full|not found)|^your mail sent on:"),
    Format("BIGLOBE", r"^-+ ?the following addresses had delivery problems|^-+ ?non-delivered information"),
    Format("Postfix at Japanese providers", r"メールは一つ以上の宛先に対|下記の(?:宛先|あて先|メール|メッセージ)|次の(?:宛先|あて先|メール|受信者|アドレス)", is_plain=True),
    Format("docomo, SoftBank, NIFTY", r"(?:メール|メッセージ)(?:は|が|を)?.{0,40}(?:配信|送信|お届け|配達|届け|送達).{0,20}(?:でき(?:ません|ない|なかった)|失敗|エラー)|(?:宛先|あて先|送信先).{0,30}(?:見つかりません|存在しません|不明|エラー|誤り)", is_plain=True),
    Format("Active!hunter", r"^\s*-{2,} ?(?:the following|could not be|以下の)|^>>+ ?<?\S+@", is_plain=True),
    Format("any Japanese server", r"(?:エラーメール|配信エラー|送信エラー|不達|メールボックスが(?:いっぱい|一杯)|容量を超え)", is_plain=True),
)  # fmt: skip
