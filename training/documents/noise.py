"""What a photograph and its OCR do to a paper: characters confused, spaces dropped, lines broken, the last page lost."""

from __future__ import annotations

from training.documents.dice import Dice, key_of

_PAIRS = (
    "己已 未末 日曰 人入 土士 千干 乳孔 右石 左在 侧测 癌痛 浸漫 润涧 淋琳 结绪 节苄 检捡 查杳 诊珍 断晰 院阮 病疬 理埋 腺膝 穿窄 刺剌 术木 "
    "见贝 明朋 性牲 期朗 级圾 转传 移秽 清渣 年午 月用 号另 姓牲 名各 女攵 医匡 师帅 科料 肿肿 块抉 部陪 型垄 组绀 织炽 化仳 告吿 "
    "0O 1l 5S 8B 2Z 6b 9g :; .， ×x ×X （( ）) ：: ，, 。. -— %％ Il O0 B8 S5 rn mn"
)
CONFUSED: dict[str, str] = {}
for _pair in _PAIRS.split():
    if len(_pair) == 2 and _pair[0] != _pair[1]:
        CONFUSED.setdefault(_pair[0], _pair[1])


def noisy(text: str, share: float, key: int) -> str:
    """The text with about `share` of its characters misread; its length changes by at most that share."""
    hits = round(len(text) * share)
    if hits <= 0:
        return text
    dice, chars = Dice(key), list(text)
    for _ in range(hits):
        at = dice.below(len(chars))
        chars[at] = _misread(chars[at], dice)
    return "".join(chars)


def _misread(char: str, dice: Dice) -> str:
    if char in CONFUSED:
        return CONFUSED[char]
    if char in " 　\t":
        return ""
    if char == "\n":
        return " "
    if char in "。；、":
        return char + "\n" if dice.below(2) else ""
    return char if dice.below(3) else ""


def first_pages(text: str, seed: int) -> str:
    """The text without its tail: between four and seven tenths of its lines stay, at least one."""
    lines = text.split("\n")
    kept = len(lines) * (40 + key_of(seed, "pages") % 31) // 100
    if len(lines) < 3:
        return text[: max(1, len(text) * 55 // 100)]
    return "\n".join(lines[: max(1, kept)])
