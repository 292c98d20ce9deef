"""RSA keys from a seed: `cryptography` makes them from the system's randomness only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from authctl.virtual_authenticator.randomness import RandomSource

_EXPONENT: Final = 65537
# With this many fixed bases the chance that a random composite of 1,024 bits passes is far below 2^-80.
_BASES: Final = (2, 3, 5, 7, 11, 13, 17, 19)
_SMALL_PRIMES: Final = tuple(n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))


def rsa_key(random: RandomSource, bits: int) -> rsa.RSAPrivateKey:
    """The RSA key that the source determines, with exponent 65537. For tests: not made to resist anything."""
    p = _prime(random, bits // 2)
    q = p
    while q == p:
        q = _prime(random, bits // 2)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), public)
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _prime(random: RandomSource, bits: int) -> int:
    # The two upper bits set, so that the product of two has its full length.
    start = int.from_bytes(random.take(bits // 8), "big") | (0b11 << (bits - 2)) | 1
    candidate = start
    while not _is_usable(candidate):
        candidate += 2
    return candidate


def _is_usable(candidate: int) -> bool:
    return (
        all(candidate % prime for prime in _SMALL_PRIMES)
        and (candidate - 1) % _EXPONENT != 0
        and all(_is_probable_prime(candidate, base) for base in _BASES)
    )


def _is_probable_prime(candidate: int, base: int) -> bool:
    # Miller and Rabin: candidate - 1 = odd * 2^twos.
    twos = ((candidate - 1) & (1 - candidate)).bit_length() - 1
    power = pow(base, (candidate - 1) >> twos, candidate)
    if power in (1, candidate - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % candidate
        if power == candidate - 1:
            return True
    return False
