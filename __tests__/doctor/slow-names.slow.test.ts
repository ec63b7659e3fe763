import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createProbe } from '../../src/doctor/probe.js';
import { createSharedLookups } from '../../src/doctor/shared-lookups.js';
import { hasEnvProxy, startForwardProxy } from '../support/forward-proxy.js';

const addressesOf = (address: string) => [{ address, family: 4 }];

/** A look-up that never ends, as of a name server that is silent. */
const silent = () => new Promise<never>(() => undefined);

/** The outcome of a look-up behind a forward proxy. */
const outcomeOf = (lookUp: ReturnType<typeof createSharedLookups>, name: string) =>
  lookUp(name, true).catch(({ code }: NodeJS.ErrnoException) => code);

test.skipIf(!hasEnvProxy)(
  'behind a forward proxy, names that are not looked up in time are left to it, others are checked',
  async () => {
    const lookedUp: string[] = [];
    const resolve = async (name: string) => {
      lookedUp.push(name);
      if (name !== 'internal.example') return silent();
      await setTimeout(1_000);
      return addressesOf('10.0.0.1');
    };
    const asked = await startForwardProxy((_req, res) => res.end('{}'));
    const probe = createProbe('http://target.example/mcp', { resolve });
    for (let i = 0; i < 10; i += 1) expect(await probe('http://target.example/mcp')).toMatchObject({ status: 200 });
    await expect(probe('http://internal.example/')).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
    expect(await probe('http://auth.example/')).toMatchObject({ status: 200 });
    expect(new Set(asked)).toEqual(new Set(['http://target.example/mcp', 'http://auth.example/']));
    expect(lookedUp).toEqual(['target.example', 'internal.example', 'auth.example']);
  },
);

test('a name does not count as unknown before its look-up has begun, which Node does for two at once', async () => {
  const lookedUp: string[] = [];
  let end = (_reason: Error): void => undefined;
  const lookUp = createSharedLookups((name) => {
    lookedUp.push(name);
    if (name === 'internal') return Promise.resolve(addressesOf('10.0.0.1'));
    return name === 'a' ? new Promise((_resolve, reject) => (end = reject)) : silent();
  });
  const others = [outcomeOf(lookUp, 'a'), outcomeOf(lookUp, 'b'), outcomeOf(lookUp, 'a')];
  const internal = outcomeOf(lookUp, 'internal');
  expect(await Promise.all(others)).toEqual(['EAI_AGAIN', 'EAI_AGAIN', 'EAI_AGAIN']);
  expect(await Promise.race([internal, setTimeout(500, 'waits')])).toBe('waits');
  expect(lookedUp).toEqual(['a', 'b']);
  end(new Error('no answer'));
  expect(await internal).toEqual(addressesOf('10.0.0.1'));
});

test('where no forward proxy is used, a slow look-up is waited for', async () => {
  const lookUp = createSharedLookups(() => setTimeout(2_300, addressesOf('10.0.0.1')));
  const [direct, proxied] = [lookUp('a', false), outcomeOf(lookUp, 'a')];
  expect(await proxied).toBe('EAI_AGAIN');
  expect(await direct).toEqual(addressesOf('10.0.0.1'));
});
