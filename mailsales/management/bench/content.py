"""What `bench send` sends: a Japanese mail of about 20 KB, with six merge tags and ten links in each part."""

from __future__ import annotations

import random

LINKS = 10
WORDS = (
    "新商品の発売を記念して",
    "会員の皆様に",
    "期間限定の",
    "特別なお知らせを",
    "お届けいたします。",
    "この機会をお見逃しなく、",
    "ご注文はお早めにどうぞ。",
    "送料無料で",
    "季節の品を",
    "ご用意しました。",
)
TAGS = ("name", "company", "member_no", "points", "city", "address")


def _paragraph(random_words: random.Random, length: int) -> str:
    text = ""
    while len(text) < length:
        text += random_words.choice(WORDS)
    return text[:length]


def link(number: int) -> str:
    return f"https://shop.example.co.jp/items/{number}?utm_source=mail&utm_campaign=c{number}"


def html() -> str:
    """Return the HTML body, its tags in Liquid."""
    words = random.Random(7)  # noqa: S311 -- the same mail each time
    rows = [
        '<table role="presentation" width="600" align="center" cellpadding="0" cellspacing="0"><tr><td>',
        '<h1 style="font-size:24px;color:#333">{{ name | default: "お客様" }} 様（{{ company }}）</h1>',
        '<p style="line-height:1.6">会員番号: {{ member_no }} / ポイント残高: {{ points }}</p></td></tr>',
    ]
    for i in range(LINKS):
        rows.append(
            '<tr><td style="border-bottom:1px solid #eeeeee;font-size:14px;line-height:1.7;color:#444444">'
            f'<h2 style="font-size:18px">商品 {i}</h2><p>{_paragraph(words, 540)}</p>'
            f'<p><a href="{link(i)}" style="background:#0a66c2;color:#ffffff;padding:10px 20px;text-decoration:none">詳しくはこちら</a></p></td></tr>'
        )
    rows.append('<tr><td style="font-size:12px">{{ city }}のお客様 {{ address }}</td></tr></table>')
    return "\n".join(rows)


def text() -> str:
    """Return the text body with the same links."""
    words = random.Random(8)  # noqa: S311 -- the same mail each time
    goods = [f"商品 {i}\n{_paragraph(words, 30)}\n{link(i)}" for i in range(LINKS)]
    return (
        "\n\n".join(
            [
                '{{ name | default: "お客様" }} 様（{{ company }}）',
                *goods,
                "{{ city }} / {{ points }} / {{ member_no }}",
            ]
        )
        + "\n"
    )
