// better-auth with its passkey plugin, in memory; the first line says where it listens.

import { createServer } from "node:http";
import { once } from "node:events";
import { passkey } from "@better-auth/passkey";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";

const server = createServer((request, response) => handler(request, response));
server.listen(0, "127.0.0.1");
await once(server, "listening");
const origin = `http://localhost:${server.address().port}`;

const tables = { user: [], session: [], account: [], verification: [], passkey: [] };
const auth = betterAuth({
  baseURL: origin,
  secret: "a secret that is only for tests, and long enough",
  database: memoryAdapter(tables),
  // Passwords are not what is tested, and hashing them well would take most of the time.
  emailAndPassword: {
    enabled: true,
    password: { hash: async (password) => password, verify: async ({ hash, password }) => hash === password },
  },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [passkey({ rpID: "localhost", rpName: "better-auth", origin })],
});
const handler = toNodeHandler(auth);
console.log(origin);
