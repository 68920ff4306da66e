"""Groupware: Exchange and Microsoft 365 in their languages, Domino, Notes, GroupWise, IMail, MDaemon, Kerio, Zimbra."""

from __future__ import annotations

from delivery.bounce_formats.notice import Format

EXCHANGE = "Exchange Server, Microsoft 365; learn.microsoft.com: NDRs in Exchange Online"

FORMATS = (
    Format("Exchange, IIS; delays", r"^(?:delivery is delayed to these recipients|delivery to the following recipients? has been delayed|message delivery to (?:these|the following) recipients? .{0,60}delayed|.{0,60}delivery has been delayed)", action="delayed"),
    Format("Exchange; delays in other languages", r"hasn't been delivered yet|delivery will continue to be attempted|die zustellung .{0,60}verzögert|(?:la )?remise .{0,60}(?:retardée|différée)|la entrega .{0,60}retras|il recapito .{0,60}ritard|a entrega .{0,60}atras|配信が?遅延|配信は遅れ|доставка .{0,60}задерж", action="delayed"),
    Format("Exchange Server 5.5, 2000, 2003", r"^your message did not reach some or all of the intended recipients|did not reach the following recipient|the following recipient(?:\(s\)|s)? (?:could not be reached|cannot be reached)"),
    Format("Exchange, IIS SMTP service", r"^this is an automatically generated delivery status notification|^unable to deliver message to the following recipients?|^delivery to the following recipients? (?:has )?failed"),
    Format(EXCHANGE, r"^delivery has failed to these recipients|^your message to .{0,120}(?:couldn't|could not|can't|wasn't) be(?:en)? delivered|^diagnostic information for administrators|^generating server:"),
    Format(EXCHANGE + ", German", r"^ihre nachricht (?:hat|wurde|konnte).{0,80}empfänger|folgende(?:n)? empfänger kann nicht erreicht|fehler bei der (?:zustellung|nachrichtenzustellung)|konnte(?:n)? nicht (?:an .{0,80})?(?:zugestellt|übermittelt) werden|^diagnoseinformationen für administratoren|unzustellbar", is_plain=True),
    Format(EXCHANGE + ", French", r"^votre message n'a pas|n'(?:a|ont) pas pu être (?:atteint|remis|contacté)|échec de la remise|la remise a échoué|n'a pas pu être (?:remis|délivré|distribué|envoyé)|informations de diagnostic|non remis", is_plain=True),
    Format(EXCHANGE + ", Spanish", r"no se (?:pudo|ha podido|puede) (?:entregar|enviar)|error (?:de|en la) entrega|información de diagnóstico|no se entregó", is_plain=True),
    Format(EXCHANGE + ", Italian", r"recapito non riuscito|impossibile recapitare|non è stato (?:possibile )?(?:recapita|consegna)|informazioni di diagnostica|mancato recapito", is_plain=True),
    Format(EXCHANGE + ", Portuguese", r"falha (?:na|de) entrega|não (?:foi possível|pôde ser) entreg|a entrega falhou|informações de diagnóstico|não foi entregue", is_plain=True),
    Format(EXCHANGE + ", Dutch, Swedish, Danish, Polish, Czech", r"bezorging .{0,60}mislukt|leveransen? misslyckades|levering(?:en)? mislyk|dostarczenie .{0,60}nie powiodło|doručení .{0,60}se nezdařilo|nie można dostarczyć", is_plain=True),
    Format(EXCHANGE + ", Russian", r"не удалось доставить|не (?:может быть|было|был|были) доставлен|сведения для диагностики|ошибка доставки", is_plain=True),
    Format(EXCHANGE + ", Japanese", r"(?:受信者|あて先|宛先|グループ).{0,20}(?:配信|配達|送信).{0,12}(?:失敗|できませんでした)|配信不能|(?:配信|配達|送信|お届け)(?:する(?:ことが|こと)?)?(?:に失敗|できませんでした|できません)", is_plain=True),
    Format(EXCHANGE + ", Chinese, Korean", r"(?:邮件|郵件|收件人|传递|傳遞|投递|发送|發送).{0,24}(?:失败|失敗|未能|无法|無法|退回|被退)|(?:无法|未能|無法).{0,20}(?:送达|传递|投递|發送|传送|传输|递送|送達)|(?:배달|전달|전송).{0,12}(?:못했습니다|실패|할 수 없)", is_plain=True),
    Format("HCL Domino", r"^was not delivered to:|^because:$|wurde nicht zugestellt an|n'a pas été (?:remis|distribué) à", is_plain=True),
    Format("Lotus Notes SMTP MTA", r"^-+\s{0,3}failure reasons\s{0,3}-+"),
    Format("Novell GroupWise", r"^the message that you sent (?:was undeliverable|cannot be delivered|could not be delivered)|^undeliverable (?:message|recipients?)", command="rcpt", is_plain=True),
    Format("Ipswitch IMail", r"^(?:user mailbox exceeds allowed size|delivery failed \d+ attempts|unknown user|undeliverable to|unknown host|invalid final delivery userid|mailbox full|user unknown|unable to deliver)\b.{0,4}[: ]", command="rcpt", is_plain=True),
    Format("MDaemon", r"^the (?:attached|following) (?:message|address(?:es)?) (?:had|has) (?:permanent|delivery|the following)|^failed address:|^-+ ?session transcript"),
    Format("MDaemon, Merak; delays", r"^the attached message had transient|transient delivery errors", action="delayed"),
    Format("Kerio Connect, Zimbra, Scalix", r"^your message (?:to .{0,100})?(?:could not be|cannot be|can't be|was not) delivered|^undelivered (?:mail|message)|^this is an? (?:automatic|automatically generated) (?:message|notification|report|e-?mail).{0,80}(?:deliver|undeliver|fail)", is_plain=True),
    Format("FirstClass, Worldtalk, Microsoft Mail", r"^(?:subject|mail|message) (?:of the message )?(?:undeliverable|not delivered)|^\[\d{1,3}\] the message could not be delivered", is_plain=True),
)  # fmt: skip
