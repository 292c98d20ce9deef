"""The extensions that the client knows by their names in options, and the plan of one ceremony."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.client.extensions import (
    appid,
    cred_props,
    cred_protect,
    large_blob,
    min_pin_length,
    prf,
)
from authctl.virtual_authenticator.client.extensions.plan import NO_RESULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.authenticator.get_assertion import Assertion
    from authctl.virtual_authenticator.authenticator.make_credential import MadeCredential
    from authctl.virtual_authenticator.client.extensions.plan import (
        Context,
        CreatePlan,
        GetPlan,
        PlanCreate,
        PlanGet,
    )
    from authctl.virtual_authenticator.credential_store.interface import Credential

CREATE: Final[dict[str, PlanCreate]] = {
    "appidExclude": appid.create,
    "credProps": cred_props.create,
    "credentialProtectionPolicy": cred_protect.create,
    "hmacCreateSecret": prf.create_secret,
    "largeBlob": large_blob.create,
    "minPinLength": min_pin_length.create,
    "prf": prf.create,
}
GET: Final[dict[str, PlanGet]] = {"appid": appid.get, "largeBlob": large_blob.get, "prf": prf.get}


@dataclass(frozen=True, slots=True)
class CreatePlans:
    """The plans of a registration by their names in the options."""

    plans: Mapping[str, CreatePlan]

    def inputs(self) -> dict[str, Any]:
        """All that the authenticator gets."""
        return {name: value for plan in self.plans.values() for name, value in plan.inputs.items()}

    def also_excluded(self) -> list[str]:
        """RP ids under which credentials of the exclude list count too."""
        return [plan.also_excluded for plan in self.plans.values() if plan.also_excluded is not None]

    def results(self, made: MadeCredential) -> dict[str, object]:
        """The clientExtensionResults."""
        found = {name: plan.result(made) for name, plan in self.plans.items()}
        return {name: value for name, value in found.items() if value is not NO_RESULT}


@dataclass(frozen=True, slots=True)
class GetPlans:
    """The plans of a login by their names in the options."""

    plans: Mapping[str, GetPlan]

    def needs_credential(self) -> bool:
        """Whether the inputs depend on the credential that will answer."""
        return any(plan.inputs is not None for plan in self.plans.values())

    def inputs(self, credential: Credential) -> dict[str, Any]:
        """All that the authenticator gets for this credential."""
        made = (plan.inputs(credential) for plan in self.plans.values() if plan.inputs is not None)
        return {name: value for inputs in made for name, value in inputs.items()}

    def requires_verified(self) -> bool:
        """Whether the user has to be verified for an extension's sake."""
        return any(plan.requires_verified for plan in self.plans.values())

    def rp_ids_instead(self) -> list[str]:
        """RP ids that are tried when the real one has no credential."""
        return [plan.rp_id_instead for plan in self.plans.values() if plan.rp_id_instead is not None]

    def results(self, assertion: Assertion) -> dict[str, object]:
        """The clientExtensionResults."""
        found = {name: plan.result(assertion) for name, plan in self.plans.items()}
        return {name: value for name, value in found.items() if value is not NO_RESULT}


def plan_create(inputs: Mapping[str, Any], context: Context) -> CreatePlans:
    """The plans of a registration; unknown inputs and those that are null are ignored (§9.3)."""
    policy = inputs.get("credentialProtectionPolicy")
    cred_protect.enforce(inputs.get("enforceCredentialProtectionPolicy"), policy, context)
    known = ((name, plan) for name, plan in CREATE.items() if inputs.get(name) is not None)
    return CreatePlans({name: plan(inputs[name], context) for name, plan in known})


def plan_get(inputs: Mapping[str, Any], context: Context) -> GetPlans:
    """The plans of a login; unknown inputs and those that are null are ignored (§9.3)."""
    known = ((name, plan) for name, plan in GET.items() if inputs.get(name) is not None)
    return GetPlans({name: plan(inputs[name], context) for name, plan in known})
