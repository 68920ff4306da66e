"""Mailbox providers and sending services: Google, Yahoo!, AOL, Apple, GMX, Mail.ru, QQ, Zoho, Amazon SES, SendGrid."""

from __future__ import annotations

from delivery.bounce_formats.notice import Format

FORMATS = (
    Format("Gmail; delays", r"^delivery to the following recipients? has been delayed|^\W*delivery incomplete|^there was a temporary problem (?:while )?delivering your message", action="delayed"),
    Format("Gmail", r"^delivery to the following recipients? failed permanently|^technical details of (?:permanent|temporary) failure|^\W*(?:address not found|message blocked|message not delivered|recipient inbox full|you have reached a limit for sending mail|message rejected|message too large|delivery failed)\W*$|^your message (?:to .{0,100})?(?:wasn't|was not|has been blocked|has been rejected|couldn't)|^there was a problem delivering your message|^an error occurred while trying to deliver"),
    Format("Gmail, other languages", r"^(?:die )?(?:adresse nicht gefunden|nachricht (?:blockiert|wurde nicht zugestellt))|^\W*(?:adresse introuvable|message (?:bloqué|non (?:remis|distribué)))|^\W*(?:no se ha encontrado la dirección|mensaje bloqueado|mensaje no (?:entregado|enviado))|^\W*(?:indirizzo non trovato|messaggio bloccato)|^\W*(?:endereço não encontrado|mensagem bloqueada)|^\W*(?:адрес не найден|письмо не доставлено)|^\W*(?:アドレス不明|メールのブロック|アドレスが見つかりません|メールはブロックされました|配信の未完了|メールが配信されませんでした)|^\W*(?:找不到地址|未找到地址|邮件遭到屏蔽|郵件遭到封鎖)|^\W*(?:주소를 찾을 수 없음|메일이 차단됨)", is_plain=True),
    Format("Google Groups", r"groups\.google\.com/(?:a/.{1,60}/)?support|the group you tried to contact", is_plain=True),
    Format("Yahoo!", r"^sorry, we were unable to deliver your message|^unable to deliver message to the following address"),
    Format("AOL", r"^(?:email returned )?something went wrong|^we were unable to deliver your message to the following|^your mail message to the following address", is_plain=True),
    Format("GMX, WEB.DE, 1&1, Kundenserver", r"^this message was created automatically by mail delivery software|nemesis", is_plain=True),
    Format("Mail.ru, Yandex", r"^это письмо создано автоматически|ваше (?:письмо|сообщение) не (?:может|было|доставлено)|^this is the mail (?:delivery )?system at (?:the )?host \S*yandex", is_plain=True),
    Format("Zoho; delays", r"^message will be retried for \d", action="delayed"),
    Format("Zoho", r"^this message was created automatically by mail delivery system|^\[status: \w+, address:"),
    Format("Amazon SES, WorkMail", r"^an error occurred while trying to deliver the mail to the following|^the following message to .{0,120} was undeliverable|^this message could not be delivered|^technical report:"),
    Format("Amazon SES over SNS", r'"(?:notificationtype|eventtype)":\s?"bounce"'),
    Format("SendGrid, Mailgun, Mandrill", r"^(?:your message|message) (?:was|could not be|couldn't be|has been) (?:not delivered|delivered|rejected|bounced|dropped)|^unfortunately, (?:your|we|the).{0,80}(?:deliver|bounce)", is_plain=True),
    Format("QQ, 163, 126, sohu", r"退信|很抱歉.{0,30}(?:退回|投递|发送)|您(?:的|发送的)邮件.{0,40}(?:退回|失败|无法|未能)|系统退信", is_plain=True),
    Format("Verizon", r"^error: invalid user address|^error message below:", command="rcpt"),
    Format("Verizon, Sprint, T-Mobile", r"^(?:error|message|your message).{0,40}could not be delivered to (?:mobile|the following)|^your (?:text )?message .{0,60}(?:was not delivered|undeliverable|failed)", is_plain=True),
    Format("Facebook, Twitter, Hotmail", r"^(?:the|your) message (?:sent )?to .{0,120}(?:could not be delivered|was (?:undeliverable|blocked|rejected|bounced)|bounced)", is_plain=True),
    Format("Earthlink, Comcast, Cox", r"^(?:sorry, )?your (?:message|mail|e-?mail) (?:to .{0,80})?(?:cannot|could not|was unable to) be? ?deliver|^(?:the )?user'?s?(?:\(s\))? (?:account|mailbox|mail ?box)", is_plain=True),
    Format("Orange, Free, SFR, La Poste", r"^ce message (?:a été|est) (?:généré|créé) automatiquement|votre (?:message|courrier|e-?mail|mail) n'a pas pu|n'a pu être (?:remis|délivré)", is_plain=True),
    Format("T-Online, freenet, Strato", r"^(?:diese|ihre) (?:nachricht|e-?mail|mail) (?:wurde automatisch|konnte|kann)|konnte nicht zugestellt werden", is_plain=True),
)  # fmt: skip
