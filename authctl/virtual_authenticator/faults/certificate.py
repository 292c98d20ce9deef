"""Faults of attestation certificates and chains; certificates are issued anew, so that only the fault is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from authctl.virtual_authenticator.attestation.authority import Authority, Extension, Names, new_key, usage
from authctl.virtual_authenticator.authenticator.algorithms.ecdsa import ES384
from authctl.virtual_authenticator.authenticator.algorithms.rsa import RS256
from authctl.virtual_authenticator.authenticator.keys import CredentialKey
from authctl.virtual_authenticator.faults.certificates import (
    AUTHORITY_KEY,
    BASIC_CONSTRAINTS,
    KEY_USAGE,
    CertificateDraft,
    Issuer,
    of_version_1,
    private_of,
    reissued,
)
from authctl.virtual_authenticator.faults.certified import AAGUID_OID, MODEL, model
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault
from authctl.virtual_authenticator.randomness import SystemRandom

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authctl.virtual_authenticator.faults.statement import Certified

fault = partial(any_fault, Layer.CERTIFICATE)

_PAST: Final = datetime(2024, 6, 1, tzinfo=UTC)
_FUTURE: Final = datetime(2100, 1, 1, tzinfo=UTC)
_UNIT: Final = "Authenticator Attestation"
_MANY: Final = 64


def leaf(case_id: str, change: Callable[[CertificateDraft], object], variant: str = "") -> None:
    """One thing of the first certificate."""
    fault(case_id, variant)(lambda draft: change(draft.statement.leaf))


def chain(case_id: str, change: Callable[[Any], object], variant: str = "") -> None:
    """One thing of the chain."""
    fault(case_id, variant)(lambda draft: change(draft.statement))


def extension(case_id: str, name: str, value: Extension | None, variant: str = "") -> None:
    """One extension of the first certificate, or none where it should be."""
    leaf(case_id, lambda certificate: certificate.extensions.update({name: value}), variant)


def _subject(case_id: str, attributes: Sequence[tuple[x509.ObjectIdentifier, str]], variant: str = "") -> None:
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])
    leaf(case_id, lambda certificate: setattr(certificate, "subject", name), variant)


_COUNTRY, _ORGANISATION = (NameOID.COUNTRY_NAME, "AA"), (NameOID.ORGANIZATION_NAME, "authctl tests")
_UNITS, _COMMON = (NameOID.ORGANIZATIONAL_UNIT_NAME, _UNIT), (NameOID.COMMON_NAME, "authctl virtual authenticator")

_subject("reg.packed.x5c-subject-ou", [_COUNTRY, _ORGANISATION, (_UNITS[0], "Authenticator Attest"), _COMMON])
_subject("reg.packed.x5c-subject-ou", [_COUNTRY, _ORGANISATION, (_UNITS[0], _UNIT.lower()), _COMMON], "letter case")
_subject("reg.packed.x5c-subject-no-ou", [_COUNTRY, _ORGANISATION, _COMMON])
_subject("reg.packed.x5c-subject-no-o", [_COUNTRY, _UNITS, _COMMON])
_subject("reg.packed.x5c-subject-no-cn", [_COUNTRY, _ORGANISATION, _UNITS])
_subject("reg.packed.x5c-subject-no-c", [_ORGANISATION, _UNITS, _COMMON])
_subject("reg.packed.x5c-subject-bad-c", [(NameOID.COUNTRY_NAME, "ZQ"), _ORGANISATION, _UNITS, _COMMON])
_subject("reg.packed.x5c-subject-empty", [])

extension(
    "reg.packed.x5c-leaf-is-ca", BASIC_CONSTRAINTS, Extension(x509.BasicConstraints(ca=True, path_length=None), True)
)
extension("reg.packed.x5c-no-basic-constraints", BASIC_CONSTRAINTS, None)
extension("reg.packed.x5c-aaguid-mismatch", MODEL, model(bytes(range(16))))
extension("reg.packed.x5c-aaguid-unwrapped", MODEL, Extension.raw(AAGUID_OID, b"authctl-test-key"))
extension("reg.packed.x5c-aaguid-short", MODEL, model(b"authctl"))
extension("reg.packed.x5c-aaguid-empty", MODEL, Extension.raw(AAGUID_OID, b""))
extension("reg.packed.x5c-aaguid-absent", MODEL, None)
extension(
    "reg.packed.x5c-critical-unknown", "unknown", Extension.raw("1.3.6.1.4.1.55555.1", b"\x05\x00", critical=True)
)
extension("reg.packed.x5c-leaf-usage", KEY_USAGE, Extension(usage(is_authority=True), critical=True))


@fault("reg.packed.x5c-aaguid-critical")
def model_marked_critical(draft: Any) -> None:
    """The right AAGUID, marked critical."""
    draft.statement.leaf.extensions[MODEL] = model(draft.aaguid, critical=True)


def _of_version_1(statement: Certified) -> None:
    statement.leaf.finish = lambda made: reissued(made, statement.issuer.key, of_version_1)


def _flipped(certificate: CertificateDraft) -> None:
    certificate.finish = lambda made: made[:-1] + bytes([made[-1] ^ 1])


def _pem(certificate: CertificateDraft) -> None:
    certificate.finish = lambda made: x509.load_der_x509_certificate(made).public_bytes(Encoding.PEM)


chain("reg.packed.x5c-version-1", _of_version_1)
leaf("reg.packed.x5c-pem", _pem)
leaf("reg.packed.x5c-der-trailing", lambda certificate: setattr(certificate, "finish", lambda made: made + b"\x00"))
leaf("reg.packed.x5c-der-truncated", lambda certificate: setattr(certificate, "finish", lambda made: made[:-9]))
leaf("reg.packed.x5c-leaf-sig-bad", _flipped)

EXPIRED: Final = ("reg.packed.x5c-expired-leaf", "reg.packed.x5c-expired-leaf-noroots", "reg.u2f.expired")
for case_id in (*EXPIRED, "reg.tpm.expired", "reg.android.expired", "reg.apple.expired"):
    leaf(case_id, lambda certificate: setattr(certificate, "end", _PAST))
leaf("reg.packed.x5c-future-leaf", lambda certificate: setattr(certificate, "begin", _FUTURE))
leaf("reg.tpm.future", lambda certificate: setattr(certificate, "begin", _FUTURE))


def _reissue(statement: Certified, authority: Authority) -> None:
    """Has the leaf come from another authority."""
    statement.leaf.issuer = statement.issuer = Issuer(authority.root.subject, authority.key)
    if statement.ends_with:
        statement.ends_with = [authority.root_der()]


def _stranger(statement: Certified) -> None:
    _reissue(statement, Authority(names=Names(organisation="Nobody in particular")))


def _lookalike(statement: Certified) -> None:
    _reissue(statement, Authority(names=statement.authority.names))


def _self_signed(statement: Certified) -> None:
    statement.leaf.issuer = Issuer(statement.leaf.subject, private_of(statement.key))


def _issued_by_a_leaf(statement: Certified) -> None:
    """Puts an honest end-entity certificate between leaf and root, as if its holder were an authority."""
    _between(statement).is_authority = False


def _between(statement: Certified) -> CertificateDraft:
    return statement.put_between()


def _with_root(statement: Certified) -> None:
    statement.ends_with = [statement.authority.root_der()]


def _with_another(statement: Certified) -> None:
    stranger = Authority(names=Names(organisation="Nobody in particular"))
    statement.ends_with = [stranger.root_der()]


def _reversed(statement: Certified) -> None:
    _between(statement)
    statement.chain.reverse()


def _without_between(statement: Certified) -> None:
    statement.chain.remove(_between(statement))


def _other_issuer_name(statement: Certified) -> None:
    statement.leaf.issuer = Issuer(statement.authority.names.of("Another CA"), statement.authority.key)


def _other_issuer_key(statement: Certified) -> None:
    # All that names the issuer stays, also what tells its key.
    named = x509.SubjectKeyIdentifier.from_public_key(statement.issuer.key.public_key()).digest
    statement.leaf.extensions[AUTHORITY_KEY] = Extension(x509.AuthorityKeyIdentifier(named, None, None))
    statement.leaf.issuer = Issuer(statement.issuer.name, new_key(SystemRandom()))


def _path_too_long(statement: Certified) -> None:
    """Two authorities between, though the upper one may have none below it."""
    upper = _between(statement)
    upper.extensions[BASIC_CONSTRAINTS] = Extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    lower_key = new_key(SystemRandom())
    name = statement.authority.names.of("Authenticator Attestation CA 3")
    lower = CertificateDraft(name, lower_key.public_key(), statement.leaf.issuer, is_authority=True)
    statement.leaf.issuer = Issuer(name, lower_key)
    statement.chain.insert(1, lower)


def _may_not_sign(statement: Certified) -> None:
    _between(statement).extensions[KEY_USAGE] = Extension(usage(is_authority=False), critical=True)


for case_id in ("reg.packed.x5c-untrusted", "reg.u2f.untrusted", "reg.tpm.untrusted", "reg.packed.x5c-no-anchor"):
    chain(case_id, _stranger)
chain("reg.android.unknown-root", _stranger)
chain("reg.apple.unknown-root", _stranger)
chain("reg.packed.x5c-same-name-root", _lookalike)
chain("reg.android.same-name-root", _lookalike)
chain("reg.apple.same-name-root", _lookalike)
chain("reg.packed.x5c-self-signed", _self_signed)
chain("reg.packed.x5c-chain-ok", _between)
chain("reg.packed.x5c-root-included", _with_root)
chain("reg.packed.x5c-misordered", _reversed)
chain("reg.tpm.chain-order", _reversed)
chain("reg.android.order", lambda statement: setattr(statement, "is_reversed", True))
chain("reg.packed.x5c-between-missing", _without_between)
chain("reg.packed.x5c-between-not-ca", _issued_by_a_leaf)
chain("reg.packed.x5c-between-expired", lambda statement: setattr(_between(statement), "end", _PAST))
chain("reg.packed.x5c-between-may-not-sign", _may_not_sign)
chain("reg.packed.x5c-between-path-length", _path_too_long)
chain("reg.packed.x5c-issuer-name", _other_issuer_name)
chain("reg.packed.x5c-issuer-key", _other_issuer_key)
chain("reg.packed.x5c-unrelated-added", _with_another)
chain("reg.packed.x5c-leaf-twice", lambda statement: statement.chain.append(statement.leaf))
chain("reg.packed.x5c-too-many", lambda statement: setattr(statement, "ends_with", _roots(statement)))
chain("reg.android.no-root-in-x5c", lambda statement: setattr(statement, "ends_with", []))
chain("reg.u2f.x5c-two", _with_root)


def _roots(statement: Certified) -> list[bytes]:
    return [statement.authority.root_der()] * _MANY


def _other_key(algorithm: int) -> Callable[[Any], object]:
    """Another kind of attestation key, certificate and signature included."""

    def change(statement: Certified) -> None:
        statement.key = CredentialKey.generate(algorithm, SystemRandom())
        statement.leaf.public = statement.key.public()

    return change


chain("reg.u2f.cert-p384", _other_key(ES384))
chain("reg.u2f.cert-rsa", _other_key(RS256))
chain("reg.packed.x5c-rs256", _other_key(RS256))
chain("reg.packed.x5c-es384", _other_key(ES384))
