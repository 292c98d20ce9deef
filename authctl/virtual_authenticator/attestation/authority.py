"""A throw-away authority for attestation certificates: it vouches for nothing, and servers may be told its root."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from authctl.virtual_authenticator.authenticator.algorithms.ecdsa import ES256
from authctl.virtual_authenticator.authenticator.keys import algorithm_of
from authctl.virtual_authenticator.randomness import SeededRandom, SystemRandom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric import ec

    from authctl.virtual_authenticator.randomness import RandomSource

BEGIN: Final = datetime(2024, 1, 1, tzinfo=UTC)
END: Final = datetime(3024, 1, 1, tzinfo=UTC)
_SERIAL_BYTES: Final = 16
_SEED_LABEL: Final = "attestation root"
_NO_USES: Final = dict.fromkeys(
    (
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


@dataclass(frozen=True, slots=True)
class Names:
    """What subjects of certificates say; the unit of §8.2.1 is fixed by the standard."""

    common_name: str = "authctl virtual authenticator"
    organisation: str = "authctl tests"
    country: str = "AA"

    def of(self, unit: str) -> x509.Name:
        """The distinguished name with this organisational unit."""
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, self.common_name),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organisation),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
                x509.NameAttribute(NameOID.COUNTRY_NAME, self.country),
            ]
        )


@dataclass(frozen=True, slots=True)
class Extension:
    """One certificate extension beside those that every certificate here has."""

    value: x509.ExtensionType
    critical: bool = False

    @classmethod
    def raw(cls, oid: str, der: bytes, *, critical: bool = False) -> Extension:
        """An extension of a format's own: its object identifier and the DER inside the OCTET STRING."""
        return cls(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), der), critical)


class Authority:
    """A root with its key; made when first needed, since most authenticators never attest.

    names       of the subjects, root included
    has_models  whether certificates name the AAGUID they are for (§8.2.1)
    """

    def __init__(
        self, random: RandomSource | None = None, names: Names | None = None, *, has_models: bool = True
    ) -> None:
        self.names = names or Names()
        self.has_models = has_models
        self._random = random or SystemRandom()
        self._key: ec.EllipticCurvePrivateKey | None = None
        self._root: x509.Certificate | None = None

    @classmethod
    def of_seed(cls, seed: str) -> Authority:
        """The authority that a text always makes, for servers that have to be told its root before anything is made.

        Whoever knows the text can issue certificates: no server that anybody relies on may trust such a root.
        """
        return cls(SeededRandom(seed, _SEED_LABEL))

    @property
    def root(self) -> x509.Certificate:
        """The self-signed certificate that a server has to trust."""
        if self._root is None:
            key = self._key = new_key(self._random)
            name = self.names.of("Authenticator Attestation CA")
            serial = int.from_bytes(self._random.take(_SERIAL_BYTES), "big")
            builder = _builder(name, name, key.public_key(), serial, is_authority=True)
            self._root = builder.sign(key, SHA256(), ecdsa_deterministic=self._random.is_deterministic)
        return self._root

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        """The root's private key, for whoever issues certificates that no honest authority would."""
        if self._key is None:
            _ = self.root
        return self._key  # type: ignore[return-value]  # the root made it

    def root_der(self) -> bytes:
        """The root in DER."""
        return self.root.public_bytes(Encoding.DER)

    def root_pem(self) -> bytes:
        """The root in PEM, as servers' settings take it."""
        return self.root.public_bytes(Encoding.PEM)

    def certify(
        self,
        public_key: Any,
        random: RandomSource,
        *,
        subject: x509.Name | None = None,
        extensions: Sequence[Extension] = (),
    ) -> bytes:
        """A certificate for an attestation key, in DER; the serial number comes from `random`."""
        root, key = self.root, self._key
        if subject is None:
            subject = self.names.of("Authenticator Attestation")
        serial = int.from_bytes(random.take(_SERIAL_BYTES), "big")
        builder = _builder(subject, root.subject, public_key, serial, is_authority=False)
        identifier = x509.SubjectKeyIdentifier.from_public_key(root.public_key())
        builder = builder.add_extension(x509.AuthorityKeyIdentifier(identifier.digest, None, None), critical=False)
        for extension in extensions:
            builder = builder.add_extension(extension.value, critical=extension.critical)
        signed = builder.sign(key, SHA256(), ecdsa_deterministic=random.is_deterministic)  # type: ignore[arg-type]
        return signed.public_bytes(Encoding.DER)


def new_key(random: RandomSource) -> ec.EllipticCurvePrivateKey:
    """A P-256 key of an authority or of an attestation."""
    key: ec.EllipticCurvePrivateKey = algorithm_of(ES256).generate(random)
    return key


def usage(*, is_authority: bool) -> x509.KeyUsage:
    """What the key of an authority, or of anybody else, may be used for."""
    return x509.KeyUsage(
        digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority, **_NO_USES
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: Any, serial: int, *, is_authority: bool
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(issuer, subject, public_key, serial)
        .not_valid_before(BEGIN)
        .not_valid_after(END)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(usage(is_authority=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )
