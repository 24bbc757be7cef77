// An OpenID Connect provider that nobody here wrote, on a free port of this computer.
//
//   node oidc_provider.mjs SECONDS
//
// Its access tokens are good for so many seconds. Reads commands, a line each, and answers each with
// a line of JSON on stdout:
//   tokens ACCOUNT      signs ACCOUNT in by the authorization code flow with PKCE; the tokens it gave
//   browse ACCOUNT URL  ACCOUNT's browser, sent to a page of a sign-in; the page that it ends at.
//                       `nobody` refuses
//   revoke              ends every sign-in
//   renewals            how often refresh tokens were exchanged
//   rotate              signs with a new key from now on; the old one stays published
//   forget              publishes the key in use alone

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

import Provider from "oidc-provider";

// The provider tells of itself there; here only answers are.
console.info = console.error;

const AUDIENCE = "https://dailies.test/api";
const CLIENT = "dailies-desktop";
const REDIRECT = "http://127.0.0.1/signed-in";
const SCOPE = "openid profile email offline_access";
const LIFETIME = Number(process.argv[2]);
const grants = new Set();
let renewals = 0;

function key() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomBytes(8).toString("hex"), use: "sig" };
}

function provider(issuer, keys) {
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: [
      {
        client_id: CLIENT,
        token_endpoint_auth_method: "none",
        application_type: "native",
        redirect_uris: [REDIRECT],
        grant_types: ["authorization_code", "refresh_token"],
      },
    ],
    cookies: { keys: [randomBytes(16).toString("hex")] },
    claims: { profile: ["name"], email: ["email", "email_verified"] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    issueRefreshToken: (_, client, code) =>
      client.grantTypeAllowed("refresh_token") && code.scopes.has("offline_access"),
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `${id} of the studio`, email: `${id}@studio.test`, email_verified: true }),
    }),
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: "",
          audience: AUDIENCE,
          accessTokenFormat: "jwt",
          accessTokenTTL: LIFETIME,
        }),
        useGrantedResource: () => true,
      },
    },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  });
  provider.on("grant.success", ({ oidc }) => {
    renewals += oidc.params.grant_type === "refresh_token" ? 1 : 0;
  });
  return provider;
}

/** Whoever is asked for consents and is who the caller says. */
async function interact(current, request, response) {
  const { prompt, params, session, grantId } = await current.interactionDetails(request, response);
  const account = request.headers["x-account"];
  if (account === "nobody") {
    await current.interactionFinished(request, response, { error: "access_denied" });
    return;
  }
  if (prompt.name === "login") {
    await current.interactionFinished(request, response, { login: { accountId: account } });
    return;
  }
  const grant = grantId
    ? await current.Grant.find(grantId)
    : new current.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(SCOPE);
  const consent = { grantId: await grant.save() };
  grants.add(consent.grantId);
  await current.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

let issuer;
let keys = [key()];
let current;
const server = createServer((request, response) => {
  const done = request.url.startsWith("/interaction/")
    ? interact(current, request, response)
    : current.callback()(request, response);
  Promise.resolve(done).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
issuer = `http://127.0.0.1:${server.address().port}`;
current = provider(issuer, keys);

/** Goes from page to page as a browser does, until `there`, or to a page that leads nowhere. */
async function follow(account, from, there) {
  const cookies = new Map();
  let at = from;
  for (;;) {
    if (there(at)) return { at };
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(at, { redirect: "manual", headers: { cookie, "x-account": account } });
    for (const set of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
      cookies.set(name, value);
    }
    const to = answer.headers.get("location");
    if (!to) return { at, status: answer.status, page: await answer.text() };
    at = new URL(to, at).href;
  }
}

async function browse(account, page) {
  return follow(account, page, () => false);
}

async function tokens(account) {
  const { authorization_endpoint, token_endpoint } = await (
    await fetch(`${issuer}/.well-known/openid-configuration`)
  ).json();
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    client_id: CLIENT,
    redirect_uri: REDIRECT,
    response_type: "code",
    scope: SCOPE,
    resource: AUDIENCE,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const { at } = await follow(account, `${authorization_endpoint}?${query}`, (url) =>
    url.startsWith(REDIRECT),
  );
  const code = new URL(at).searchParams.get("code");
  assert(code, at);
  const answer = await fetch(token_endpoint, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: REDIRECT,
      client_id: CLIENT,
      code_verifier: verifier,
      resource: AUDIENCE,
    }),
  });
  const { id_token, access_token } = await answer.json();
  assert(id_token && access_token, `no tokens: ${answer.status}`);
  return { idToken: id_token, accessToken: access_token };
}

const commands = {
  tokens,
  browse,
  renewals: async () => ({ renewals }),
  revoke: async () => {
    for (const id of grants) await (await current.Grant.find(id))?.destroy();
    grants.clear();
    return {};
  },
  rotate: async () => {
    keys = [key(), ...keys];
    current = provider(issuer, keys);
    return {};
  },
  forget: async () => {
    keys = keys.slice(0, 1);
    current = provider(issuer, keys);
    return {};
  },
};

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
say({ issuer, audience: AUDIENCE, client: CLIENT });
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...rest] = line.split(" ");
  say(await commands[command](...rest));
}
process.exit(0);
