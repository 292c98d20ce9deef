"""Turns settings into a service: the one place that chooses a database, keys and a clock."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from authctl.clock import SystemClock
from authctl.errors import Refused, SettingsError
from authctl.server.accounts.credentials import Credentials
from authctl.server.accounts.personal_data import PersonalData
from authctl.server.accounts.rejections import Rejections
from authctl.server.accounts.roles import Roles
from authctl.server.accounts.trail_access import TrailAccess
from authctl.server.accounts.users import Users
from authctl.server.audit.bounded_reading import BoundedReading
from authctl.server.audit.journal import Recording
from authctl.server.audit.keys import TrailKeys
from authctl.server.audit.repair import Repair
from authctl.server.audit.shipping import Shipper
from authctl.server.audit.tails import require_tails
from authctl.server.audit.trail import AuditTrail
from authctl.server.identity import Identity
from authctl.server.keys import load_keys
from authctl.server.maintenance import Maintenance
from authctl.server.readiness import ReadinessCheck
from authctl.server.service import Ceremonies, Service
from authctl.server.storage.drivers import choose_driver
from authctl.server.storage.engine import open_database
from authctl.server.storage.reader import open_reader
from authctl.server.storage.serving_lock import serving_lock
from authctl.server.storage.sqlite import SqliteDriver, examine
from authctl.server.tokens.codec import Codec
from authctl.server.tokens.issuing import Issuer
from authctl.server.tokens.verifying import Verifier

if TYPE_CHECKING:
    from authctl.clock import Clock
    from authctl.server.keys import Keys
    from authctl.server.storage.connection import Driver
    from authctl.server.storage.database import Database
    from authctl.server.storage.serving_lock import ServingLock
    from authctl.settings import Settings


def open_service(
    settings: Settings,
    *,
    kind: Literal["server", "cli"] = "server",
    clock: Clock | None = None,
    create: bool | None = None,
) -> Service:
    """The service on the database and the keys of the settings.

    kind    a "server" shares the serving lock and upgrades an embedded database; "cli" does neither
    create  whether a database and keys that are not there are made; by default only a server does

    Raises SettingsError, a StorageError, or Refused; then nothing stays open.
    """
    clock = clock or SystemClock()
    may_create = kind == "server" if create is None else create
    driver = choose_driver(settings.database_url)
    identity = Identity(settings.key_dir)
    identity.require_no_loss(driver)
    keys = _load_keys(settings, driver, may_create=may_create)
    recording = Recording(
        keys=TrailKeys(keys.audit, keys.checkpoint),
        instance_id=keys.instance_id,
        kind=kind,
        policy=settings.audit_policy,
        shipper=Shipper(settings.log_file, clock),
    )
    with ExitStack() as undo:
        database = open_database(
            settings.database_url,
            clock,
            recording.journal,
            create=may_create and isinstance(driver, SqliteDriver),
            upgrade=may_create and isinstance(driver, SqliteDriver),
        )
        undo.callback(database.close)
        identity.adopt(database, keys)
        lock = serving_lock(driver) if kind == "server" else None
        if lock is not None:
            undo.callback(lock.release)
            if not lock.share():
                raise Refused("The database is being reset", hint="start again in a moment")
            database.read_now(lambda tx: require_tails(tx, recording.keys))
        undo.pop_all()
    service = _assemble(settings, keys, database, recording, identity, lock)
    if kind == "server":
        _ = service.ceremonies  # now, and not when the first user waits
    return service


def _load_keys(settings: Settings, driver: Driver, *, may_create: bool) -> Keys:
    is_absent = _is_absent(driver)
    try:
        return load_keys(settings, create=may_create and is_absent)
    except SettingsError as error:
        if is_absent:
            raise
        if isinstance(driver, SqliteDriver):
            examine(driver.path)  # what is wrong with the file comes before what is wrong with its keys
        hint = "the database exists, so no new keys are made: mend or give those that it was made with"
        raise SettingsError(error.problems, hint=hint) from error


def _is_absent(driver: Driver) -> bool:
    """Whether nothing is there yet; keys are made only together with their database."""
    return not isinstance(driver, SqliteDriver) or not os.path.lexists(driver.path)


def _assemble(
    settings: Settings,
    keys: Keys,
    database: Database,
    recording: Recording,
    identity: Identity,
    lock: ServingLock | None,
) -> Service:
    codec = Codec(keys.jwt)
    lifetime = settings.token_lifetime_seconds
    issuer = Issuer(codec, issuer=settings.issuer, audience=settings.rp_id, lifetime_seconds=lifetime)
    verifier = Verifier(
        codec, database.clock, issuer=settings.issuer, audience=settings.rp_id, lifetime_seconds=lifetime
    )
    audit = AuditTrail(database, recording)
    rejections = Rejections(database.clock)
    reading = BoundedReading(lambda: open_reader(settings.database_url))
    return Service(
        settings=settings,
        keys=keys,
        database=database,
        make_ceremonies=lambda: _make_ceremonies(settings, keys, database, issuer, verifier, rejections),
        users=Users(database, verifier, rejections),
        credentials=Credentials(database, verifier, rejections),
        personal_data=PersonalData(database, recording, keys.decoy),
        roles=Roles(database),
        audit=audit,
        trail=TrailAccess(database, verifier, rejections, reading),
        repair=Repair(database, recording),
        maintenance=Maintenance(database, identity, rp_id=settings.rp_id, is_production=settings.is_production),
        health=ReadinessCheck(database, audit),
        lock=lock,
    )


def _make_ceremonies(
    settings: Settings, keys: Keys, database: Database, issuer: Issuer, verifier: Verifier, rejections: Rejections
) -> Ceremonies:
    from authctl.server.ceremonies.adding import Adding
    from authctl.server.ceremonies.challenges import ChallengeBook
    from authctl.server.ceremonies.decoys import Decoys
    from authctl.server.ceremonies.login import Login
    from authctl.server.ceremonies.policy import Policy
    from authctl.server.ceremonies.registration import Registration

    policy = Policy.of(settings)
    book = ChallengeBook(policy)
    decoys = Decoys(keys.decoy, settings.rp_id)
    lifetime = timedelta(seconds=settings.token_lifetime_seconds)
    return Ceremonies(
        registration=Registration(database, policy, book),
        login=Login(database, policy, book, decoys, issuer, lifetime),
        adding=Adding(database, policy, book, verifier, rejections),
    )
