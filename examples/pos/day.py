"""A busy day: guests come, buy, change their minds and bring cups back."""

import http.client
import itertools
import random
from collections.abc import Iterator
from typing import Any

from pos.client import Api, CallLog, Refused, Unreachable, new_key, part
from pos.journal import Guest, Journal, RefundNote, Sale

GUEST_SHARE = 0.7
"""Of all orders; the others are by people who are not members."""
ORDERS_PER_MEMBER = 5
DROPPED_SHARE = 0.1
STALE_TOTAL_SHARE = 0.05
TWICE_SHARE = 0.05
PLACED_SHARE = 0.2
CANCELLED_SHARE = 0.3
REFUNDED_SHARE = 0.15
OFFICE_SHARE = 0.04
CUPS_FOR_THE_OFFICE = 60
MERCHANDISE = "merch"
"""Earns no points, so a partial refund of it would follow other shares than drinks do."""


class Day:
    """What the tills of one shop share: the menu, the journal, and how many orders are left."""

    def __init__(self, *, orders: int, journal: Journal, log: CallLog) -> None:
        self.journal = journal
        self.log = log
        self.most_members = max(orders // ORDERS_PER_MEMBER, 1)
        self.menu: dict[str, Any] = {}
        self._numbers = iter(range(orders))

    def next_order(self) -> int | None:
        """Return the number of the next order, None when the day is over."""
        return next(self._numbers, None)


class Till:
    """One till. Its members are its own: a person stands at one counter at a time."""

    def __init__(
        self, name: str, *, day: Day, api: Api, phone_api: Api, dice: random.Random
    ) -> None:
        self.name = name
        self.day = day
        self.api = api
        self.phone = phone_api
        self.dice = dice
        self.guests: list[Guest] = []
        self.sales: list[Sale] = []
        self.tokens: dict[str, str] = {}
        self._counter = itertools.count(1)

    # --- the day ---------------------------------------------------------------------------------

    def open(self) -> None:
        """Register a first member, read the menu, and sign the member in as their phone would."""
        guest = self._register()
        if not self.day.menu:
            self.day.menu = self.api.get("menu", f"/stores/{part(self.day.journal.store)}/menu")
        self._sign_in(guest)

    def work(self) -> None:
        """Serve until the day's orders are used up. What goes wrong is noted, not hidden."""
        while (number := self.day.next_order()) is not None:
            try:
                self._serve()
                if self.sales and self._chance(REFUNDED_SHARE):
                    self._refund(self.dice.choice(self.sales))
            except (Refused, Unreachable) as problem:
                self.day.journal.complain(f"order {number} at {self.name}: {problem}")
            else:
                self.day.journal.count_order()

    def _serve(self) -> None:
        guest = self._next_guest()
        basket, quote = self._price(guest)
        if quote["total_cents"] and guest and self._chance(PLACED_SHARE):
            self._place(basket, quote)
        else:
            self._settle(basket, quote)

    # --- members ---------------------------------------------------------------------------------

    def _next_guest(self) -> dict[str, Any] | None:
        """Return the member at the counter, as the server shows them; None for a stranger."""
        if not self._chance(GUEST_SHARE):
            return None
        journal = self.day.journal
        if len(journal.guests) < self.day.most_members and self._chance(0.4):
            guest = self._register()
        else:
            guest = self.dice.choice(self.guests)
        return self._look_up(guest)

    def _register(self) -> Guest:
        """Register somebody new; a phone that belongs to a member already is not theirs."""
        while True:
            phone = f"+8619{self.dice.randrange(10**9):09d}"
            try:
                answer = self.api.do(
                    "register",
                    "/members",
                    {"phone": phone, "name": "Tea guest"},
                    is_dropped=self._chance(DROPPED_SHARE),
                )
            except Refused as refusal:
                if refusal.code != "member-exists":
                    raise
                continue
            guest = Guest(id=answer.body["id"], phone=phone)
            self.guests.append(guest)
            self.day.journal.add_guest(guest, store=answer.body["store"])
            return guest

    def _sign_in(self, guest: Guest) -> None:
        """Sign in on the member's phone. Only a sandbox tells us the code that was sent to it."""
        sent = self.phone.ask("login code", "/auth/codes", {"phone": guest.phone})
        if sent["sandbox_code"] is None:
            self.day.log.happened("member codes skipped: this server does not show login codes")
            return
        body = {"phone": guest.phone, "code": sent["sandbox_code"]}
        signed_in = self.phone.ask("sign in", "/auth/tokens", body)
        if signed_in["is_new"]:
            self.day.journal.complain(f"signing in made member {guest.id} a second time")
        self.tokens[guest.id] = signed_in["token"]

    def _look_up(self, guest: Guest) -> dict[str, Any]:
        """Find a member by the code on their phone where we can, or by the number they say."""
        if guest.id in self.tokens:
            self.phone.headers = {"Authorization": f"Bearer {self.tokens[guest.id]}"}
            code = self.phone.ask("member code", "/me/code")["code"]
            found = self.api.ask("lookup by code", "/members/lookup", {"member_code": code})
            self._expect_refusal(
                404, "a member code works once", "/members/lookup", {"member_code": code}
            )
        else:
            found = self.api.ask("lookup by phone", "/members/lookup", {"phone": guest.phone})
        if found["id"] != guest.id:
            self.day.journal.complain(f"looked up {guest.id}, found {found['id']}")
        return dict(found)

    # --- baskets ---------------------------------------------------------------------------------

    def _price(self, member: dict[str, Any] | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a basket and its quote, without the codes that the server refused."""
        while True:
            basket = self._basket(member)
            try:
                quote = self.api.ask("quote", "/quotes", basket)
            except Refused as refusal:
                if refusal.code != "product-not-available":
                    raise
                self.day.menu = self.api.get("menu", f"/stores/{self.day.journal.store}/menu")
                continue
            if not quote["refusals"]:
                return basket, quote
            refused = {refusal["code"] for refusal in quote["refusals"]}
            basket["coupons"] = [code for code in basket["coupons"] if code not in refused]
            if basket.get("reward") in refused:
                del basket["reward"]
            return basket, self.api.ask("quote", "/quotes", basket)

    def _basket(self, member: dict[str, Any] | None) -> dict[str, Any]:
        lines = [self._line() for _ in range(self.dice.choice((1, 1, 1, 2, 2, 3)))]
        basket: dict[str, Any] = {"order_type": "pickup", "lines": lines}
        if member is None:
            return basket
        if self._chance(OFFICE_SHARE):
            lines[0]["quantity"] = CUPS_FOR_THE_OFFICE
        guest = next(guest for guest in self.guests if guest.id == member["id"])
        basket |= {"member": guest.id, "coupons": self._coupons(guest)}
        if self._chance(0.5):
            basket["points"] = member["points_available"]
        if reward := self._reward(guest, member["points_available"]):
            basket |= {"reward": reward, "points": 0}
        return basket

    def _line(self) -> dict[str, Any]:
        """Choose a product and everything it asks for."""
        product = self.dice.choice(list(self._on_sale()))
        groups = {group["code"]: group for group in self.day.menu["option_groups"]}
        line: dict[str, Any] = {"product": product["code"], "quantity": self.dice.choice((1, 1, 2))}
        options, toppings = {}, {}
        for choice in product["options"]:
            allowed = [c for c in choice["allowed"] if c not in product["included_toppings"]]
            if not groups[choice["group"]]["is_topping"]:
                options[choice["group"]] = self.dice.choice(allowed)
            elif allowed and self._chance(0.3):
                toppings[self.dice.choice(allowed)] = 1
        return line | {"options": options, "toppings": toppings}

    def _on_sale(self) -> Iterator[dict[str, Any]]:
        for category in self.day.menu["categories"]:
            for product in category["products"]:
                is_here = product["is_in_season"] and not product["is_sold_out"]
                if is_here and "pickup" in product["sellable"] and category["code"] != MERCHANDISE:
                    yield product

    def _coupons(self, guest: Guest) -> list[str]:
        """Show what is in the wallet; claim something when there is nothing."""
        wallet = self.api.pages("wallet", f"/members/{guest.id}/coupons")
        codes = [coupon["code"] for coupon in wallet]
        if not codes and self._chance(0.5):
            codes = self._claim(guest)
        guest.coupons += [code for code in codes if code not in guest.coupons]
        return self.dice.sample(codes, min(len(codes), self.dice.choice((0, 1, 1, 2))))

    def _claim(self, guest: Guest) -> list[str]:
        offered = self.api.pages("claimable", "/coupon-definitions", member=guest.id)
        open_to_them = [o for o in offered if o["taken"] < o["per_member_limit"]]
        if not open_to_them:
            return []
        path = f"/coupon-definitions/{part(self.dice.choice(open_to_them)['code'])}/claims"
        try:
            claimed = self.api.do(
                "claim", path, {"member": guest.id}, is_dropped=self._chance(DROPPED_SHARE)
            )
        except Refused as refusal:
            if refusal.status != http.client.CONFLICT:  # gone, or over, between look and claim
                raise
            return []
        return [claimed.body["code"]]

    def _reward(self, guest: Guest, available: int) -> str | None:
        """Take a reward if the points reach for one; use one that was taken before."""
        if guest.rewards:
            return next(iter(guest.rewards))
        within_reach = [
            reward
            for reward in self.api.pages("rewards", "/rewards")
            if reward["cost_points"] <= available
        ]
        if not within_reach:
            return None
        path = f"/rewards/{part(within_reach[0]['code'])}/redemptions"
        taken = self.api.do(
            "redeem reward", path, {"member": guest.id}, is_dropped=self._chance(DROPPED_SHARE)
        )
        guest.rewards[taken.body["code"]] = taken.body["points"]
        return str(taken.body["code"])

    # --- selling ---------------------------------------------------------------------------------

    def _settle(self, basket: dict[str, Any], quote: dict[str, Any]) -> None:
        """Sell at once: the money is in the drawer already."""
        number = f"{self.day.journal.prefix}-{self.name}-{next(self._counter)}"
        sale = basket | {"pos_order_no": number, "expected_total_cents": quote["total_cents"]}
        if self._chance(STALE_TOTAL_SHARE):
            extra = self._line()  # the guest adds a cup, and the till forgets to ask again
            sale |= {"lines": [*basket["lines"], extra]}
        key = new_key()
        try:
            answer = self._send_sale(sale, key=key, is_dropped=self._chance(DROPPED_SHARE))
        except Refused as refusal:
            if refusal.code != "quote-changed":
                raise
            self.day.log.happened("changed quotes followed")
            quote = refusal.problem["quote"]
            sale["expected_total_cents"] = quote["total_cents"]
            key = new_key()  # another request, another key
            answer = self._send_sale(sale, key=key, is_dropped=False)
        if self._chance(TWICE_SHARE):
            self._send_twice(sale, key=key, first=answer.raw, order=answer.body["order"])
        self._note(answer.body, quote, basket)

    def _send_sale(self, sale: dict[str, Any], *, key: str, is_dropped: bool) -> Any:
        total = sale["expected_total_cents"]
        if total > 1:  # some pay in two ways; a till that sends no tenders took cash
            cash = self.dice.randrange(1, total)
            sale["tenders"] = [
                {"method": "cash", "amount_cents": cash},
                {"method": "wechat", "amount_cents": total - cash},
            ]
        return self.api.do("settle", "/pos/settle", sale, key=key, is_dropped=is_dropped)

    def _send_twice(
        self, sale: dict[str, Any], *, key: str, first: bytes, order: dict[str, Any]
    ) -> None:
        """Press the button again, then crash and forget the key: neither may sell a second time."""
        again = self.api.do("settle again", "/pos/settle", sale, key=key)
        if again.raw != first or not again.is_replayed:
            self.day.journal.complain(f"{order['number']}: the same key got another answer")

        found = self.api.pages("orders", "/orders", pos_order_no=sale["pos_order_no"])
        if [row["number"] for row in found] != [order["number"]]:
            self.day.journal.complain(f"{order['number']}: not found by its till number")
        # A till that does not look first gets 409: the number is taken, or its coupon is used.
        self._expect_refusal(409, "a till number sells once", "/pos/settle", sale)

    def _place(self, basket: dict[str, Any], quote: dict[str, Any]) -> None:
        """Take an order first and the money later, or never."""
        total = quote["total_cents"]
        placed = self.api.do(
            "place",
            "/orders",
            basket | {"expected_total_cents": total},
            is_dropped=self._chance(DROPPED_SHARE),
        ).body
        path = f"/orders/{part(placed['number'])}"
        is_dropped = self._chance(DROPPED_SHARE)
        if self._chance(CANCELLED_SHARE):
            cancelled = self.api.do("cancel", f"{path}/cancellation", is_dropped=is_dropped).body
            self._note({"order": cancelled, "points_earned": 0}, quote, basket)
            return
        tenders = [{"method": "alipay", "amount_cents": total}]
        paid = self.api.do("pay", f"{path}/payment", {"tenders": tenders}, is_dropped=is_dropped)
        self._note(paid.body, quote, basket)

    def _note(self, receipt: dict[str, Any], quote: dict[str, Any], basket: dict[str, Any]) -> None:
        """Write the sale down, and look whether the receipt says what the quote said."""
        order = receipt["order"]
        applied = [discount["code"] for discount in quote["applied"]]
        guest = next((g for g in self.guests if g.id == order["member"]), None)
        reward = basket.get("reward") if basket.get("reward") in applied else None
        sale = Sale(
            number=order["number"],
            business_date=order["business_date"],
            status=order["status"],
            payable_cents=order["payable_cents"],
            member=order["member"],
            pos_order_no=order["pos_order_no"],
            coupons=[given["code"] for given in quote["applied"] if given["kind"] == "coupon"],
            reward=reward,
            points_spent=order["points_spent"],
            points_earned=receipt["points_earned"],
        )
        sale.update(order)
        if guest and reward and sale.is_paid:
            sale.reward_points = guest.rewards.pop(reward)
        if order["payable_cents"] != quote["total_cents"]:
            self.day.journal.complain(f"{sale.number} costs something else than was quoted")
        if sale.is_paid and receipt["points_earned"] != quote["points_to_earn"]:
            self.day.journal.complain(f"{sale.number} earned other points than were quoted")
        self.sales.append(sale)
        self.day.journal.add_sale(sale)

    # --- giving money back -----------------------------------------------------------------------

    def _refund(self, sale: Sale) -> None:
        """Refund a piece, an amount, or all that is left."""
        if not sale.is_paid or sale.is_refunded_whole:
            return
        body: dict[str, Any] = {"reason": "not as it should be"}
        how = self.dice.choice(("line", "amount", "whole"))
        if how == "line":
            lines = self.api.get("order", f"/orders/{part(sale.number)}")["lines"]
            left = [line for line in lines if line["refunded_quantity"] < line["quantity"]]
            if left:
                position = self.dice.choice(left)["position"]
                body["lines"] = [{"line": position, "quantity": 1}]
        elif how == "amount" and sale.left_cents:
            body["amount_cents"] = self.dice.randint(1, sale.left_cents)
        refund = self.api.do(
            f"refund by {how}",
            f"/orders/{part(sale.number)}/refunds",
            body,
            is_dropped=self._chance(DROPPED_SHARE),
        ).body
        expected = body.get("amount_cents", refund["amount_cents"])
        is_told_right = refund["order"]["refunded_cents"] == sale.refunded_cents + expected
        if not is_told_right or refund["amount_cents"] != expected:
            self.day.journal.complain(f"{sale.number}: refund {refund['number']} does not add up")
        sale.refunds.append(RefundNote(number=refund["number"], amount_cents=expected))
        sale.update(refund["order"])

    # --- dice ------------------------------------------------------------------------------------

    def _chance(self, share: float) -> bool:
        return self.dice.random() < share

    def _expect_refusal(self, status: int, rule: str, path: str, body: dict[str, Any]) -> None:
        """Do something that must be refused."""
        try:
            self.api.do("refused", path, body)
        except Refused as refusal:
            if refusal.status == status:
                return
        self.day.journal.complain(f"{rule}: the server thinks otherwise")
