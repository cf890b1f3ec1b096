"""Which person somebody is whom an identity provider sends."""

from __future__ import annotations

from sluicegate.domain.audit import SSO
from sluicegate.domain.mail import LetterKind
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.sso import Identity, SsoProblem, SsoSettings, Told
from sluicegate.domain.user import LinkKind, Role, User, UserStatus, parse_email
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.ids import new_id
from sluicegate.ports.store import Transaction
from sluicegate.services.auth import activate, actor_of


class NotLetIn(Exception):
    """Somebody cannot come in; `detail` is for the log alone."""

    def __init__(self, problem: SsoProblem, detail: str = "") -> None:
        super().__init__(detail or problem.value)
        self.problem = problem


async def recognised(tx: Transaction, clock: Clock, settings: SsoSettings, told: Told) -> User:
    """The active person behind an identity, linked or created if need be, with version and person held; raises
    NotLetIn."""
    identity = await tx.sso.identity(told.issuer, told.subject)
    if identity is None:
        email = _proven_email(settings, told)
        found = await tx.users.by_email(email)
        user = await _created(tx, clock, settings, told, email) if found is None else await _held(tx, found.id)
        user = await _let_in(tx, clock, user, told)
        await _link(tx, clock, user, told, email)
        return user
    user = await _let_in(tx, clock, await _held(tx, identity.user_id), told)
    if await tx.sso.identity_by_id(identity.id) is None:
        raise NotLetIn(SsoProblem.CHANGED, "the account was unlinked at this moment")
    await tx.sso.use(identity.id, _address(told) or identity.email, clock.now())
    return user


def _proven_email(settings: SsoSettings, told: Told) -> str:
    email = _address(told)
    if not email:
        raise NotLetIn(SsoProblem.NO_EMAIL, "the issuer tells no e-mail address that can be one")
    if told.email_verified is False or (told.email_verified is None and not settings.trusts_email):
        said = "denies" if told.email_verified is False else "does not say"
        raise NotLetIn(SsoProblem.UNVERIFIED, f"the issuer {said} that the e-mail address is verified")
    return email


def _address(told: Told) -> str:
    try:
        return parse_email(told.email)
    except InvalidInput:
        return ""


async def _held(tx: Transaction, user_id: str) -> User:
    await tx.versions.hold(Edited(Editable.USER, user_id))
    if await tx.sso.gave_admin(user_id):
        # In the order in which everybody locks administrators, before one of them is locked.
        await tx.users.lock_active_admins()
    user = await tx.users.locked(user_id)
    if user is None:
        raise NotLetIn(SsoProblem.NO_ACCOUNT, "the person was deleted at this moment")
    return user


async def _let_in(tx: Transaction, clock: Clock, user: User, told: Told) -> User:
    if user.status is UserStatus.SUSPENDED:
        raise NotLetIn(SsoProblem.SUSPENDED, f"{user.email} is suspended")
    if user.status is UserStatus.ACTIVE:
        return user
    await tx.links.replace(user.id, LinkKind.INVITE, clock.now())
    await tx.mail.cancel(user.id, LetterKind.INVITATION)
    return await activate(tx, user, user.name or told.name or _name_of(user.email))


async def _created(tx: Transaction, clock: Clock, settings: SsoSettings, told: Told, email: str) -> User:
    if not settings.creates_people:
        raise NotLetIn(SsoProblem.NO_ACCOUNT, f"nobody has the address {email}, and nobody is created")
    domain = email.rpartition("@")[2]
    if settings.domains and domain not in settings.domains:
        raise NotLetIn(SsoProblem.DOMAIN, f"nobody with an address at {domain} is created")
    name = told.name or _name_of(email)
    user = User(new_id(), email, name, Role.MEMBER, UserStatus.ACTIVE, clock.now())
    await tx.users.add(user)
    await tx.versions.hold(Edited(Editable.USER, user.id))
    after = {"email": email, "name": name, "role": user.role.value}
    await tx.audit.record(SSO, "sso.create_user", "user", user.id, user.label, {}, after)
    tx.changed(PolicyChange(ChangeKind.USER, user.id))
    return user


async def _link(tx: Transaction, clock: Clock, user: User, told: Told, email: str) -> None:
    others = (await tx.sso.identities_of([user.id]))[user.id]
    if any(identity.issuer == told.issuer for identity in others):
        # An address that was given to somebody else must not open the account of whoever had it before.
        raise NotLetIn(SsoProblem.OTHER_IDENTITY, f"{user.email} is linked to another subject of this issuer")
    now = clock.now()
    identity = Identity(new_id(), user.id, told.issuer, told.subject, email, now, now)
    await tx.sso.link(identity)
    after = {"issuer": told.issuer, "subject": told.subject, "email": email}
    await tx.audit.record(actor_of(user), "sso.link", "user", user.id, user.label, {}, after)


def _name_of(email: str) -> str:
    return email.partition("@")[0]
