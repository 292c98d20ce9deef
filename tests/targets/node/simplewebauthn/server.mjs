// A Fastify application on @simplewebauthn/server with the paths of its example; the first line says where it listens.

import { randomUUID } from "node:crypto";
import Fastify from "fastify";
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";

const rpID = "localhost";
const people = new Map(); // name -> credentials
const sessions = new Map(); // cookie -> { challenge, username }
const app = Fastify({ bodyLimit: 1024 * 1024 });
let origin;

function session(request, reply) {
  const found = /(?:^|;\s*)session=([^;]+)/.exec(request.headers.cookie ?? "");
  const id = found?.[1] ?? randomUUID();
  reply.header("set-cookie", `session=${id}; Path=/; HttpOnly; SameSite=Strict`);
  return id;
}

function owner(id) {
  return [...people.keys()].find((name) => people.get(name).some((credential) => credential.id === id));
}

// A challenge is good for one answer.
function taken(request, reply) {
  const id = session(request, reply);
  const found = sessions.get(id) ?? {};
  sessions.delete(id);
  return found;
}

app.get("/generate-registration-options", async (request, reply) => {
  const { username } = request.query;
  const credentials = people.get(username) ?? [];
  const options = await generateRegistrationOptions({
    rpName: "SimpleWebAuthn",
    rpID,
    userName: username,
    attestationType: "none",
    excludeCredentials: credentials.map(({ id, transports }) => ({ id, transports })),
    authenticatorSelection: { residentKey: "discouraged", userVerification: "preferred" },
    supportedAlgorithmIDs: [-7, -257],
  });
  sessions.set(session(request, reply), { challenge: options.challenge, username });
  return options;
});

app.post("/verify-registration", async (request, reply) => {
  const { challenge, username } = taken(request, reply);
  let verification;
  try {
    verification = await verifyRegistrationResponse({
      response: request.body,
      expectedChallenge: `${challenge}`,
      expectedOrigin: origin,
      expectedRPID: rpID,
      requireUserVerification: false,
    });
  } catch (error) {
    return reply.status(400).send({ error: error.message });
  }
  const { verified, registrationInfo } = verification;
  if (verified && owner(registrationInfo.credential.id)) {
    return reply.status(400).send({ error: "Authenticator is registered already" });
  }
  if (verified) {
    const credentials = people.get(username) ?? [];
    credentials.push(registrationInfo.credential);
    people.set(username, credentials);
  }
  return { verified };
});

app.get("/generate-authentication-options", async (request, reply) => {
  const { username } = request.query;
  const credentials = people.get(username) ?? [];
  if (username && !credentials.length) return reply.status(400).send({ error: "User is unknown" });
  const options = await generateAuthenticationOptions({
    rpID,
    userVerification: "preferred",
    allowCredentials: credentials.map(({ id, transports }) => ({ id, transports })),
  });
  sessions.set(session(request, reply), { challenge: options.challenge, username });
  return options;
});

app.post("/verify-authentication", async (request, reply) => {
  const { challenge, username } = taken(request, reply);
  const name = username ?? owner(request.body?.id);
  const known = people.get(name)?.find(({ id }) => id === request.body?.id);
  if (!known) return reply.status(400).send({ error: "Authenticator is not registered with this site" });
  let verification;
  try {
    verification = await verifyAuthenticationResponse({
      response: request.body,
      expectedChallenge: `${challenge}`,
      expectedOrigin: origin,
      expectedRPID: rpID,
      credential: known,
      requireUserVerification: false,
    });
  } catch (error) {
    return reply.status(400).send({ error: error.message });
  }
  const { verified, authenticationInfo } = verification;
  if (verified) known.counter = authenticationInfo.newCounter;
  return { verified };
});

await app.listen({ host: "127.0.0.1", port: 0 });
origin = `http://localhost:${app.server.address().port}`;
console.log(origin);
