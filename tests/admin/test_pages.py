"""Every page of the back office: it opens, cheaply, for whom it is for, and shows no more."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Model
from django.forms.models import ModelChoiceField
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import ChannelLink, DailyCost, ReferralProgramme
from loyalty.models import LoyaltyProgramme
from shop.admin.pages import ReadOnlyPage
from shop.models import Member, Staff, Store, StoreProduct, Till
from tests import make
from tests.admin import world
from tests.api.requests import undone

pytestmark = pytest.mark.django_db

MOST_QUERIES_OF_A_LIST = 16
MOST_QUERIES_OF_A_PAGE = 24
THEIRS = "SH002"


@pytest.fixture(scope="class")
def theirs(django_db_setup: None, django_db_blocker: Any) -> Iterator[world.Rows]:
    """Return the keys of every row that belongs to the other store, beside this one's.

    Built once; what a test changes is rolled back.
    """
    with django_db_blocker.unblock(), undone():
        world.populate("SH001")
        before = world.snapshot()
        world.populate(THEIRS)
        rows = world.added_since(before)
        rows[Store] = {make.store(THEIRS).pk}
        yield rows


@pytest.fixture
def office() -> Client:
    return signed_in("Head office")


@pytest.fixture
def manager() -> Client:
    return signed_in("Store manager", "SH001")


def signed_in(group: str, *stores: str) -> Client:
    client: Client = make.staff(*stores, group=group).client
    return client


def pages() -> Iterator[tuple[type[Model], Any]]:
    yield from admin.site._registry.items()


def visible_pages(client: Client) -> list[tuple[type[Model], Any]]:
    request = _request_of(client)
    return [(model, page) for model, page in pages() if page.has_view_permission(request)]


def one_of_each(rows: world.Rows) -> list[tuple[type[Model], object]]:
    return [(model, next(iter(keys))) for model, keys in rows.items() if keys]


def url(model: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def text_of(response: Any) -> str:
    return str(response.content.decode())


class TestHeadOffice:
    @pytest.mark.slow
    def test_opens_every_list_with_as_few_queries_for_many_rows_as_for_one(
        self, office: Client, theirs: world.Rows, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office.get(reverse("admin:index"))  # content types are remembered from here on
        costly = {}
        for model, page in visible_pages(office):
            counts = []
            for rows in (1, 50):
                monkeypatch.setattr(page, "list_per_page", rows)
                with CaptureQueriesContext(connection) as queries:
                    response = office.get(url(model, "changelist"))
                assert response.status_code == 200, model
                counts.append(len(queries))
            if counts[1] > min(counts[0], MOST_QUERIES_OF_A_LIST):
                costly[model.__name__] = counts
        assert costly == {}

    def test_opens_every_row_with_few_queries(self, office: Client, theirs: world.Rows) -> None:
        costly, empty = {}, []
        for model, _page in visible_pages(office):
            row = model._default_manager.order_by("-pk").first()
            if row is None:
                empty.append(model.__name__)
                continue
            with CaptureQueriesContext(connection) as queries:
                response = office.get(url(model, "change", row.pk))
            assert response.status_code == 200, model
            if len(queries) > MOST_QUERIES_OF_A_PAGE:
                costly[model.__name__] = len(queries)
        assert costly == {}
        assert set(empty) <= {"IdempotencyRecord"}  # written by the API only

    def test_opens_every_form_for_a_new_row(self, office: Client) -> None:
        opened, request = [], _request_of(office)
        for model, page in pages():
            if page.has_add_permission(request):
                assert office.get(url(model, "add")).status_code == 200, model
                opened.append(model.__name__)

        assert {"CouponDefinition", "Campaign", "ChannelLink", "Product", "Staff"} <= set(opened)
        assert not {"Order", "PointsEntry", "Coupon", "Touch"} & set(opened)

    def test_cannot_write_what_flows_write(self, office: Client, theirs: world.Rows) -> None:
        for model, page in visible_pages(office):
            row = model._default_manager.first()
            if row is None or not isinstance(page, ReadOnlyPage):
                continue
            for address in (
                url(model, "change", row.pk),
                url(model, "delete", row.pk),
                url(model, "add"),
            ):
                assert office.post(address, {"post": "yes"}).status_code == 403, address

    def test_sees_money_in_yuan_and_phones_by_four_digits(
        self, office: Client, theirs: world.Rows
    ) -> None:
        who = Member.objects.get(name="熟客SH001")

        page = text_of(office.get(url(Member, "change", who.pk)))

        assert who.phone_last4 in page
        assert who.phone[3:] not in page
        cost = DailyCost.objects.get(link__store__code="SH001")
        assert "¥123.45" in text_of(office.get(url(DailyCost, "changelist")))
        assert 'value="123.45"' in text_of(office.get(url(DailyCost, "change", cost.pk)))

    def test_finds_a_member_by_the_whole_phone_number(self, office: Client) -> None:
        who = make.member(name="找我", phone="+8613900001111")
        make.member(name="不是我", phone="+8613900002222")

        page = text_of(office.get(url(Member, "changelist"), {"q": "139 0000 1111"}))

        assert "找我" in page
        assert "不是我" not in page
        assert who.phone not in page

    def test_may_change_the_one_programme_and_not_delete_it(self, office: Client) -> None:
        for model in (LoyaltyProgramme, ReferralProgramme):
            assert office.get(url(model, "change", 1)).status_code == 200
            assert office.get(url(model, "delete", 1)).status_code == 403
            assert office.get(url(model, "add")).status_code == 403


class TestManager:
    """A manager of store 1, at every address there is, beside rows of store 2."""

    def test_sees_no_row_of_another_store_in_any_list(
        self, manager: Client, theirs: world.Rows
    ) -> None:
        marks = ["熟客SH002", "朋友SH002", "door of SH002", "opening-sh002", "till-sh002"]
        for model, _page in pages():
            response = manager.get(url(model, "changelist"))
            if response.status_code == 403:
                continue
            page = text_of(response)
            assert response.status_code == 200, model
            assert [mark for mark in [*marks, _name(THEIRS)] if mark in page] == [], model
            shown = {key for key in theirs[model] if url(model, "change", key) in page}
            assert shown == set(), model

    def test_opens_no_row_of_another_store(self, manager: Client, theirs: world.Rows) -> None:
        tried = 0
        for model, key in one_of_each(theirs):
            for name in ("change", "history", "delete"):
                assert manager.get(url(model, name, key)).status_code in {302, 403, 404}, model
            assert manager.post(url(model, "change", key)).status_code in {302, 403}, model
            assert manager.post(url(model, "delete", key), {"post": "yes"}).status_code in (
                {302, 403}
            ), model
            assert model._default_manager.filter(pk=key).exists(), model
            tried += 1
        assert tried > 30

    def test_presses_no_button_of_another_store(self, manager: Client, theirs: world.Rows) -> None:
        pressed = set()
        for model, key in one_of_each(theirs):
            page: Any = admin.site._registry[model]
            for action in page._get_base_actions_detail():
                address = reverse(f"admin:{action.action_name}", args=[key])
                answers = {"_form_submitted": "on", "reason": "mine now", "points": 1}
                assert manager.get(address).status_code in {403, 404}, address
                assert manager.post(address, answers).status_code in {403, 404}, address
                pressed.add(action.action_name)
        assert {"shop_order_refund_whole", "shop_member_adjust_points"} <= pressed

    def test_downloads_no_qr_code_of_another_store(
        self, manager: Client, theirs: world.Rows
    ) -> None:
        own = ChannelLink.objects.get(store__code="SH001")
        (other,) = theirs[ChannelLink]

        assert manager.get(url(ChannelLink, "qr", own.pk, "svg")).status_code == 200
        assert manager.get(url(ChannelLink, "qr", other, "svg")).status_code == 404

    def test_prints_posters_and_codes_of_its_own_links_only(
        self, manager: Client, theirs: world.Rows
    ) -> None:
        own = ChannelLink.objects.get(store__code="SH001")
        (other,) = theirs[ChannelLink]
        ChannelLink.objects.filter(pk=own.pk).update(offer_zh="第二杯半价", offer_en="Half off")

        for size, language, offer in [
            ("a4", "zh-hans", "第二杯半价"),
            ("sticker", "en", "Half off"),
        ]:
            query = {"size": size, "language": language}
            page = text_of(manager.get(url(ChannelLink, "poster", own.pk), query))
            assert offer in page
            assert own.code in page
            assert 'fill-rule="evenodd"' in page  # the mark within the code
        look = {"size_mm": "30", "dpi": "300", "logo": "on", "caption": "扫码"}
        chosen = text_of(manager.get(url(ChannelLink, "print", own.pk), look))
        png = manager.get(url(ChannelLink, "qr", own.pk, "png"), look)
        wrong = manager.get(url(ChannelLink, "qr", own.pk, "png"), look | {"size_mm": "x"})

        assert 'width="30mm"' in chosen
        assert png["Content-Type"] == "image/png"
        assert "errorlist" in text_of(wrong)
        for name in ("poster", "print"):
            assert manager.get(url(ChannelLink, name, other)).status_code == 404

    def test_is_offered_no_row_of_another_store(self, manager: Client, theirs: world.Rows) -> None:
        asked = 0
        for model, _page in pages():
            for field in model._meta.get_fields():
                if not (field.is_relation and field.concrete):
                    continue
                query = {
                    "app_label": model._meta.app_label,
                    "model_name": str(model._meta.model_name),
                    "field_name": field.name,
                }
                response = manager.get(reverse("admin:autocomplete"), query)
                if response.status_code != 200:
                    continue
                asked += 1
                offered = {str(result["id"]) for result in response.json()["results"]}
                hidden = {str(key) for key in theirs.get(cast(Any, field.related_model), set())}
                assert offered & hidden == set(), field
        assert asked > 10

    def test_finds_no_row_of_another_store_by_filter_or_search(
        self, manager: Client, theirs: world.Rows
    ) -> None:
        other = make.store(THEIRS).pk

        by_filter = text_of(manager.get(url(Member, "changelist"), {"store__id__exact": other}))
        by_search = text_of(manager.get(url(Member, "changelist"), {"q": "熟客SH002"}))

        for key in theirs[Member]:
            assert url(Member, "change", key) not in by_filter + by_search

    def test_deletes_no_row_of_another_store_in_bulk(
        self, manager: Client, theirs: world.Rows
    ) -> None:
        """Even with the permission, which the built-in group does not have."""
        models = [DailyCost, StoreProduct]
        codenames = [f"delete_{model._meta.model_name}" for model in models]
        person = Staff.objects.get(pk=manager.session["_auth_user_id"])
        person.user_permissions.set(Permission.objects.filter(codename__in=codenames))

        for model in models:
            everything = [str(key) for key in model._default_manager.values_list("pk", flat=True)]
            chosen = {"action": "delete_selected", "_selected_action": everything}
            manager.post(url(model, "changelist"), chosen | {"post": "yes"})

            left = set(model._default_manager.values_list("pk", flat=True))
            assert theirs[model] <= left
            assert len(left) < len(everything)

    def test_cannot_give_a_row_to_another_store(self, manager: Client, theirs: world.Rows) -> None:
        other = make.store(THEIRS)
        (link,) = theirs[ChannelLink]

        till = manager.post(url(Till, "add"), {"store": other.pk, "code": "mine"})
        cost = manager.post(
            url(DailyCost, "add"),
            {"link": link, "date": "2026-06-20", "cost_cents": "1", "impressions": 0}
            | {"clicks": 0, "estimated_reach": 0},
        )

        assert till.status_code == cost.status_code == 200  # the form again, with its errors
        assert not Till.objects.filter(code="mine").exists()
        assert DailyCost.objects.filter(link_id=link).count() == 1

    def test_writes_for_their_own_store(self, manager: Client, theirs: world.Rows) -> None:
        own = ChannelLink.objects.get(store__code="SH001")
        cost = {"link": own.pk, "date": "2026-06-20", "cost_cents": "88.80"}
        counts = {"impressions": 0, "clicks": 0, "estimated_reach": 0}

        manager.post(url(Till, "add"), _inlines(Till) | {"store": make.store().pk, "code": "new"})
        manager.post(url(DailyCost, "add"), cost | counts)

        assert Till.objects.filter(code="new", store__code="SH001").exists()
        assert DailyCost.objects.get(date="2026-06-20").cost_cents == 8880

    def test_may_print_a_link_of_the_whole_chain_and_not_change_it(self, manager: Client) -> None:
        link = make.link(at=None)

        page = text_of(manager.get(url(ChannelLink, "change", link.pk)))

        assert "data-qr" in page
        assert "_save" not in page
        assert manager.post(url(ChannelLink, "change", link.pk)).status_code == 403

    def test_may_not_change_what_is_the_whole_chains(self, manager: Client) -> None:
        """Even with the permission of the group: the menu and the tiers are everybody's."""
        person = Staff.objects.get(pk=manager.session["_auth_user_id"])
        person.user_permissions.set(_permissions("shop", "change_product", "add_product"))

        product = _first("shop", "product")

        assert manager.get(url(type(product), "add")).status_code == 403
        assert manager.post(url(type(product), "change", product.pk)).status_code == 403


class TestNoPage:
    @pytest.mark.parametrize(("address", "status"), [("/admin/auth/group/", 403), ("/x/", 404)])
    def test_is_told_to_people_in_words(self, manager: Client, address: str, status: int) -> None:
        response = manager.get(address, headers={"Accept": "text/html"})

        assert response.status_code == status
        assert "<h1>" in text_of(response)

    def test_is_told_to_programs_as_a_problem(self, manager: Client) -> None:
        assert manager.get("/x/").json()["code"] == "not-found"
        page = manager.get("/api/v1/x", headers={"Accept": "text/html"})
        assert page.json()["code"] == "not-found"


class TestStaffPages:
    def test_nobody_makes_themselves_more_than_they_are(self) -> None:
        client = signed_in("Head office")
        me = Staff.objects.get(pk=client.session["_auth_user_id"])
        root = Staff.objects.create_superuser("root")

        page = text_of(client.get(url(Staff, "change", me.pk)))
        client.post(
            url(Staff, "change", me.pk),
            _form_of(client, url(Staff, "change", me.pk))
            | {
                "is_superuser": "on",
            },
        )

        assert 'name="is_superuser"' not in page
        assert not Staff.objects.get(pk=me.pk).is_superuser
        assert client.post(url(Staff, "change", root.pk)).status_code == 403
        assert client.post(f"/admin/shop/staff/{root.pk}/password/").status_code == 403

    def test_a_new_person_can_sign_in(self, office: Client) -> None:
        made = office.post(
            url(Staff, "add"),
            {
                "username": "xiaowang",
                "usable_password": "true",
                "password1": "a-long-enough-one",
                "password2": "a-long-enough-one",
                "is_staff": "on",
                "stores": [make.store().pk],
            },
        )

        assert made.status_code == 302
        person = Staff.objects.get(username="xiaowang")
        assert list(person.stores.values_list("code", flat=True)) == ["SH001"]
        assert Client().login(username="xiaowang", password="a-long-enough-one")


class TestJunk:
    """What nobody types, but anybody can send, is refused and crashes nothing."""

    @pytest.mark.parametrize(
        "query", ["status__exact=%00", "starts_at__year=" + "9" * 30, "id__exact=x"]
    )
    def test_in_the_address_of_a_list_is_refused(self, query: str) -> None:
        office = make.staff(group="Head office").client

        response = office.get(f"/admin/campaigns/campaign/?{query}")

        assert response.status_code in {302, 400}

    @pytest.mark.parametrize("junk", ["x", "\x00", "-1", "9" * 30, "2026-99-99", ""])
    def test_in_a_choice_shows_the_form_again(self, junk: str) -> None:
        office = make.staff(group="Head office").client

        for form in ("channellink", "dailycost", "campaign"):
            fields = {"channel": junk, "campaign": junk, "store": junk, "stores": junk}
            response = office.post(f"/admin/campaigns/{form}/add/", fields | {"link": junk})

            assert response.status_code == 200, form


class TestLogin:
    def test_of_whoever_opened_its_page_leads_to_the_dashboard(self) -> None:
        Staff.objects.create_user("xiaowang", password="a-long-enough-one", is_staff=True)

        response = Client().post(
            reverse("admin:login"), {"username": "xiaowang", "password": "a-long-enough-one"}
        )

        assert (response.status_code, response.headers["Location"]) == (302, reverse("admin:index"))


def _request_of(client: Client) -> Any:
    """Return a request as the pages' permission checks want it."""
    request = RequestFactory().get("/admin/")
    request.user = Staff.objects.get(pk=client.session["_auth_user_id"])
    return request


def _name(code: str) -> str:
    return make.store(code).name_en


def _permissions(label: str, *codenames: str) -> Any:
    return Permission.objects.filter(content_type__app_label=label, codename__in=codenames)


def _first(label: str, model: str) -> Any:
    return apps.get_model(label, model)._default_manager.first()


def _inlines(model: type[Model]) -> dict[str, str]:
    """Return the empty management forms of a page's inlines."""
    fields: dict[str, str] = {}
    for inline in admin.site._registry[model].inlines:
        prefix = inline.model._meta.get_field(_parent(inline.model, model)).remote_field
        name = prefix.get_accessor_name()
        fields |= {f"{name}-TOTAL_FORMS": "0", f"{name}-INITIAL_FORMS": "0"}
    return fields


def _parent(child: type[Model], parent: type[Model]) -> str:
    return next(f.name for f in child._meta.fields if f.related_model is parent)


def _form_of(client: Client, address: str) -> dict[str, Any]:
    """Return a form's current values, as a browser would send them back."""
    form = client.get(address).context["adminform"].form
    values = {}
    for name, field in form.fields.items():
        value = form.get_initial_for_field(field, name)
        if isinstance(field, ModelChoiceField) and value is not None:
            value = [getattr(row, "pk", row) for row in value]
        if value not in (None, False):
            values[name] = value
    return values
