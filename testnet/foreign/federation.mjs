// Resolves a trust chain with @openid-federation/core, software that is not
// ours: node federation.mjs ENTITY ANCHOR. Prints one JSON object: the chains,
// the members that the anchor lists, and its statement about ENTITY. For https
// the CA is named by NODE_EXTRA_CA_CERTS.
import http from 'node:http';
import https from 'node:https';
import { createPublicKey, verify } from 'node:crypto';
import { fetchEntityConfiguration, fetchEntityStatement, resolveTrustChains } from '@openid-federation/core';

// Names under .localhost mean this machine; not every resolver knows that.
globalThis.fetch = (address) =>
  new Promise((resolve, reject) => {
    const url = new URL(address);
    const request = (url.protocol === 'https:' ? https : http).get(
      { host: '127.0.0.1', servername: url.hostname, port: url.port, path: url.pathname + url.search, headers: { host: url.host } },
      (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('end', () => resolve(new Response(Buffer.concat(parts), { status: answer.statusCode, headers: answer.headers })));
      },
    );
    request.on('error', reject);
  });

const verifyJwtCallback = async ({ jwt, jwk }) => {
  const [header, payload, signature] = jwt.split('.');
  if (JSON.parse(Buffer.from(header, 'base64url')).alg !== 'ES256') return false;
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return verify('sha256', Buffer.from(`${header}.${payload}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
};

const [entityId, anchor] = process.argv.slice(2);
const problem = (error) => String(error?.message ?? error);

// What the anchor itself says: its list and its statement about the entity.
async function ask() {
  const configuration = await fetchEntityConfiguration({ entityId: anchor, verifyJwtCallback });
  const { federation_list_endpoint: list } = configuration.metadata.federation_entity;
  const members = await (await fetch(list)).json();
  try {
    const statement = await fetchEntityStatement({ iss: anchor, sub: entityId, issEntityConfiguration: configuration, verifyJwtCallback });
    return { members, statement };
  } catch (error) {
    return { members, statementError: problem(error) };
  }
}

const out = {};
try {
  Object.assign(out, await ask());
  const chains = await resolveTrustChains({ entityId, trustAnchorEntityIds: [anchor], verifyJwtCallback });
  out.chains = chains.map((c) => ({
    valid: c.valid,
    length: c.chain.length,
    anchor: c.trustAnchorEntityConfiguration?.sub,
    leaf: c.rawLeafEntityConfiguration?.sub,
    metadata: c.resolvedLeafMetadata,
  }));
} catch (error) {
  out.error = problem(error);
}
console.log(JSON.stringify(out));
