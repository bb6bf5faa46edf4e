// Resolves a trust chain with @openid-federation/core, software that is not
// ours: node federation.mjs ENTITY ANCHOR. Prints one JSON object.
import http from 'node:http';
import { createPublicKey, verify } from 'node:crypto';
import { resolveTrustChains } from '@openid-federation/core';

// Names under .localhost mean this machine; not every resolver knows that.
globalThis.fetch = (address) =>
  new Promise((resolve, reject) => {
    const url = new URL(address);
    const request = http.get(
      { host: '127.0.0.1', port: url.port, path: url.pathname + url.search, headers: { host: url.host } },
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
try {
  const chains = await resolveTrustChains({ entityId, trustAnchorEntityIds: [anchor], verifyJwtCallback });
  console.log(JSON.stringify({
    chains: chains.map((c) => ({
      valid: c.valid,
      length: c.chain.length,
      anchor: c.trustAnchorEntityConfiguration?.sub,
      metadata: c.resolvedLeafMetadata,
    })),
  }));
} catch (error) {
  console.log(JSON.stringify({ error: String(error?.message ?? error) }));
}
