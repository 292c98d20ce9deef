"""What a token says, and which claims are believed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from authctl.errors import TokenRejected
from authctl.server.tokens.codec import LONGEST_TOKEN
from authctl.server.tokens.issuing import AccessToken
from authctl.server.tokens.verifying import LEEWAY_SECONDS, Claims
from tests.server.tokens.workshop import AUDIENCE, ISSUER, LIFETIME, Workshop, header_of, signed

NEEDED = ("iss", "aud", "sub", "role", "iat", "nbf", "exp", "auth_time", "jti", "sid", "amr")


def verified(workshop: Workshop, **changes: Any) -> Claims:
    """Verifies the right claims with changes, signed with the right key."""
    return workshop.verifier.verify(workshop.codec.encode(workshop.claims() | changes))


def reason(workshop: Workshop, **changes: Any) -> str:
    """Why the right claims with changes are refused, which they have to be."""
    with pytest.raises(TokenRejected) as caught:
        verified(workshop, **changes)
    assert caught.value.detail == "Could not validate credentials"
    return caught.value.reason


def now_of(workshop: Workshop) -> int:
    """The time of the workshop in whole seconds."""
    return int(workshop.clock.now().timestamp())


class TestIssuing:
    def test_token_says_who_logged_in_when_and_how(self, workshop: Workshop) -> None:
        """SPEC of the claims; R-TK-11: auth_time and amr."""
        workshop.clock.advance(7)
        token = workshop.issuer.issue(workshop.user, workshop.session, workshop.clock.now(), True)
        claims = workshop.codec.decode(token.text)
        now = now_of(workshop)
        assert token.expires_in == LIFETIME
        assert claims == {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": workshop.user.id,
            "email": "jane@example.com",
            "first_name": "Jané",
            "last_name": "Doe",
            "role": "user",
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            "auth_time": now - 7,
            "jti": claims["jti"],
            "sid": workshop.session.id,
            "amr": ["hwk", "user"],
        }

    def test_token_does_not_claim_verification_when_the_user_was_only_present(self, workshop: Workshop) -> None:
        token = workshop.issuer.issue(workshop.user, workshop.session, workshop.clock.now(), False)
        assert workshop.codec.decode(token.text)["amr"] == ["hwk"]

    def test_each_token_has_an_identifier_of_its_own(self, workshop: Workshop) -> None:
        """R-TK-12."""
        assert len({workshop.claims()["jti"] for _ in range(100)}) == 100

    def test_token_stays_out_of_a_repr(self) -> None:
        """R-LG-05."""
        assert repr(AccessToken("secret-text", 60)) == "AccessToken(expires_in=60)"

    def test_token_fits_its_limit_when_names_are_as_long_as_they_may_be(self, any_workshop: Workshop) -> None:
        any_workshop.user.first_name = any_workshop.user.last_name = "\U0001f98a" * 100
        any_workshop.user.email = "e" * 254
        token = any_workshop.token()
        assert len(token) < LONGEST_TOKEN
        assert any_workshop.verifier.verify(token).subject == any_workshop.user.id


class TestVerifying:
    def test_claims_are_told_when_everything_is_right(self, any_workshop: Workshop) -> None:
        claims = any_workshop.verifier.verify(any_workshop.token())
        now = now_of(any_workshop)
        assert claims.subject == any_workshop.user.id
        assert claims.session_id == any_workshop.session.id
        assert claims.role == "user"
        assert claims.methods == ("hwk", "user")
        assert (claims.issued_at, claims.expires_at, claims.authenticated_at) == (now, now + LIFETIME, now)
        assert claims.token_id

    @pytest.mark.parametrize("name", NEEDED)
    def test_token_is_refused_when_a_claim_is_missing(self, workshop: Workshop, name: str) -> None:
        """R-TK-02."""
        claims = {key: value for key, value in workshop.claims().items() if key != name}
        with pytest.raises(TokenRejected) as caught:
            workshop.verifier.verify(workshop.codec.encode(claims))
        assert caught.value.reason == f"token_claim_{name}"

    @pytest.mark.parametrize("name", ["email", "first_name", "last_name"])
    def test_token_is_taken_when_names_and_email_are_missing(self, workshop: Workshop, name: str) -> None:
        claims = {key: value for key, value in workshop.claims().items() if key != name}
        assert workshop.verifier.verify(workshop.codec.encode(claims)).subject == workshop.user.id

    @pytest.mark.parametrize("name", ["sub", "jti", "sid", "role", "iss", "aud"])
    @pytest.mark.parametrize("value", [None, "", 1, True, ["x"], {"x": "y"}, "x" * 129])
    def test_token_is_refused_when_a_name_is_no_short_text(self, workshop: Workshop, name: str, value: Any) -> None:
        """R-TK-02, R-TK-03."""
        assert reason(workshop, **{name: value}) == f"token_claim_{name}"

    @pytest.mark.parametrize(
        "issuer",
        [
            "http://localhost:800",
            "http://localhost",
            "http://localhost:80000",
            "localhost:8000",
            "HTTP://LOCALHOST:8000",
            "http://localhost:8000/",
            " http://localhost:8000",
            "x http://localhost:8000 y",
            "http",
        ],
    )
    def test_token_is_refused_when_the_issuer_is_only_like_ours(self, workshop: Workshop, issuer: str) -> None:
        """R-TK-03, V-28: prefix, suffix, part and superset."""
        assert reason(workshop, iss=issuer) == "token_issuer"

    @pytest.mark.parametrize("audience", ["localhos", "localhost.", "LOCALHOST", "app.localhost", "localhost x"])
    def test_token_is_refused_when_the_audience_is_only_like_ours(self, workshop: Workshop, audience: str) -> None:
        """R-TK-03."""
        assert reason(workshop, aud=audience) == "token_audience"

    @pytest.mark.parametrize("audience", [["localhost"], ["localhost", "other"], ["other", "localhost"], []])
    def test_token_is_refused_when_the_audience_is_a_list(self, workshop: Workshop, audience: list[str]) -> None:
        """R-TK-03."""
        assert reason(workshop, aud=audience) == "token_claim_aud"

    @pytest.mark.parametrize("role", ["root", "Admin", "admin ", "user,admin", "none"])
    def test_token_is_refused_when_its_role_is_unknown(self, workshop: Workshop, role: str) -> None:
        assert reason(workshop, role=role) == "token_claim_role"

    @pytest.mark.parametrize("methods", [None, "hwk", {}, [1], ["hwk", None], True])
    def test_token_is_refused_when_its_methods_are_no_list_of_texts(self, workshop: Workshop, methods: Any) -> None:
        assert reason(workshop, amr=methods) == "token_claim_amr"

    @pytest.mark.parametrize("name", ["iat", "nbf", "exp", "auth_time"])
    @pytest.mark.parametrize(
        "value", [None, "1767225600", "", 1767225600.5, 1767225600.0, True, False, -1, 10**12, 2**63, [1], {}]
    )
    def test_token_is_refused_when_a_time_is_no_whole_number_of_seconds(
        self, workshop: Workshop, name: str, value: Any
    ) -> None:
        """R-TK-04."""
        assert reason(workshop, **{name: value}) == f"token_claim_{name}"

    @pytest.mark.parametrize("number", ["1" + "0" * 30, "-1" + "0" * 30, "1e400", "1e9", "0x1", "01", "1" * 2000])
    def test_token_is_refused_when_a_time_is_written_as_no_integer(self, workshop: Workshop, number: str) -> None:
        """R-TK-04: numbers that our own encoder cannot write."""
        text = json.dumps(workshop.claims() | {"exp": 0}).replace('"exp": 0', f'"exp": {number}')
        with pytest.raises(TokenRejected) as caught:
            workshop.verifier.verify(signed(workshop, header_of(workshop), text))
        assert caught.value.reason in {"token_malformed", "token_claim_exp"}

    def test_token_ends_with_its_lifetime_and_the_leeway(self, workshop: Workshop) -> None:
        """R-TK-04: five seconds of leeway and not one more."""
        token = workshop.token()
        workshop.clock.advance(LIFETIME + LEEWAY_SECONDS - 1)
        assert workshop.verifier.verify(token).subject == workshop.user.id
        workshop.clock.advance(1)
        with pytest.raises(TokenRejected) as caught:
            workshop.verifier.verify(token)
        assert caught.value.reason == "token_expired"
        assert LEEWAY_SECONDS <= 5

    @pytest.mark.parametrize("name", ["iat", "nbf", "auth_time"])
    def test_token_is_refused_when_it_begins_beyond_the_leeway(self, workshop: Workshop, name: str) -> None:
        """R-TK-04."""
        assert verified(workshop, **{name: now_of(workshop) + LEEWAY_SECONDS}).role == "user"
        assert reason(workshop, **{name: now_of(workshop) + LEEWAY_SECONDS + 1}) == "token_not_yet_valid"

    def test_token_is_refused_when_it_lives_longer_than_configured(self, workshop: Workshop) -> None:
        """R-TK-04."""
        now = now_of(workshop)
        assert verified(workshop, exp=now + LIFETIME).expires_at == now + LIFETIME
        assert reason(workshop, exp=now + LIFETIME + 1) == "token_lifetime"
        assert reason(workshop, iat=now - 1) == "token_lifetime"

    def test_token_is_refused_when_it_ends_before_it_begins(self, workshop: Workshop) -> None:
        now = now_of(workshop)
        assert reason(workshop, iat=now + 3, exp=now + 3) == "token_lifetime"
        assert reason(workshop, iat=now + 3, exp=now) == "token_lifetime"

    def test_token_stays_good_when_the_clock_of_the_issuer_is_a_little_fast(self, workshop: Workshop) -> None:
        ahead = workshop.clock.now() + timedelta(seconds=LEEWAY_SECONDS)
        workshop.session.created_at = ahead
        token = workshop.issuer.issue(workshop.user, workshop.session, ahead, True).text
        assert workshop.verifier.verify(token).subject == workshop.user.id
