"""Sums of amounts at prices, exactly and in whole numbers: most of what a new price book costs.

To sum products of decimals takes twice as long as to sum those of whole numbers. So amounts are
counted in one power of ten per account and prices in one per book, and an asset's two prices
are one number, of which one product and one sum give both worths.
"""

from collections.abc import Container, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from operator import mul
from typing import Final

import msgspec

from coffers import money

ROOM: Final = 112
"""Bits of an account's amounts together for which new books have room to sum both in one number.

Enough for 10**15 units of tokens of 18 places; larger ones are summed apart.
"""


class Amounts(msgspec.Struct, frozen=True):
    """What is owned of each asset, in units of 10**`exponent`, and the bits of all together."""

    assets: tuple[str, ...]
    numbers: tuple[int, ...]
    exponent: int
    bits: int

    @classmethod
    def of(cls, holdings: Mapping[str, Decimal]) -> "Amounts":
        """Return the amounts of holdings."""
        exponent = _least_exponent(holdings.values())
        numbers = tuple([_whole(amount, exponent) for amount in holdings.values()])
        bits = sum(map(abs, numbers)).bit_length()
        return cls(tuple(holdings), numbers, exponent, bits)

    def only(self, assets: Container[str]) -> "Amounts":
        """Return those of some of the assets."""
        kept = [place for place, asset in enumerate(self.assets) if asset in assets]
        return Amounts(
            tuple([self.assets[place] for place in kept]),
            tuple([self.numbers[place] for place in kept]),
            self.exponent,
            self.bits,
        )


class Worths(msgspec.Struct, frozen=True):
    """What one unit of each asset is worth in BTC and in USD, of those that have a price.

    A number of `both` is the BTC in units of 10**`btc_exponent`, moved left by `shift` bits, plus
    the USD in units of 10**`usd_exponent`. Of amounts of at most `room` bits together both worths
    are found at once.
    """

    both: Mapping[str, int]
    shift: int
    room: int
    btc_exponent: int
    usd_exponent: int

    @classmethod
    def of(cls, assets: Iterable[str], btc: Iterable[Decimal], usd: Iterable[Decimal]) -> "Worths":
        """Return the worths of assets.

        Raises:
            ValueError: where one is negative: no price is.
        """
        in_btc, in_usd = tuple(btc), tuple(usd)
        if min(*in_btc, *in_usd, money.ZERO, money.ZERO) < 0:
            raise ValueError("a price is negative")
        btc_exponent, usd_exponent = _least_exponent(in_btc), _least_exponent(in_usd)
        wholes = [_whole(each, usd_exponent) for each in in_usd]
        shift = max(map(int.bit_length, wholes), default=0) + ROOM + 1
        both = {
            asset: (_whole(first, btc_exponent) << shift) + second
            for asset, first, second in zip(assets, in_btc, wholes, strict=True)
        }
        return cls(both, shift, ROOM, btc_exponent, usd_exponent)

    @money.exactly
    def unit(self, asset: str) -> tuple[Decimal, Decimal]:
        """Return what one unit of an asset is worth in BTC and in USD.

        Raises:
            KeyError: where it has no price.
        """
        return self._told(*divmod(self.both[asset], 1 << self.shift), 0)

    @money.exactly
    def totals(self, accounts: Iterable[Amounts]) -> list[tuple[Decimal, Decimal] | None]:
        """Return what the amounts of each account are worth together in BTC and in USD.

        None where one of its assets has no price.
        """
        return [self._total(amounts) for amounts in accounts]

    def _total(self, amounts: Amounts) -> tuple[Decimal, Decimal] | None:
        found = map(self.both.__getitem__, amounts.assets)
        half = 1 << self.shift - 1
        try:
            if amounts.bits > self.room:
                return self._total_apart(amounts.numbers, tuple(found), amounts.exponent)
            # The USD of debts take from the BTC beside them: a half more, and they do not.
            total = sum(map(mul, amounts.numbers, found), half)
        except KeyError:
            return None
        btc = total >> self.shift
        return self._told(btc, total - (btc << self.shift) - half, amounts.exponent)

    def _total_apart(
        self, numbers: tuple[int, ...], found: tuple[int, ...], exponent: int
    ) -> tuple[Decimal, Decimal]:
        units = [divmod(each, 1 << self.shift) for each in found]
        btc = sum(map(mul, numbers, [first for first, _ in units]))
        usd = sum(map(mul, numbers, [second for _, second in units]))
        return self._told(btc, usd, exponent)

    def _told(self, btc: int, usd: int, exponent: int) -> tuple[Decimal, Decimal]:
        # The zeros at their ends come from an exponent that many share: what follows is slower with
        # them.
        return (
            money.shortest(Decimal(btc) * _unit(self.btc_exponent + exponent)),
            money.shortest(Decimal(usd) * _unit(self.usd_exponent + exponent)),
        )


def _least_exponent(numbers: Iterable[Decimal]) -> int:
    return min((int(number.as_tuple().exponent) for number in numbers), default=0)


def _whole(number: Decimal, exponent: int) -> int:
    return int(money.scaled(number, -exponent))


@lru_cache(maxsize=1024)
def _unit(exponent: int) -> Decimal:
    return Decimal((0, (1,), exponent))
