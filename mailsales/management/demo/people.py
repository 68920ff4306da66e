"""People for the demo: made up from common names, at names that nobody can own (RFC 2606, RFC 6761)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

FAMILIES = (
    "佐藤 サトウ sato,鈴木 スズキ suzuki,高橋 タカハシ takahashi,田中 タナカ tanaka,伊藤 イトウ ito,渡辺 ワタナベ watanabe,"
    "山本 ヤマモト yamamoto,中村 ナカムラ nakamura,小林 コバヤシ kobayashi,加藤 カトウ kato,吉田 ヨシダ yoshida,山田 ヤマダ yamada,"
    "佐々木 ササキ sasaki,山口 ヤマグチ yamaguchi,松本 マツモト matsumoto,井上 イノウエ inoue,木村 キムラ kimura,林 ハヤシ hayashi,"
    "斎藤 サイトウ saito,清水 シミズ shimizu,山崎 ヤマザキ yamazaki,森 モリ mori,池田 イケダ ikeda,橋本 ハシモト hashimoto,"
    "阿部 アベ abe,石川 イシカワ ishikawa,山下 ヤマシタ yamashita,中島 ナカジマ nakajima,石井 イシイ ishii,小川 オガワ ogawa,"
    "前田 マエダ maeda,岡田 オカダ okada,長谷川 ハセガワ hasegawa,藤田 フジタ fujita,後藤 ゴトウ goto,近藤 コンドウ kondo,"
    "村上 ムラカミ murakami,遠藤 エンドウ endo,青木 アオキ aoki,坂本 サカモト sakamoto,福田 フクダ fukuda,太田 オオタ ota,"
    "西村 ニシムラ nishimura,藤井 フジイ fujii,金子 カネコ kaneko,和田 ワダ wada,中山 ナカヤマ nakayama,石田 イシダ ishida,"
    "上田 ウエダ ueda,原田 ハラダ harada,柴田 シバタ shibata,酒井 サカイ sakai,宮崎 ミヤザキ miyazaki,横山 ヨコヤマ yokoyama,"
    "髙木 タカギ takagi,安藤 アンドウ ando,宮本 ミヤモト miyamoto,大野 オオノ ono,小島 コジマ kojima,岩﨑 イワサキ iwasaki"
)
GIVENS = (
    "花子 ハナコ hanako,美咲 ミサキ misaki,陽子 ヨウコ yoko,恵子 ケイコ keiko,由美 ユミ yumi,真由美 マユミ mayumi,"
    "智子 トモコ tomoko,裕子 ユウコ yuko,さくら サクラ sakura,葵 アオイ aoi,結衣 ユイ yui,千尋 チヒロ chihiro,"
    "直美 ナオミ naomi,久美子 クミコ kumiko,彩 アヤ aya,愛 アイ ai,優子 ユウコ yuko,麻衣 マイ mai,"
    "めぐみ メグミ megumi,典子 ノリコ noriko,和子 カズコ kazuko,幸子 サチコ sachiko,遥 ハルカ haruka,杏奈 アンナ anna,"
    "太郎 タロウ taro,誠 マコト makoto,健 ケン ken,大輔 ダイスケ daisuke,翔太 ショウタ shota,拓也 タクヤ takuya,"
    "健太 ケンタ kenta,直樹 ナオキ naoki,達也 タツヤ tatsuya,浩 ヒロシ hiroshi,隆 タカシ takashi,学 マナブ manabu,"
    "和也 カズヤ kazuya,亮 リョウ ryo,剛 ツヨシ tsuyoshi,一郎 イチロウ ichiro,修 オサム osamu,進 ススム susumu,"
    "悠斗 ユウト yuto,蓮 レン ren,大翔 ヒロト hiroto,陸 リク riku,聡 サトシ satoshi,哲也 テツヤ tetsuya"
)
NAMES = (
    "みどり,青空,丸福,山手,北星,桜井,大和,東亜,三光,日の出,富士見,あけぼの,若葉,松風,港南,石橋,八雲,白鳥,四季,ひばり"
)
TRADES = "旅館,商事,製作所,電機,食品,工務店,薬局,運輸,印刷,酒造,設計事務所,園芸,ベーカリー,税理士事務所,クリニック,茶舗"
PREFECTURES = (
    "北海道,青森県,岩手県,宮城県,秋田県,山形県,福島県,茨城県,栃木県,群馬県,埼玉県,千葉県,東京都,神奈川県,新潟県,富山県,石川県,福井県,"
    "山梨県,長野県,岐阜県,静岡県,愛知県,三重県,滋賀県,京都府,大阪府,兵庫県,奈良県,和歌山県,鳥取県,島根県,岡山県,広島県,山口県,徳島県,"
    "香川県,愛媛県,高知県,福岡県,佐賀県,長崎県,熊本県,大分県,宮崎県,鹿児島県,沖縄県"
)
CITIES = ("東京都", "大阪府", "京都府", "神奈川県", "愛知県", "福岡県")  # where many customers live
PRIVATE = ("mail.example.jp", "post.example.jp", "keitai.example.jp", "example.com", "mail.example.com")
COMPANY = ("example.jp", "office.example.jp", "shop.example.com", "inn.example.com", "works.example.net")
# Addresses that the sandbox answers badly (delivery/sandbox/manners.py), so that reports have something to explain.
MISBEHAVING = {
    "bounce": 14,
    "full": 9,
    "filter": 6,
    "spamreject": 5,
    "block": 3,
    "defer": 12,
    "drop": 2,
    "dsn": 4,
    "complain": 2,
}


@dataclass(frozen=True)
class Person:
    """A contact to be. `manner` is how the sandbox treats the address, or empty."""

    address: str
    name: str
    fields: dict[str, str]
    manner: str = ""


def people(count: int, chance: random.Random) -> list[Person]:
    """Return so many people with different addresses, those with a misbehaving address spread among them."""
    manners = [manner for manner, n in MISBEHAVING.items() for _ in range(n)]
    manners += [""] * (count - len(manners))
    chance.shuffle(manners)
    taken: set[str] = set()
    return [_person(number, manner, taken, chance) for number, manner in enumerate(manners, 1)]


def _person(number: int, manner: str, taken: set[str], chance: random.Random) -> Person:
    family, family_kana, family_latin = chance.choice(FAMILIES.split(",")).split()
    given, given_kana, given_latin = chance.choice(GIVENS.split(",")).split()
    is_business = chance.random() < 0.35
    prefecture = chance.choice(CITIES if chance.random() < 0.45 else PREFECTURES.split(","))
    domain = chance.choice(COMPANY if is_business else PRIVATE)
    prefix = f"{manner}+" if manner else ""
    address = next(a for a in _addresses(f"{prefix}{given_latin}.{family_latin}", domain) if a not in taken)
    taken.add(address)
    fields = {
        "kana": f"{family_kana} {given_kana}",
        "prefecture": prefecture,
        "member_no": f"A-{number:05}",
        "points": str(chance.randrange(0, 4_800, 10)),
    }
    if is_business:
        fields["company"] = _company(chance)
    return Person(address, f"{family} {given}", fields, manner)


def _addresses(local: str, domain: str) -> Iterator[str]:
    yield f"{local}@{domain}"
    for number in range(2, 1_000):
        yield f"{local}{number}@{domain}"


def _company(chance: random.Random) -> str:
    name = chance.choice(NAMES.split(",")) + chance.choice(TRADES.split(","))
    return chance.choice(
        (f"株式会社{name}", f"株式会社{name}", f"{name}株式会社", f"有限会社{name}", f"合同会社{name}")
    )
