"""Single sign-on: who gets in, as whom, and what that gives and takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.identity import Site
from fakes.oidc_issuer import Claims
from services.signing_on import SignOn, signing_on
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.sso import SignInWay, SsoProblem
from sluicegate.domain.user import Role, UserStatus
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.errors import Conflict, Forbidden, NotFound
from sluicegate.ports.pages import UserFilter
from sluicegate.services.caller import Caller
from sluicegate.services.sessions import open_session
from sluicegate.services.sso.sign_in import Departure
from sluicegate.services.users import UserService

MIA = "mia@example.com"


@pytest.fixture
async def on(site: Site) -> AsyncIterator[SignOn]:
    async with signing_on(site) as made:
        yield made


# Who gets in


async def test_somebody_who_is_known_by_a_verified_address_is_linked_and_comes_in(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    came = await on.enter(email="MIA@example.com")
    assert came.user.id == mia.user.id
    (identity,) = (await on.identities.of_users(on.ada, [mia.user.id]))[mia.user.id]
    assert (identity.issuer, identity.subject, identity.email) == (on.issuer.url, "mia-1", MIA)
    last = (await on.identities.last_sign_ins(on.ada, [mia.user.id]))[mia.user.id]
    assert (last.way, last.at) == (SignInWay.SSO, on.site.clock.now())
    (linked,) = await on.audit(action="sso.link")
    assert (linked.actor.user_id, linked.after["subject"]) == (mia.user.id, "mia-1")


async def test_afterwards_the_subject_counts_whatever_address_the_issuer_tells(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    await on.enter()
    noor = await on.site.person("noor@example.com")
    again = await on.enter(email="noor@example.com", email_verified=False)
    assert (again.user.id, again.user.email) == (mia.user.id, MIA)
    (identity,) = (await on.identities.of_users(on.ada, [mia.user.id]))[mia.user.id]
    assert identity.email == "noor@example.com"
    assert (await on.identities.of_users(on.ada, [noor.user.id]))[noor.user.id] == []
    assert (await on.enter(email=None)).user.id == mia.user.id


@pytest.mark.parametrize(
    ("verified", "trusts", "problem"),
    [
        (False, False, SsoProblem.UNVERIFIED),
        (None, False, SsoProblem.UNVERIFIED),
        ("nonsense", False, SsoProblem.UNVERIFIED),
        (False, True, SsoProblem.UNVERIFIED),
        ("false", True, SsoProblem.UNVERIFIED),
        (None, True, None),
        ("true", False, None),
    ],
)
async def test_an_address_that_is_not_verified_opens_no_account(
    on: SignOn, verified: object, trusts: bool, problem: SsoProblem | None
) -> None:
    await on.site.person(MIA)
    await on.set(trusts_email=trusts, creates_people=True)
    came = await on.come(email_verified=verified)
    assert (came if isinstance(came, SsoProblem) else None) is problem


async def test_an_address_that_only_becomes_that_of_somebody_opens_nothing(on: SignOn) -> None:
    await on.site.person("mike@example.com")
    await on.set(creates_people=True)
    for email in ("mi\u212ae@example.com", "mi\ud800ke@example.com", "mike\0@example.com"):
        assert await on.come(email=email) is SsoProblem.NO_EMAIL
    came = await on.enter(email=" MIKE@Example.com ", name="Mi\ud800ke")
    assert came.user.email == "mike@example.com"
    came = await on.enter(sub="noor-1", email="N\u00d6or@example.com", name="N\ud800r")
    assert (came.user.email, came.user.name) == ("n\u00f6or@example.com", "n\u00f6or")


async def test_that_one_address_is_verified_says_nothing_of_another(on: SignOn) -> None:
    """The user info is asked for groups, and tells another address than the ID token."""
    await on.site.person(MIA)
    await on.map(("devs", await on.group("Red")))
    on.issuer.in_token = lambda name: name in ("sub", "email")
    on.issuer.info = lambda claims: {**claims, "email": "own@evil.example"}
    assert await on.come(groups=["devs"]) is SsoProblem.UNVERIFIED
    on.issuer.in_token = lambda name: name == "sub"
    on.issuer.claims = lambda claims: {**claims, "email": "", "email_verified": True}
    on.issuer.info = lambda claims: {**claims, "email_verified": None}
    assert await on.come() is SsoProblem.UNVERIFIED
    on.issuer.info = lambda claims: claims
    assert (await on.enter()).user.email == MIA


async def test_nobody_is_created_unless_that_is_wanted_and_the_domain_is_one_of_those(on: SignOn) -> None:
    assert await on.come() is SsoProblem.NO_ACCOUNT
    await on.set(creates_people=True, domains=["Example.org", "@example.net"])
    assert await on.come() is SsoProblem.DOMAIN
    assert await on.come(email="mia@sub.example.org") is SsoProblem.DOMAIN
    assert await on.come(email="mia at example.org") is SsoProblem.NO_EMAIL
    assert await on.user(MIA) is None
    came = await on.enter(email="mia@example.org", name="Mia\u202eimM")
    assert (came.user.name, came.user.role, came.user.status) == ("mia", Role.MEMBER, UserStatus.ACTIVE)
    assert PolicyChange(ChangeKind.USER, came.user.id) in on.site.feed.published
    (created,) = await on.audit(action="sso.create_user")
    assert (created.actor.label, created.after["email"]) == ("sso", "mia@example.org")


async def test_whoever_is_suspended_stays_out_and_gets_nothing(on: SignOn) -> None:
    mia = await on.site.person(MIA, status=UserStatus.SUSPENDED)
    await on.map(("devs", await on.group("Developers")))
    assert await on.come(groups=["devs"]) is SsoProblem.SUSPENDED
    assert await on.names(mia.user) == []
    assert (await on.identities.of_users(on.ada, [mia.user.id]))[mia.user.id] == []
    users = UserService(on.site.store)
    await users.reactivate(on.ada, mia.user.id)
    await on.enter()
    await users.suspend(on.ada, mia.user.id)
    assert await on.come() is SsoProblem.SUSPENDED


async def test_whoever_is_invited_has_accepted_by_coming(on: SignOn) -> None:
    group = await on.group("Guests")
    (invited,) = await on.site.invitations().invite(on.ada, [MIA], group_ids=[group.id])
    assert invited.url is not None
    came = await on.enter()
    assert (came.user.status, came.user.name) == (UserStatus.ACTIVE, "Mia")
    assert await on.names(came.user) == ["Guests"]
    with pytest.raises(Conflict):
        await on.auth.accept(invited.url.rpartition("/")[2], "Mia", "correct horse battery")
    assert [event.actor.user_id for event in await on.audit(action="invitation.accept")] == [came.user.id]


async def test_an_address_that_somebody_else_has_at_the_issuer_by_now_opens_nothing(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    await on.enter()
    assert await on.come(sub="mia-2") is SsoProblem.OTHER_IDENTITY
    (identity,) = (await on.identities.of_users(on.ada, [mia.user.id]))[mia.user.id]
    await on.identities.unlink(on.ada, identity.id)
    assert (await on.enter()).user.id == mia.user.id


async def test_unlinking_ends_sessions_is_written_down_and_for_administrators(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    await on.enter()
    (identity,) = (await on.identities.of_users(mia, [mia.user.id]))[mia.user.id]
    for somebody in (mia, await on.site.person("noor@example.com")):
        with pytest.raises(Forbidden):
            await on.identities.unlink(somebody, identity.id)
    await on.identities.unlink(on.ada, identity.id)
    async with on.site.store.read() as tx:
        assert (await tx.sessions.of_users([mia.user.id]))[mia.user.id] == []
    (unlinked,) = await on.audit(action="sso.unlink")
    assert (unlinked.before["subject"], unlinked.after["sessions_ended"]) == ("mia-1", 1)
    with pytest.raises(NotFound):
        await on.identities.unlink(on.ada, identity.id)


async def test_unlinking_and_coming_in_at_once_leaves_no_session(on: SignOn) -> None:
    await on.site.person(MIA)
    mia = (await on.enter()).user
    (identity,) = (await on.identities.of_users(on.ada, [mia.id]))[mia.id]
    thing = Edited(Editable.USER, mia.id)
    async with on.site.store.write() as tx:
        await tx.versions.hold(thing)
        unlinking = asyncio.create_task(on.identities.unlink(on.ada, identity.id))
        await asyncio.wait([unlinking], timeout=0.5)
        await open_session(tx, on.site.clock, mia, "", "", SignInWay.SSO)
    await unlinking
    async with on.site.store.read() as tx:
        assert (await tx.sessions.of_users([mia.id]))[mia.id] == []
    await on.enter()
    (identity,) = (await on.identities.of_users(on.ada, [mia.id]))[mia.id]
    async with on.site.store.write() as tx:
        await tx.versions.hold(thing)
        coming = asyncio.create_task(on.come(email="mia@elsewhere.example"))
        await asyncio.wait([coming], timeout=0.5)
        await tx.sso.unlink(identity.id)
    assert await coming in (SsoProblem.CHANGED, SsoProblem.NO_ACCOUNT)


async def test_many_who_come_at_once_for_the_first_time_are_one_person(on: SignOn) -> None:
    await on.set(creates_people=True)
    await on.map(("devs", await on.group("Developers")))
    on.issuer.person["groups"] = ["devs"]
    begun = [await on.begin() for _ in range(6)]
    came = await asyncio.gather(*(on.arrive(on.issuer.consent(one.url), one) for one in begun))
    people = {one.user.id for one in came if isinstance(one, Caller)}
    assert len(people) == 1
    # Whoever was overtaken on the way is told to come again.
    assert {one for one in came if isinstance(one, SsoProblem)} <= {SsoProblem.CHANGED}
    assert (await on.enter()).user.id in people


# Passwords


async def test_members_may_be_kept_from_passwords_but_administrators_never(on: SignOn) -> None:
    await on.auth.create_admin("root@example.com", "correct horse battery", "Root")
    (invited,) = await on.site.invitations().invite(on.ada, [MIA])
    assert invited.url is not None
    link = invited.url.rpartition("/")[2]
    await on.set(members_use_passwords=False, label="Acme")
    assert not (await on.auth.link(link)).password
    with pytest.raises(Conflict, match="Sign in with Acme"):
        await on.auth.accept(link, "Mia", "correct horse battery")
    await on.set(members_use_passwords=True)
    assert (await on.auth.link(link)).password
    await on.auth.accept(link, "Mia", "correct horse battery")
    await on.set(members_use_passwords=False)
    with pytest.raises(Conflict, match="Passwords are off for members"):
        await on.auth.sign_in(MIA, "correct horse battery", "203.0.113.7")
    await on.auth.sign_in("root@example.com", "correct horse battery", "203.0.113.7")
    mia = await on.user(MIA)
    assert mia is not None
    with pytest.raises(Conflict, match="without a password"):
        await on.site.recovery().create_link(on.ada, mia.id)
    # Turned off it keeps nobody from anything.
    await on.set(enabled=False)
    await on.auth.sign_in(MIA, "correct horse battery", "203.0.113.7")
    last = (await on.identities.last_sign_ins(on.ada, [mia.id]))[mia.id]
    assert last.way is SignInWay.PASSWORD


# What the issuer's groups give


async def test_memberships_follow_the_claim_and_those_given_by_hand_stay(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    red, blue, green = await on.group("Red"), await on.group("Blue"), await on.group("Green")
    await on.groups.add_members(on.ada, green.id, [mia.user.id])
    await on.map(("devs", red), ("devs", blue), ("ops", blue), ("ops", green))
    await on.enter(groups=["devs", "unknown"])
    assert await on.names(mia.user) == ["Blue", "Green", "Red"]
    await on.enter(groups=["ops"])
    assert await on.names(mia.user) == ["Blue", "Green"]
    await on.enter(groups="nothing that gives anything")
    assert await on.names(mia.user) == ["Green"]
    added = await on.audit(action="group.add_members")
    assert [(event.actor.label, event.target_label) for event in added[1:]] == [
        ("sso", name) for name in sorted(("Red", "Blue"), key=lambda name: {"Red": red, "Blue": blue}[name].id)
    ]
    assert PolicyChange(ChangeKind.USER, mia.user.id) in on.site.feed.published


async def test_a_claim_that_is_missing_changes_nothing_and_is_written_down(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    await on.map(("devs", await on.group("Red")))
    await on.enter(groups=["devs"])
    await on.enter(groups=None)
    assert await on.names(mia.user) == ["Red"]
    (event,) = await on.audit(action="sso.no_groups")
    assert (event.actor.label, event.target_id) == ("sso", mia.user.id)
    await on.enter(groups=[])
    assert await on.names(mia.user) == []


async def test_a_row_that_is_gone_takes_at_the_next_sign_in_what_it_gave(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    red, blue = await on.group("Red"), await on.group("Blue")
    await on.map(("devs", red), ("devs", blue))
    await on.enter(groups=["devs"])
    await on.map(("devs", blue))
    assert await on.names(mia.user) == ["Blue", "Red"]
    await on.enter()
    assert await on.names(mia.user) == ["Blue"]
    # Without any row the claim has nothing to say.
    await on.map()
    await on.enter(groups=None)
    assert await on.names(mia.user) == []
    assert await on.audit(action="sso.no_groups") == []


async def test_what_was_removed_and_added_by_hand_is_by_hand(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    red = await on.group("Red")
    await on.map(("devs", red))
    await on.enter(groups=["devs"])
    await on.groups.remove_members(on.ada, red.id, [mia.user.id])
    await on.groups.add_members(on.ada, red.id, [mia.user.id])
    await on.enter(groups=[])
    assert await on.names(mia.user) == ["Red"]


async def test_a_group_that_is_deleted_takes_its_rows_along(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    red = await on.group("Red")
    await on.map(("devs", red), admins=["boss"])
    await on.enter(groups=["devs"])
    await on.groups.delete(on.ada, red.id)
    assert (await on.settings.get(on.ada)).mappings == []
    await on.enter()
    assert await on.names(mia.user) == []


async def test_a_nested_claim_and_one_that_is_named_by_an_address(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    # Typed as a letter and an accent, told as one letter.
    await on.map(("De\u0301vs", await on.group("Red")))
    await on.set(groups_claim="realm_access.roles")
    await on.enter(realm_access={"roles": ["D\u00e9vs", 7]})
    assert await on.names(mia.user) == ["Red"]
    await on.enter(realm_access=["not", "nested"])
    assert await on.names(mia.user) == ["Red"]
    await on.set(groups_claim="https://example.com/groups")
    await on.enter(**{"https://example.com/groups": []})
    assert await on.names(mia.user) == []


async def test_a_role_is_given_and_taken_where_single_sign_on_gave_it(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    await on.map(admins=["admins"])
    assert (await on.enter(groups=["admins"])).user.role is Role.ADMIN
    (given,) = await on.audit(action="user.update")
    assert (given.actor.label, given.after) == ("sso", {"role": "admin"})
    assert (await on.enter(groups=[])).user.role is Role.MEMBER
    await UserService(on.site.store).update(on.ada, mia.user.id, role=Role.ADMIN)
    await on.enter(groups=["admins"])
    assert (await on.enter(groups=[])).user.role is Role.ADMIN


async def test_a_role_given_by_hand_after_the_issuer_gave_it_is_by_hand(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    await on.map(admins=["admins"])
    await on.enter(groups=["admins"])
    users = UserService(on.site.store)
    await users.update(on.ada, mia.user.id, role=Role.MEMBER)
    await users.update(on.ada, mia.user.id, role=Role.ADMIN)
    assert (await on.enter(groups=[])).user.role is Role.ADMIN


async def test_the_last_administrator_keeps_the_role(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    await on.map(admins=["admins"])
    await on.enter(groups=["admins"])
    users = UserService(on.site.store)
    await users.update(mia_as_admin(mia), on.ada.user.id, role=Role.MEMBER)
    assert (await on.enter(groups=[])).user.role is Role.ADMIN
    assert [event.target_id for event in await on.audit(action="sso.kept_admin")] == [mia.user.id]
    await users.update(mia_as_admin(mia), on.ada.user.id, role=Role.ADMIN)
    assert (await on.enter(groups=[])).user.role is Role.MEMBER


async def test_of_two_who_lose_the_role_at_once_the_last_keeps_it(on: SignOn) -> None:
    await on.map(admins=["admins"])
    people = [await on.site.person(f"{name}@example.com") for name in ("mia", "noor")]
    for name in ("mia", "noor"):
        await on.enter(sub=f"{name}-1", email=f"{name}@example.com", groups=["admins"])
    await UserService(on.site.store).update(mia_as_admin(people[0]), on.ada.user.id, role=Role.MEMBER)
    ways: list[tuple[dict[str, str], Departure]] = []
    for name in ("mia", "noor"):
        begun = await on.begin()
        on.issuer.person |= {"sub": f"{name}-1", "email": f"{name}@example.com", "groups": []}
        ways.append((on.issuer.consent(begun.url), begun))
    on.issuer.claims = lambda claims: {**claims, "sub": next(subjects)}
    subjects = iter(["mia-1", "noor-1"])
    came = await asyncio.gather(*(on.arrive(*way) for way in ways))
    assert all(isinstance(one, Caller) for one in came)
    async with on.site.store.read() as tx:
        assert await tx.users.count(UserFilter(role=Role.ADMIN)) == 1


def mia_as_admin(mia: Caller) -> Caller:
    return replace(mia, user=replace(mia.user, role=Role.ADMIN))


async def test_groups_that_the_token_lacks_are_asked_for(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    on.issuer.in_token = lambda name: name == "sub"
    await on.map(("devs", await on.group("Red")))
    await on.enter(groups=["devs"])
    assert await on.names(mia.user) == ["Red"]
    assert len(on.issuer.asked_for("/userinfo")) == 1
    on.issuer.info = lambda claims: {**claims, "sub": "noor-1"}
    assert await on.come() is SsoProblem.REFUSED
    on.issuer.in_token = lambda name: True
    await on.enter()
    assert len(on.issuer.asked_for("/userinfo")) == 2


@pytest.mark.parametrize("lacking", [{"roles": None}, {"access": {}}, {"access": {"roles": None}}, {"access": 7}])
async def test_groups_that_the_token_has_no_list_of_are_taken_from_the_user_info(on: SignOn, lacking: Claims) -> None:
    mia = await on.site.person(MIA)
    name = "roles" if "roles" in lacking else "access.roles"
    await on.set(groups_claim=name)
    await on.map(("devs", await on.group("Red")))
    on.issuer.claims = lambda claims: {**claims, **lacking}
    on.issuer.info = lambda claims: {**claims, "roles": ["devs"], "access": {"roles": ["devs"]}}
    await on.enter()
    assert await on.names(mia.user) == ["Red"]


async def test_sessions_are_as_those_of_a_password(on: SignOn) -> None:
    mia = await on.site.person(MIA)
    came = await on.enter()
    async with on.site.store.read() as tx:
        (session,) = (await tx.sessions.of_users([mia.user.id]))[mia.user.id]
    assert (session.id, session.address, session.user_agent) == (came.session_id, "203.0.113.7", "a browser")
    assert session.expires_at - session.created_at == timedelta(days=14)
