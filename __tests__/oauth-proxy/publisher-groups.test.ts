import { expect, test } from 'vitest';
import { createProofIds } from '../../src/auth/binding/proof-ids.js';
import { publisherGroups } from '../../src/oauth-proxy/publisher-groups.js';
import { claims, createVerifier, verdictOn } from '../support/client-assertions.js';
import { createSigner } from '../support/signer.js';

test.each<[host: string, groups: readonly string[]]>([
  ['claude.ai', ['*.claude.ai']],
  ['app.claude.ai', ['*.claude.ai', '*.app.claude.ai']],
  ['a.b.example.co.uk', ['*.co.uk', '*.example.co.uk']],
  ['intranet', ['*.intranet']],
  ['192.0.2.1', ['addresses']],
  ['[2001:db8::1]', ['addresses']],
])('the host %s is counted with %s', (host, groups) => {
  expect(publisherGroups(host)).toEqual(groups);
});

const SMALL = { total: 300, each: 30 };

type Ids = ReturnType<typeof createProofIds>;

/** Uses new ids of each host in turn until none is accepted. Returns those that were, with their hosts. */
function useAll(ids: Ids, hosts: readonly string[]): readonly (readonly [host: string, id: string])[] {
  const accepted: (readonly [string, string])[] = [];
  let before = -1;
  for (let round = 0; accepted.length > before; round += 1) {
    before = accepted.length;
    accepted.push(...hosts.map((host) => [host, `${round}`] as const).filter((use) => isAccepted(ids, ...use)));
  }
  return accepted;
}

function isAccepted(ids: Ids, host: string, id: string): boolean {
  try {
    return ids.isFirst(host, id);
  } catch {
    return false;
  }
}

const hostsOf = (count: number, nameOf: (n: number) => string) => Array.from({ length: count }, (_, n) => nameOf(n));

test.each<[what: string, crowd: readonly string[], other: string, atLeast: number]>([
  ['ten hosts', hostsOf(10, (n) => `h${n}.evil.example`), 'claude.ai', 30],
  ['many hosts', hostsOf(400, (n) => `h${n}.evil.example`), 'claude.ai', 30],
  ['many hosts below a name of .co.uk', hostsOf(400, (n) => `h${n}.evil.co.uk`), 'honest.co.uk', 20],
  ['many addresses', hostsOf(400, (n) => `[2001:db8::${n.toString(16)}]`), 'claude.ai', 30],
  ['many hosts of ten domains', hostsOf(400, (n) => `h${n}.evil${n % 10}.example`), 'claude.ai', 6],
])(
  'a publisher with %s leaves room for others, and none of its assertions is forgotten',
  (_what, crowd, other, atLeast) => {
    const ids = createProofIds(90, SMALL, publisherGroups);
    const used = useAll(ids, crowd);
    expect(useAll(ids, [other]).length).toBeGreaterThanOrEqual(atLeast);
    expect(used.filter((use) => isAccepted(ids, ...use))).toEqual([]);
  },
);

test('ten keys that use as many DPoP proofs as they can leave room for another key', () => {
  const ids = createProofIds(90, SMALL);
  useAll(ids, hostsOf(10, String));
  expect(useAll(ids, ['another']).length).toBeGreaterThanOrEqual(12);
});

test('many hosts of one domain cannot use up the memory for the assertions of other clients', async () => {
  const signer = createSigner({ alg: 'ES256' });
  const verifier = createVerifier({}, { total: 100, each: 10 });
  const use = (url: string) => {
    const client = { url, keys: { jwks: { keys: [signer.jwk as never] } } };
    return verdictOn(signer.sign(claims({ iss: url, sub: url })), client, verifier);
  };
  for (const host of hostsOf(110, (n) => `h${n}.evil.example`)) await use(`https://${host}/client.json`);
  expect(await use('https://one-more.evil.example/client.json')).toContain('503 proof_store_full');
  for (let i = 0; i < 10; i += 1) expect(await use('https://claude.ai/client.json')).toBe('accepted');
});
