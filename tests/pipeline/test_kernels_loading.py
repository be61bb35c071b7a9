"""Nobody overtakes who waits for the kernels."""

from __future__ import annotations

import asyncio

from asyncgen.pipeline.kernels import Kernels


def test_answers_that_wait_for_the_kernels_are_folded_in_their_order() -> None:
    order: list[int] = []

    async def fold(kernels: Kernels, number: int) -> None:
        await kernels.loaded()
        order.append(number)

    async def main() -> None:
        kernels = Kernels(lambda: None)
        first = [asyncio.ensure_future(fold(kernels, number)) for number in range(5)]
        await first[0]
        # By now they are there: who comes later must stand behind the others all the same.
        await asyncio.gather(*first, *(fold(kernels, number) for number in range(5, 8)))

    asyncio.run(main())

    assert order == list(range(8))
