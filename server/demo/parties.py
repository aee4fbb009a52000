"""Who answers for a frontage in the synthetic town: invented shop names, credit codes, contacts. Serves `town`.

The unified social credit codes are of the series 9x320412YY, which pass both check digits and are never issued;
telephone numbers that start with 10000 do not exist.
"""

from collections.abc import Iterator
from itertools import product
from random import Random

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_FIRST_WORDS = (
    "春涧 半亩 青瓦 临溪 老槐 小满 禾丰 百味 晴川 双桥 石榴 望亭 秋水 长乐 和顺 云间 阿福 麦田 锦里 南塘 "
    "福满 一品 知味 竹里 雨前 同心 永兴 喜来 东篱 金谷 巷口 家和 乐安 新雨 大有 月牙 松风 彩云 好邻居 大树下"
).split()
TRADES = (
    "水果店 便利店 小吃店 面馆 五金店 理发店 洗衣店 文具店 药房 电动车行 花店 服装店 饼屋 茶叶店 手机店 "
    "家电维修部 打印店 宠物店 烟酒店 修鞋铺 蔬菜店 鱼鲜店 卤菜店 早餐店 火锅店 眼镜店 童装店 母婴店 窗帘店 快递驿站"
).split()


def shop_names(rng: Random) -> Iterator[tuple[str, str]]:
    """Yield (name, trade) without a repeat, 1 200 of them: 老槐面馆, 面馆."""
    names = [(first + trade, trade) for first, trade in product(_FIRST_WORDS, TRADES)]
    rng.shuffle(names)
    yield from names


def credit_code(serial: int, *, kind: str = "2") -> str:
    """Make the code of the party with this number, 18 characters (GB 32100-2015).

    kind is 1 for an enterprise, 2 for an individual business. serial is from 0 to 999 999.
    """
    organisation = f"YY{serial:06d}"
    body = f"9{kind}320412{organisation}{_organisation_check(organisation)}"
    total = sum(_ALPHABET.index(char) * weight for char, weight in zip(body, _WEIGHTS, strict=True))
    return body + _ALPHABET[(31 - total % 31) % 31]


def _organisation_check(organisation: str) -> str:
    """Return the ninth character of an organisation code (GB 11714): X stands for 10, 0 for 11."""
    digits = (_ORGANISATION_DIGITS.index(char) for char in organisation)
    total = sum(digit * weight for digit, weight in zip(digits, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def contact(serial: int) -> str:
    """Make a telephone number of the form of a mobile one, 11 digits, that cannot be called."""
    return f"10000{serial:06d}"
