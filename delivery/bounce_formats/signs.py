"""Signs in a mail's header and words that a mail system wrote it about a failure, or that something else did.

No sign is enough alone: people write with the subject "Undelivered", postmasters write to people, and vacations come from the
empty sender too (RFC 3834 §3.3).
"""

from __future__ import annotations

import re

from delivery.parts import Group

DAEMON = re.compile(
    r"mailer[-_. ]?(?:daemon|deamon)|mail[-_. ]?daemon|post[ _-]?master|poostmaster|mdaemon|mail(?:er)? ?(?:delivery|transport|return) ?(?:system|subsystem|service|agent)|delivery[-_ ]?(?:sub)?system"
    r"|system administrator|systemadministrator|mail ?system|administrateur système|administrador del sistema|maildelivery|mailadmin|mail administrator|courier mail server"
    r"|microsoft outlook|microsoft exchange|internet mail|interscan|content[- ]?filter|<>|undeliver|non-?delivery|mail-?failure|antispam|email security"
)
MACHINE = re.compile(r"no-?_?reply|do-?_?not-?_?reply|automat|\bsystem\b|robot")
NOBODY = re.compile(r"<?(?:mailer-daemon|postmaster)\b")
FAILURE = re.compile(
    r"undeliver|(?:un|non?[- ]?)deliver(?:y|able|ed)|(?:mail|message|delivery|e-?mail|transmission|permanent delivery) ?(?:status |system )?(?:failure|failed|failing|error|problem|status notification)"
    r"|fail(?:ure|ed)[: ]*(?:notice|delivery|mail|message|to deliver|to send)|delivery (?:status|report|notification|has failed|to .{0,80} failed)|returned (?:mail|message|to sender|e-?mail)|return(?:ed|ing)? (?:mail|message)|returning (?:message|mail) to sender"
    r"|(?:mail|message|e-?mail)(?: \S+){0,3} (?:could|can|was|has) ?(?:not|n't)(?: been| be)? (?:delivered|sent)|(?:could|can)(?:not|n't| not) (?:be )?(?:deliver|send)|(?:was|is) undeliverable|not delivered|unable to deliver|warning: (?:could not|message)|message .{0,60} delayed|delay(?:ed)? (?:mail|delivery)|delivery (?:incomplete|delayed)"
    r"|has been frozen|^(?:your )?(?:mail|message|e-mail) (?:was )?(?:rejected|refused|returned)\b|postmaster notify|notice: mail delivery|mail system error|error (?:sending|delivering)|mailbox (?:full|unavailable)|considered unsolicited|virus .{0,30}(?:mail|found)|blocked by|rejected (?:mail|message)|message you sent|mail rejected"
    r"|konnte nicht|nicht (?:zugestellt|übermittelt)|unzustellbar|nicht zustellbar|zustell(?:ung|fehler|ungsfehler)|fehler bei|non remis|non[ -]distribu|échec|n'a pas (?:été|pu)|no (?:se pudo|se ha podido|entregado|enviado)|devuelto|no entrega|error de|mancat[oa] (?:recapito|consegna)|non recapitabile|impossibile|non consegnat|falha|não (?:entreg|foi)|devolvid"
    r"|не доставлен|недоставлен|не может быть|возврат|ошибка|не удалось|onbestelbaar|niet bezorgd|kan ej levereras|oleverera|kunne ikke|nie dostarcz|niedostarcz|nedoručiteln"
    r"|配信(?:不能|不可|できません|エラー|に失敗)|送信(?:エラー|できません|失敗|不能)|(?:メール|メッセージ).{0,20}(?:できません|エラー|不達|失敗)|配達(?:不能|できません|失敗)|未配信|不達|エラーメール|宛先不明|あて先不明|退信|退回|无法(?:送达|投递|传递)|未送达|未能|無法(?:送達|傳遞|投遞)|未傳遞|投递失败|반송|배달(?:되지| 실패|할 수)|전송 ?실패|전달되지"
)
ANSWER = re.compile(
    r"^\s*(?:(?:re|aw|sv|antw|odp|回复|答复|返信|tr|fw|fwd|wg|rv|enc|doorst|転送|转发|vs)(?:\[\d+\])?\s?[:：])"
)
VACATION = re.compile(
    r"out[- ]of[- ](?:the[- ])?office|vacation|auto(?:matic|mated|mat)?[- ]?(?:repl|respon|answer)|autoresponder|away from|on (?:leave|holiday|vacation)|i am (?:away|out)|currently (?:away|out)|abwesen|automatische antwort|nicht im (?:büro|hause)"
    r"|réponse automatique|absence|absent(?:e)? du bureau|en congé|respuesta automática|fuera de (?:la )?oficina|ausencia|risposta automatica|fuori (?:sede|ufficio)|assente|resposta automática|fora do escritório|ausência|автоответ|автоматический ответ|отпуск|вне офиса|отсутств"
    r"|自動(?:返信|応答)|不在|休暇|外出中|自动(?:回复|答复)|自動(?:回覆|回復)|外出|부재중|자동 ?(?:응답|회신)|afwezig|automatisch antwoord|frånvaro|automatiskt svar|autosvar|automatisk svar|fravær|nieobecno|autoodpowied|poza biurem"
)
CHALLENGE = re.compile(
    r"please (?:confirm|verify) (?:your|you|that|this)|confirm(?:ation)? (?:your|of your|required|request)|confirm that you|verification (?:required|request)|verify your (?:e-?mail|message|address|identity)|to (?:have|get) your (?:message|mail|e-?mail) delivered|challenge|i'?m protecting (?:my|myself)|boxbe|spam ?arrest|tmda|mailblocks|sender verification|approve your|action required: .{0,30}deliver|is not (?:yet )?on (?:my|the) (?:guest|allow|approved|white)"
)
PROOF = re.compile(
    r"please confirm your (?:message|mail|e-?mail)|(?:confirm|verify|prove).{0,40}(?:by replying|reply to this|you are (?:a )?(?:human|person))"
)
MARKS_OF_ANSWERS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoreply-from",
    "x-autoresponder",
    "x-auto-response-suppress-reply",
    "x-vacation",
    "x-mail-autoreply",
)


def subject_of(header: Group) -> str:
    return header.get("subject", "").lower()[:300]


def is_from_daemon(header: Group) -> bool:
    """Return whether a mail system seems to be the writer."""
    return any(
        DAEMON.search(header.get(name, "").lower()[:300]) for name in ("from", "sender", "reply-to")
    ) or not header.get("from", "").strip("<> ")


def is_from_machine(header: Group) -> bool:
    """Return whether nobody reads what is answered to the writer."""
    return MACHINE.search(header.get("from", "").lower()[:300]) is not None


def is_from_amazon(header: Group) -> bool:
    """Return whether Amazon's notification service wrote it."""
    return "amazon" in header.get("from", "").lower()[:300]


def is_from_nobody(header: Group) -> bool:
    """Return whether it came from the empty sender (RFC 5321 §4.5.5), so far as that is written down."""
    path = header.get("return-path")
    return path is not None and (path.strip() in ("", "<>") or NOBODY.match(path.lower()[:300]) is not None)


def is_automatic(header: Group) -> bool:
    """Return whether a program wrote it (RFC 3834 §5)."""
    return header.get("auto-submitted", "no").lower().startswith("auto") or "x-failed-recipients" in header


def is_answer(header: Group) -> bool:
    """Return whether the subject is one of somebody who answers or forwards."""
    return ANSWER.match(subject_of(header)) is not None


def is_of_failure(header: Group) -> bool:
    return not is_answer(header) and FAILURE.search(subject_of(header)) is not None


def is_of_list(header: Group) -> bool:
    """Return whether a mailing list or a bulk sender passed it on (RFC 2369, RFC 2919)."""
    return any(
        name in header for name in ("list-id", "list-unsubscribe", "list-post", "x-mailman-version", "feedback-id")
    )


def is_vacation(header: Group) -> bool:
    """Return whether a reader's program answers for him."""
    if any(name in header for name in MARKS_OF_ANSWERS) or header.get("precedence", "").lower() in (
        "auto_reply",
        "auto-reply",
    ):
        return True
    if (
        header.get("auto-submitted", "").lower().startswith("auto-replied")
        and not is_from_daemon(header)
        and not is_of_failure(header)
    ):
        return True
    return VACATION.search(subject_of(header)) is not None


def is_challenge(header: Group, text: str, *, is_sure: bool = False) -> bool:
    """Return whether a filter asks the sender to prove that he is a person. `is_sure` is a text that opens as a bounce."""
    beginning = text[:3_000].lower()
    if is_sure:
        return PROOF.search(beginning) is not None
    if CHALLENGE.search(subject_of(header)):
        return True
    return not is_of_failure(header) and CHALLENGE.search(beginning) is not None
