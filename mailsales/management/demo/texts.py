"""What the demo's campaigns say."""

from __future__ import annotations

SHOP = "https://example.com/"  # the one web address that is reserved and answers
SENT_SUBJECT = '{{ name | default: "お客様" }} 様、秋摘み茶が届きました'
SENT_PREHEADER = "宇治と八女から。送料無料は今月末まで"
SENT_HTML = f"""<p>{{{{ name | default: "お客様" }}}} 様</p>
<p>いつも青葉商店をご利用いただき、ありがとうございます。</p>
<h2>秋摘み茶が届きました</h2>
<p>今年の秋摘み茶が、宇治と八女からそろって届きました。夏の日差しをたっぷり受けた葉は、香りがまろやかで、後味はすっきりとしています。</p>
<p><a href="{SHOP}?item=akitsumi">秋摘み茶を見る</a></p>
<h2>ほうじ茶の飲みくらべ</h2>
<p>浅煎りから深煎りまで、三種の小袋をひと箱にまとめました。贈り物にもどうぞ。</p>
<p><a href="{SHOP}?item=hojicha">飲みくらべセットを見る</a></p>
<p>会員番号 {{{{ member_no }}}} のお客様の現在のポイントは {{{{ points | default: "0" }}}} です。<a href="{SHOP}?page=points">ポイントの使い方</a></p>"""
DRAFT_SUBJECT = '{{ name | default: "お客様" }} 様、年末の特別セットをご用意しました'
DRAFT_PREHEADER = "12月10日までのご予約で、送料をいただきません"
DRAFT_HTML = f"""<p>{{{{ name | default: "お客様" }}}} 様</p>
<p>今年も青葉商店をお引き立ていただき、ありがとうございました。</p>
<h2>年末の特別セット</h2>
<p>福を呼ぶ大福茶に、栗の和菓子を添えた季節の詰め合わせです。数に限りがありますので、お早めにご予約ください。</p>
<ul>
<li>大福茶 80g</li>
<li>上煎茶 100g</li>
<li>栗の甘納豆 二袋</li>
</ul>
<p><a href="{SHOP}?item=nenmatsu">特別セットを予約する</a></p>
<p>{{{{ prefecture | default: "全国" }}}}へは、12月28日までにお届けします。<a href="{SHOP}?page=shipping">お届けについて</a></p>"""
