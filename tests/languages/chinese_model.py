"""A stand-in for a model that answers in Chinese, with near-duplicates of what it was shown."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

from support.server import Reply, prompt_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["reply"]

_VERBS = "解释 比较 列出 改写 概括 翻译 设计 续写 评价 说明".split()
_NOUNS = (
    "河流 岩石 云彩 老虎 台灯 宣纸 轨道 提琴 花园 冬天 铜器 银币 市场 拱桥 森林 火车 蜡烛 镜子 "
    "火箭 港口 草原 雷声 丝绸 核桃 斑马 峡谷 拼图 梯子 胡椒 茶壶 船锚 毛毯 罗盘 海豚 羽毛 冰川 "
    "吊床 岛屿 集市 钟楼"
).split()
_NUMBERS = ("{}. ", "{}、", "{}．", "{}）", "（{}）")
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
_SHOWN = re.compile(r"^\d+\. (.+)$", re.MULTILINE)


def reply(body: dict[str, Any], _number: int) -> Reply:
    """Answer a request of any stage; what it answers follows from the prompt alone."""
    prompt = prompt_of(body)
    rng = random.Random(prompt)
    wanted = re.search(r"tasks (\d+) to (\d+)\.\Z", prompt)
    if wanted is not None:
        return Reply(_list(rng, int(wanted[1]), _SHOWN.findall(prompt)))
    if "Classification:" in prompt.splitlines()[-1]:
        return Reply(rng.choice(["no", "no", "yes"]))
    one, other = (_some(rng, 4) for _ in range(2))
    if "Label: " in prompt:
        return Reply(f"Label：是\nInput：{one}\nLabel：否\nInput：{other}")
    return Reply(f"Input：{one}\nOutput：{other}")


def _list(rng: random.Random, first: int, shown: Sequence[str]) -> str:
    form = rng.choice(_NUMBERS)
    tasks = [f"请{rng.choice(_VERBS)}{_some(rng, 6)}之间的联系。" for _ in range(5)]
    tasks.append(_changed(rng, rng.choice(shown)))
    tasks.append(f"Explain the {rng.choice('stars tides rivers'.split())} to a child in one line.")
    rng.shuffle(tasks)
    numbers = (str(first + place) for place in range(len(tasks)))
    if rng.random() < 0.5:
        numbers = (one.translate(_WIDE) for one in numbers)
    return "\n".join(form.format(one) + task for one, task in zip(numbers, tasks, strict=True))


def _some(rng: random.Random, count: int) -> str:
    return "、".join(rng.sample(_NOUNS, count))


def _changed(rng: random.Random, text: str) -> str:
    """Replace one letter, and the full stop."""
    place = rng.randrange(1, len(text) - 1)
    return f"{text[:place]}甚{text[place + 1 : -1]}！"
