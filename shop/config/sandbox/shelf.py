"""The vouchers that the stand-ins have sold, and what became of each."""

import time
from dataclasses import dataclass
from threading import RLock

DOUYIN_BOGO = "7260000000000000001"
MEITUAN_CASH = "260000001"
DEMO_VOUCHERS = 99


@dataclass(kw_only=True, slots=True)
class Sold:
    """One voucher; amounts in fen."""

    platform: str
    code: str
    deal: str
    title: str
    price: int
    paid: int
    shop_share: int = 0
    list_price: int = 0
    certificate: str = ""
    used_at: int | None = None
    used_shop: str = ""
    verify_id: str = ""
    is_settled: bool = False


class Shelf:
    """All vouchers of one sandbox. `lock` is held for the time of one request."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.sold: dict[tuple[str, str], Sold] = {}
        self._number = 0

    def next_number(self, prefix: str) -> str:
        """Return a number that no other thing of this sandbox has."""
        self._number += 1
        return f"{prefix}{self._number:06d}"

    def sell(self, platform: str, code: str, **terms: object) -> Sold:
        """Sell a voucher under a code."""
        with self.lock:
            voucher = Sold(platform=platform, code=code, **terms)  # type: ignore[arg-type]
            voucher.certificate = voucher.certificate or self.next_number("7300000000000")
            self.sold[platform, code] = voucher
        return voucher

    def find(self, platform: str, code: str) -> Sold | None:
        """Return the voucher of a code."""
        return self.sold.get((platform, code))

    def use(self, voucher: Sold, *, shop: str) -> None:
        """Use a voucher up."""
        voucher.used_at = int(time.time())
        voucher.used_shop = shop
        voucher.verify_id = self.next_number("7400000000000")

    def give_back(self, voucher: Sold) -> None:
        """Undo the use of a voucher."""
        voucher.used_at = None
        voucher.used_shop = voucher.verify_id = ""

    def sell_demo(self) -> None:
        """Sell what the demo tries out: Douyin 108800000001 to …99, Meituan 208800000001 to …99."""
        for number in range(1, DEMO_VOUCHERS + 1):
            self.sell(
                "douyin",
                f"1088{number:08d}",
                deal=DOUYIN_BOGO,
                title="珍珠奶茶买一送一",
                price=1200,
                paid=1000,
                shop_share=100,
                list_price=2400,
            )
            self.sell(
                "meituan",
                f"2088{number:08d}",
                deal=MEITUAN_CASH,
                title="20元代金券",
                price=1600,
                paid=1600,
                list_price=2000,
            )
