import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Client } from '../../src/oauth-proxy/client.js';
import type { Registered } from '../../src/oauth-proxy/register-upstream.js';
import { createUpstreamClients } from '../../src/oauth-proxy/upstream-clients.js';
import { CALLER } from '../support/document-host.js';

const HOUR_MS = 3_600_000;

afterEach(() => void vi.useRealTimers());

const configured = (id: string): Client => ({
  source: 'configured',
  id,
  name: id,
  label: id,
  redirectUris: ['https://client.example/cb'],
  upstreamId: undefined,
  secretHash: undefined,
});

/** Registrations that answer with the ids 1, 2, 3 and so on, at a server that denies the ids in `denied`. */
function createCounted(more: object = {}) {
  let count = 0;
  const [denied, asked] = [new Set<string>(), [] as string[]];
  const register = async (): Promise<Registered> => ({ client_id: `${++count}`, ...more });
  const clients = createUpstreamClients(register, async ({ id }) => {
    asked.push(id);
    return denied.has(id);
  });
  const idFor = async (id: string, caller = CALLER) => (await clients.forLogin(configured(id), caller)).id;
  return { clients, idFor, denied, asked };
}

describe('the client of a login at the upstream server', () => {
  test('is registered once for logins that begin together, and for later ones', async () => {
    const { idFor } = createCounted();
    expect(await Promise.all(['a', 'a', 'b'].map((id) => idFor(id)))).toEqual(['1', '1', '2']);
    expect(await idFor('a')).toBe('1');
  });

  test('is registered again after a registration that failed', async () => {
    let isUp = false;
    const clients = createUpstreamClients(async () => {
      if (!isUp) throw new Error('down');
      return { client_id: 'good' };
    });
    await expect(clients.forLogin(configured('a'), CALLER)).rejects.toThrow('down');
    isUp = true;
    expect(await clients.forLogin(configured('a'), CALLER)).toMatchObject({ id: 'good', registered: { id: 'good' } });
  });

  test.each<[string, object, number, string]>([
    ['a day', {}, 23 * HOUR_MS, '1'],
    ['a day', {}, 25 * HOUR_MS, '2'],
    ['the life of its secret', { client_secret: 's', client_secret_expires_at: 3_600 }, 0.9 * HOUR_MS, '1'],
    ['the life of its secret', { client_secret: 's', client_secret_expires_at: 3_600 }, 1.1 * HOUR_MS, '2'],
    ['no time', { client_secret: 's', client_secret_expires_at: -1_000 }, 2, '2'],
    ['a day', { client_secret: 's', client_secret_expires_at: 0 }, 23 * HOUR_MS, '1'],
  ])('is remembered for %s: %j, after %i ms', async (_how, given, ms, id) => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const expiry = (given as { client_secret_expires_at?: number }).client_secret_expires_at;
    const absolute = expiry ? { client_secret_expires_at: Math.floor(Date.now() / 1_000) + expiry } : {};
    const { clients, idFor } = createCounted({ ...given, ...absolute });
    expect(await idFor('a')).toBe('1');
    clients.noteAnswer({ id: '1' });
    vi.advanceTimersByTime(ms);
    expect(await idFor('a')).toBe(id);
  });

  test('is registered again once the upstream server has forgotten it', async () => {
    const { clients, idFor } = createCounted();
    await idFor('a');
    await idFor('b');
    clients.forget({ id: '1' });
    expect(await Promise.all(['a', 'b'].map((id) => idFor(id)))).toEqual(['3', '2']);
  });

  test('is registered again if no login has come back for an hour: the upstream server shows a page of its own', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const { clients, idFor } = createCounted();
    await idFor('a');
    vi.advanceTimersByTime(0.9 * HOUR_MS);
    expect(await idFor('a')).toBe('1');
    clients.noteAnswer({ id: '1' });
    vi.advanceTimersByTime(2 * HOUR_MS);
    expect(await idFor('a'), 'the last one came back').toBe('1');
    vi.advanceTimersByTime(1.1 * HOUR_MS);
    expect(await idFor('a')).toBe('2');
  });

  test('is registered again if the server denies it, which is asked while logins do not come back, once in 10 seconds', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const { clients, idFor, denied, asked } = createCounted();
    await idFor('a');
    denied.add('1');
    vi.advanceTimersByTime(9_000);
    expect([await idFor('a'), asked]).toEqual(['1', []]);
    vi.advanceTimersByTime(1_000);
    expect([await Promise.all([idFor('a'), idFor('a')]), asked]).toEqual([['2', '2'], ['1']]);
    clients.noteAnswer({ id: '2' });
    vi.advanceTimersByTime(20_000);
    expect([await idFor('a'), asked], 'no login is waiting').toEqual(['2', ['1']]);
    vi.advanceTimersByTime(10_000);
    expect([await idFor('a'), await idFor('a'), asked]).toEqual(['2', '2', ['1', '2']]);
  });

  test('is registered no more than once in place of a denied one until a login has come back: the server may deny each', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const { clients, idFor, denied } = createCounted();
    for (const id of ['1', '2', '3']) denied.add(id);
    const idLater = () => {
      vi.advanceTimersByTime(10_000);
      return idFor('a');
    };
    expect([await idFor('a'), await idLater(), await idLater(), await idLater()]).toEqual(['1', '2', '2', '2']);
    clients.noteAnswer({ id: '2' });
    expect([await idFor('a'), await idLater(), await idLater()]).toEqual(['2', '3', '3']);
  });

  test('is remembered for at most 1,000 clients', async () => {
    const { idFor } = createCounted();
    for (let i = 0; i <= 1_000; i++) await idFor(`${i}`, `caller ${i}`);
    expect(await idFor('1000')).toBe('1001');
    expect(await idFor('0')).toBe('1002');
  });
});

// A publisher can change its documents as often as it likes, and agree on the consent page itself.
test('one caller causes ten registrations a minute, however many documents it has and changes', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  const { clients, idFor } = createCounted();
  const document = (name: string): Client => {
    const url = 'https://client.example/c';
    const members = { client_name: name };
    const checked = { url, host: 'client.example', name, redirectUris: [], keys: undefined, members };
    const common = { id: url, name, label: url, redirectUris: [], upstreamId: undefined };
    return { source: 'document', ...common, document: checked };
  };
  for (let i = 0; i < 5; i++) {
    await idFor(`other ${i}`);
    await clients.forLogin(document(`name ${i}`), CALLER);
  }
  const tooMany = { error: 'temporarily_unavailable', status: 503 };
  await expect(clients.forLogin(document('name 5'), CALLER)).rejects.toMatchObject(tooMany);
  await expect(idFor('other 5')).rejects.toMatchObject(tooMany);
  expect(await idFor('other 0'), 'a client that is known').toBe('1');
  expect(await idFor('other 5', '192.0.2.77'), 'another caller').toBe('11');
  vi.advanceTimersByTime(6_000);
  expect(await idFor('other 6')).toBe('12');
  await expect(idFor('other 7')).rejects.toMatchObject(tooMany);
});
