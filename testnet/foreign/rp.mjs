// A foreign Relying Party: the certified npm package openid-client, with a
// browser of its own that keeps cookies and fills in forms.
// Argument: JSON {issuer, client_id, secret? | jwk?, redirect_uri, post_logout_redirect_uri?, username, password, steps}.
// For each step it prints one line {"step": …, …} with what came back, or
// {"step": …, "error": …}. Steps: login, again, stepup, unmet, fresh, none, reuse,
// revoke, logout.
import { webcrypto } from 'node:crypto';
import * as oidc from 'openid-client';

const config = JSON.parse(process.argv[2]);

async function authentication() {
  if (!config.jwk) return oidc.ClientSecretBasic(config.secret);
  const key = await webcrypto.subtle.importKey('jwk', config.jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  return oidc.PrivateKeyJwt({ key, kid: config.jwk.kid });
}

const op = await oidc.discovery(new URL(config.issuer), config.client_id, { id_token_signed_response_alg: 'ES256', require_auth_time: true }, await authentication(), { execute: [oidc.allowInsecureRequests] });

class Browser {
  cookies = new Map();
  pages = [];

  header(url) {
    return [...this.cookies.values()].filter((c) => c.host === url.hostname && url.pathname.startsWith(c.path)).map((c) => `${c.name}=${c.value}`).join('; ');
  }

  keep(url, res) {
    for (const line of res.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(/;\s*/);
      const at = pair.indexOf('=');
      const named = Object.fromEntries(attributes.map((a) => a.split('=')).map(([k, v]) => [k.toLowerCase(), v ?? '']));
      const cookie = { name: pair.slice(0, at), value: pair.slice(at + 1), host: url.hostname, path: named.path ?? '/' };
      const id = `${cookie.host} ${cookie.path} ${cookie.name}`;
      if (Number(named['max-age'] ?? 1) <= 0) this.cookies.delete(id);
      else this.cookies.set(id, cookie);
    }
  }

  // Goes on until stop is reached or a page without a form is shown.
  async open(start, stop) {
    let url = new URL(start);
    let body;
    this.pages = [];
    for (let hop = 0; hop < 15; hop += 1) {
      if (stop && url.href.startsWith(stop)) return { url };
      const res = await fetch(url, {
        method: body ? 'POST' : 'GET', body, redirect: 'manual',
        headers: { cookie: this.header(url), ...(body && { 'content-type': 'application/x-www-form-urlencoded' }) },
      });
      this.keep(url, res);
      const text = await res.text();
      body = undefined;
      if (res.status >= 300 && res.status < 400) {
        url = new URL(res.headers.get('location'), url);
        continue;
      }
      const form = text.match(/<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/);
      if (!form || res.status >= 400) return { url, status: res.status, text };
      const fields = new URLSearchParams();
      for (const [input] of form[2].matchAll(/<input[^>]*>/g)) {
        const value = (name) => input.match(new RegExp(`${name}="([^"]*)"`))?.[1];
        const name = value('name');
        fields.set(name, { username: config.username, password: config.password }[name] ?? value('value') ?? '');
      }
      this.pages.push([...fields.keys()].join(' '));
      url = new URL(form[1].replaceAll('&amp;', '&'), url);
      body = fields.toString();
    }
    throw new Error('too many hops');
  }
}

const browser = new Browser();
let last;

async function login(extra = {}, checks = {}) {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const nonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(op, {
    redirect_uri: config.redirect_uri, scope: 'openid profile email', state, nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...extra,
  });
  const end = await browser.open(url, config.redirect_uri);
  if (end.status) return { status: end.status, page: end.text, pages: browser.pages };
  const grant = () => oidc.authorizationCodeGrant(op, end.url, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true, ...checks });
  const tokens = await grant();
  const claims = tokens.claims();
  last = { tokens, claims, grant };
  return { claims, userinfo: await oidc.fetchUserInfo(op, tokens.access_token, claims.sub), pages: browser.pages, iss: end.url.searchParams.get('iss') };
}

const steps = {
  login: () => login(),
  again: () => login(),
  stepup: () => login({ acr_values: 'http://eidas.europa.eu/LoA/substantial' }),
  unmet: () => login({ acr_values: 'http://eidas.europa.eu/LoA/high' }),
  fresh: () => login({ prompt: 'login', max_age: '0' }, { maxAge: 60 }),
  none: () => login({ prompt: 'none' }),
  reuse: async () => { await last.grant(); return {}; },
  revoke: async () => {
    await oidc.tokenRevocation(op, last.tokens.access_token);
    return oidc.fetchUserInfo(op, last.tokens.access_token, last.claims.sub);
  },
  logout: async () => {
    const url = oidc.buildEndSessionUrl(op, { id_token_hint: last.tokens.id_token, post_logout_redirect_uri: config.post_logout_redirect_uri, state: 'after-logout' });
    const end = await browser.open(url, config.post_logout_redirect_uri);
    return { at: end.url.href, page: end.text, pages: browser.pages };
  },
};

for (const step of config.steps) {
  try {
    console.log(JSON.stringify({ step, ...(await steps[step]()) }));
  } catch (err) {
    console.log(JSON.stringify({ step, error: err.error ?? err.message, cause: String(err.cause?.message ?? '') }));
  }
}
