"""`authctl simulate`: runs passkey ceremonies with a software authenticator."""

from __future__ import annotations

from authctl.commands._lazy import Lazy, LazyGroup

group = LazyGroup(
    {
        "register": Lazy("authctl.commands.simulate.register:register", "Register a user with a new passkey."),
        "login": Lazy("authctl.commands.simulate.login:login", "Log in with a passkey and read the profile."),
        "recipe": Lazy("authctl.commands.simulate.recipe:group", "Say how another maker's server is talked to."),
        "load": Lazy("authctl.commands.simulate.load.load:load", "Put load on a server and measure what it takes."),
        "attack": Lazy("authctl.commands.simulate.attack:group", "Try what a WebAuthn server must refuse."),
    },
    name="simulate",
    help="Run passkey ceremonies with a software authenticator.\n\nExample: authctl simulate login",
)
