// Judges with @simplewebauthn/server: one ceremony per line in, why it refuses the registration and the login out.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// The packages stand where this program is started, not beside it.
const { SettingsService, verifyAuthenticationResponse, verifyRegistrationResponse } = createRequire(
  `${process.cwd()}/`,
)("@simplewebauthn/server");

async function refusal(verify) {
  try {
    return (await verify()).verified ? "" : "not verified";
  } catch (error) {
    return error.message || error.name;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { algorithm, challenge, format, login, origin, registration, roots, rpId, verification } = JSON.parse(line);
  const expected = {
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: rpId,
    requireUserVerification: verification,
  };
  SettingsService.setRootCertificates({ identifier: format, certificates: roots });
  let credential;
  const first = await refusal(async () => {
    const found = await verifyRegistrationResponse({
      ...expected,
      response: registration,
      supportedAlgorithmIDs: [algorithm],
    });
    credential = found.registrationInfo?.credential;
    return found;
  });
  const second = credential
    ? await refusal(() => verifyAuthenticationResponse({ ...expected, response: login, credential }))
    : "";
  console.log(JSON.stringify([first, second]));
}
