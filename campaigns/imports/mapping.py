"""Which column is what: by its heading in Japanese or English, or, where there is none, by what it holds.

A target is "address", "name", "family_name", "given_name", or "field:<key>" for a field of the account's own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2s

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.imports.reading import BadFile
from mailsales.addresses import BadAddress, clean_address

MOST_HEADINGS = 5  # rows before the first person
LOOKED_AT = 50  # rows from which a column's content is judged

SYNONYMS = {
    "address": "メールアドレス eメール eメールアドレス email emailaddress mail mailaddress メール アドレス 電子メール メアド address アドレスpc pcメール pcアドレス e-mail e-mailaddress 連絡先メール",
    "name": "氏名 名前 お名前 name fullname 顧客名 担当者 担当者名 ご担当者 ご担当者名 宛名 会員名 姓名 contactname customername 表示名",
    "family_name": "姓 名字 苗字 lastname familyname surname last_name",
    "given_name": "名 firstname givenname first_name",
    "field:kana": "フリガナ ふりがな カナ 氏名カナ 氏名かな 名前カナ 読み よみ kana furigana シメイ",
    "field:company": "会社 会社名 企業名 法人名 勤務先 社名 company companyname organization 組織 貴社名 団体名",
    "field:phone": "電話 電話番号 tel phone 携帯 携帯電話 phonenumber 連絡先電話",
    "field:postal_code": "郵便番号 〒 zip zipcode postalcode postcode",
    "field:prefecture": "都道府県 prefecture 県 state",
    "field:city": "市区町村 city 市町村",
    "field:member_no": "会員番号 顧客番号 会員id 顧客id memberno membernumber customerid 会員no 顧客コード お客様番号",
    "field:department": "部署 部署名 所属 department",
    "field:birthday": "生年月日 誕生日 birthday birthdate",
}  # fmt: skip
LABELS: dict[str, str | Promise] = {
    "kana": _("Reading (kana)"),
    "company": _("Company"),
    "phone": _("Phone number"),
    "postal_code": _("Postal code"),
    "prefecture": _("Prefecture"),
    "city": _("City"),
    "member_no": _("Member number"),
    "department": _("Department"),
    "birthday": _("Birthday"),
}


def folded(heading: str) -> str:
    """Return a heading without what does not tell headings apart: width, case, blanks, brackets and signs."""
    text = unicodedata.normalize("NFKC", heading).casefold()
    return re.sub(r"[\s_\-‐ー・:：()（）［］\[\]*※「」]+", "", text)


BY_HEADING = {folded(word): target for target, words in SYNONYMS.items() for word in words.split()}


@dataclass(frozen=True)
class ColumnMap:
    """What was found: rows of headings, the headings themselves, and a target for each column that has one."""

    heading_rows: int
    headings: list[str]
    targets: dict[int, str]


def map_columns(rows: Sequence[Sequence[str]], labels: Mapping[str, str], heading_rows: int | None = None) -> ColumnMap:
    """Return the mapping of a file's first rows. Raise BadFile.

    `labels` are the account's fields: key by label. `heading_rows` None: found out.
    """
    if not rows:
        raise BadFile("empty", _("The file is empty."))
    first = _first_person(rows) if heading_rows is None else heading_rows
    headings = _headings(rows[:first], max(map(len, rows)))
    targets = _by_heading(rows[:first], headings, labels)
    named = next((at for at, target in targets.items() if target == "address"), None)
    if named is None or not _addresses_in(rows[first:], named):
        column = _address_column(rows[first:], named)
        targets = {at: target for at, target in targets.items() if at not in (column, named)} | {column: "address"}
    if not first:
        targets |= _by_content(rows, targets)
    return ColumnMap(first, headings, dict(sorted(targets.items())))


def override(mapping: ColumnMap, wishes: Mapping[str, str]) -> ColumnMap:
    """Return the mapping with columns named by their heading put elsewhere. Raise BadFile for an unknown heading."""
    targets = dict(mapping.targets)
    places = {folded(heading): at for at, heading in enumerate(mapping.headings)}
    for heading, field in wishes.items():
        if folded(heading) not in places:
            advice = _("There is no column of this name. The columns are: %(names)s") % {
                "names": ", ".join(mapping.headings)
            }
            raise BadFile("no_column", advice, 1)
        target = field if field in ("address", "name", "family_name", "given_name") else f"field:{key_of(field)}"
        targets = {at: old for at, old in targets.items() if old != target}
        targets[places[folded(heading)]] = target
    if "address" not in targets.values():
        raise BadFile("no_address", _("No column is left for the address."), 1)
    return ColumnMap(mapping.heading_rows, mapping.headings, dict(sorted(targets.items())))


def key_of(label: str) -> str:
    """Return a key fit for a merge tag. A label that is not all in ASCII gives a short digest, so that 電話1 and 備考1 differ."""
    plain = unicodedata.normalize("NFKC", label).casefold()
    key = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:38]
    if not plain.isascii() or not key or len(plain) > 38:
        return "f_" + blake2s(plain.encode(), digest_size=4).hexdigest()
    return key if key[0].isalpha() else f"f_{key}"


def _is_address(cell: str) -> bool:
    if "@" not in cell and "＠" not in cell:
        return False
    try:
        clean_address(cell)
    except BadAddress:
        return False
    return True


def _first_person(rows: Sequence[Sequence[str]]) -> int:
    """Return how many rows of headings there are. A person without a good address is a person, too, and no heading."""
    upper = rows[:MOST_HEADINGS]
    first = next((at for at, row in enumerate(rows[: MOST_HEADINGS + 1]) if any(map(_is_address, row))), None)
    known = [at for at, row in enumerate(upper[:first]) if any(BY_HEADING.get(folded(cell)) for cell in row)]
    if known:
        return known[-1] + 1
    if first is None:
        raise BadFile("no_address", _("No column holds email addresses."), 1)
    column = _address_column(rows)
    return next((at for at, row in enumerate(rows[:first]) if _looks_meant(row, column)), first)


def _looks_meant(row: Sequence[str], column: int) -> bool:
    """Return whether a cell is an address that went wrong, and no heading."""
    return column < len(row) and ("@" in row[column] or "＠" in row[column])


def _headings(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return the lowest heading of each column that says something."""
    found = []
    for at in range(width):
        said = [row[at].strip() for row in rows if at < len(row) and row[at].strip()]
        found.append(said[-1] if said else "")
    return found


def _by_heading(rows: Sequence[Sequence[str]], headings: list[str], labels: Mapping[str, str]) -> dict[int, str]:
    own = {folded(label): f"field:{key}" for label, key in labels.items()} | {
        folded(key): f"field:{key}" for key in labels.values()
    }
    targets: dict[int, str] = {}
    for at in range(len(headings)):
        said = [row[at] for row in reversed(rows) if at < len(row) and row[at].strip()]
        for heading in said:
            target = own.get(folded(heading)) or BY_HEADING.get(folded(heading))
            if target and target not in targets.values():
                targets[at] = target
                break
    if "name" in targets.values():  # the whole name is there, so its halves are only repetition
        targets = {at: target for at, target in targets.items() if target not in ("family_name", "given_name")}
    return targets


def _address_column(rows: Sequence[Sequence[str]], named: int | None = None) -> int:
    """Return the column that holds most addresses, or the one that is named for them where none does."""
    counts = [_addresses_in(rows, at) for at in range(max(map(len, rows), default=0))]
    if any(counts):
        return counts.index(max(counts))
    if named is None:
        raise BadFile("no_address", _("No column holds email addresses."), 1)
    return named


def _addresses_in(rows: Sequence[Sequence[str]], at: int) -> int:
    return sum(_is_address(row[at]) for row in rows[:LOOKED_AT] if at < len(row))


def _by_content(rows: Sequence[Sequence[str]], targets: Mapping[int, str]) -> dict[int, str]:
    """Return a column of names in a file without headings: short, in Japanese or of two words, and hardly ever the same."""
    width = max(map(len, rows))
    for at in range(width):
        cells = [row[at].strip() for row in rows[:LOOKED_AT] if at < len(row) and row[at].strip()]
        if at not in targets and cells and sum(map(_is_name, cells)) > len(cells) * 0.7:
            return {at: "name"}
    return {}


def _is_name(cell: str) -> bool:
    return len(cell) <= 20 and not re.search(r"[0-9@/:〒]|株式会社|有限会社|[都道府県市区町村]$", cell)


def used_fields(targets: Iterable[str]) -> list[str]:
    return [target.removeprefix("field:") for target in targets if target.startswith("field:")]
