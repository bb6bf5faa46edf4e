// A foreign OpenID Provider: the certified npm package oidc-provider, which
// signs one person in without asking, at the level that is asked for.
// Argument: JSON {clients, host?, port?, pushed?, subject?, levels?}. It prints one
// line {"issuer": …} when it is ready, and ends on SIGTERM.
import http from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const config = JSON.parse(process.argv[2]);
const subject = config.subject ?? 'erika';
const levels = config.levels ?? ['http://eidas.europa.eu/LoA/low', 'http://eidas.europa.eu/LoA/substantial', 'http://eidas.europa.eu/LoA/high'];

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let handle = (_, res) => { res.statusCode = 503; res.end(); };
const server = http.createServer((req, res) => handle(req, res));
await new Promise((done) => server.listen(Number(config.port ?? 0), config.host ?? '127.0.0.1', done));
const issuer = `http://${config.host ?? '127.0.0.1'}:${server.address().port}`;

const provider = new Provider(issuer, {
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'foreign-1', use: 'sig', alg: 'ES256' }] },
  clients: config.clients,
  acrValues: levels,
  claims: { acr: null, amr: null, auth_time: null, sid: null, openid: ['sub'], profile: ['name', 'given_name', 'family_name'], email: ['email'] },
  cookies: { keys: ['test only'] },
  pkce: { required: () => true },
  features: {
    backchannelLogout: { enabled: true },
    claimsParameter: { enabled: true },
    devInteractions: { enabled: false },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: config.pushed === true },
    rpInitiatedLogout: { enabled: true },
  },
  // Its guard against loopback addresses sits in the dispatcher; here all peers are on loopback.
  fetch: (url, { dispatcher: _, ...options }) => globalThis.fetch(url, options),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: async (_, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, name: 'Erika Mustermann', given_name: 'Erika', family_name: 'Mustermann', email: 'erika@example.test' }),
  }),
});
for (const event of ['server_error', 'grant.error', 'authorization.error', 'pushed_authorization_request.error', 'backchannel.error', 'userinfo.error', 'end_session.error']) {
  provider.on(event, (_, err) => console.error(event, err.message, err.error_description ?? '', err.cause?.message ?? ''));
}

// The levels that were asked for, the weakest first.
function wanted(params) {
  const claims = params.claims ? JSON.parse(params.claims) : {};
  const asked = claims.id_token?.acr?.values ?? (params.acr_values ?? '').split(' ');
  return asked.filter((acr) => levels.includes(acr));
}

async function interact(req, res) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(req, res);
  if (params.login_hint === 'deny') {
    return provider.interactionFinished(req, res, { error: 'access_denied' });
  }
  if (prompt.name === 'login') {
    return provider.interactionFinished(req, res, { login: { accountId: subject, acr: config.acr ?? wanted(params)[0] ?? levels[0], amr: ['eid'] } });
  }
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? []);
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

const callback = provider.callback();
handle = (req, res) => {
  if (!req.url.startsWith('/interaction/')) return callback(req, res);
  return interact(req, res).catch((err) => {
    console.error('interaction', err.message);
    res.statusCode = 500;
    res.end();
  });
};
console.log(JSON.stringify({ issuer }));
process.on('SIGTERM', () => { server.closeAllConnections(); server.close(() => process.exit(0)); });
