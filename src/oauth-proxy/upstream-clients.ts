import { LRUCache } from 'lru-cache';
import { createAllowance } from '../core/allowance.js';
import { NamedBuckets } from '../limits/named-buckets.js';
import type { Client } from './client.js';
import type { ClientMembers } from './client-members.js';
import { fingerprint } from './fingerprint.js';
import { OAuthError } from './oauth-error.js';
import type { Registered } from './register-upstream.js';
import type { UpstreamClient } from './sealed-contents.js';
import { UpstreamRefusal } from './upstream-answer.js';

export type UpstreamClients = ReturnType<typeof createUpstreamClients>;

const MAX_CLIENTS = 1_000;
const MAX_AGE_MS = 86_400_000;
/** If no login has come back for this long, the upstream server may have forgotten the client: it then shows a page of its own. */
const REPLACE_AFTER_MS = 3_600_000;
/** If no login has come back for this long, the upstream server is asked about the client, and again each time this long has passed. */
const CHECK_AFTER_MS = 10_000;

/** The client of a login at the upstream server. */
export interface LoginClient {
  readonly id: string;
  /** The same client, if this server registered it. Undefined if the id of the MCP client says which one it is. */
  readonly registered: UpstreamClient | undefined;
}

/** Registrations a minute. A publisher can change many documents again and again, and each change needs another client there. */
const MAX_PER_CALLER = 10;
const MINUTE_MS = 60_000;

interface Entry {
  readonly client: UpstreamClient;
  /** On the clock of `performance.now()`. */
  readonly until: number;
  /** The start of the first login since the last one that came back, on the same clock. Undefined if no login is pending. */
  waitingSince: number | undefined;
  /** The earliest time at which the upstream server is asked about the client, on the same clock. */
  checkFrom: number;
  /** True if the upstream server has said that it does not know the client. */
  isUnknownUpstream: boolean;
  /** Resolves when the server has answered, while it is being asked about the client. */
  check: Promise<void> | undefined;
}

/**
 * Remembers the clients that this server registered at the upstream server, so that not every login creates one. Code and refresh token
 * contain all that they need, so a login goes on in another process, and after this memory is lost.
 *
 * @param register Registers a client with these members.
 * @param isUnknownUpstream Asks the upstream server if it no longer knows a client. A wrong answer costs one more registration.
 */
export function createUpstreamClients(
  register: (members: ClientMembers) => Promise<Registered>,
  isUnknownUpstream: (client: UpstreamClient) => Promise<boolean> = async () => false,
) {
  const entries = new LRUCache<string, Entry>({ max: MAX_CLIENTS });
  const inFlight = new Map<string, Promise<UpstreamClient>>();
  const callers = new NamedBuckets(() => createAllowance(MAX_PER_CALLER / 60, MAX_PER_CALLER), MINUTE_MS);

  const registerAndKeep = async (key: string, members: ClientMembers): Promise<UpstreamClient> => {
    try {
      const registered = await register(members).catch(throwAsRegistration);
      const entry = entryOf(registered, entries.get(key));
      entries.set(key, entry);
      return entry.client;
    } finally {
      inFlight.delete(key);
    }
  };
  const startRegistering = (key: string, members: ClientMembers, caller: string): Promise<UpstreamClient> => {
    if (!callers.bucketOf(caller).take()) throw tooMany();
    const registering = registerAndKeep(key, members);
    inFlight.set(key, registering);
    return registering;
  };
  const startCheck = (entry: Entry): void => {
    entry.checkFrom = performance.now() + CHECK_AFTER_MS;
    const note = (answer: boolean): void => {
      entry.isUnknownUpstream = answer;
    };
    entry.check = isUnknownUpstream(entry.client)
      .then(note)
      .finally(() => {
        entry.check = undefined;
      });
  };
  const usable = async (key: string): Promise<Entry | undefined> => {
    const known = entries.get(key);
    if (known !== undefined && mustCheck(known)) startCheck(known);
    await known?.check;
    const entry = entries.get(key);
    return entry !== undefined && isUsable(entry) ? entry : undefined;
  };
  const keysOf = (id: string) => [...entries.entries()].filter(([, { client }]) => client.id === id);

  return {
    /**
     * Returns the client that a login uses.
     *
     * @param caller The network of the caller, which counts its registrations.
     * @throws {OAuthError} The caller causes too many.
     * @throws What `register` throws.
     */
    async forLogin(client: Client, caller: string): Promise<LoginClient> {
      if (client.source === 'registered') return { id: client.upstreamId, registered: undefined };
      if (client.upstreamId !== undefined) return { id: client.upstreamId, registered: undefined };
      const members = membersFor(client);
      const key = fingerprint(client.id, JSON.stringify(members));
      const known = await usable(key);
      if (known !== undefined) {
        known.waitingSince ??= performance.now();
        return { id: known.client.id, registered: known.client };
      }
      const registered = await (inFlight.get(key) ?? startRegistering(key, members, caller));
      return { id: registered.id, registered };
    },
    /** A login with this client came back. */
    noteAnswer({ id }: UpstreamClient): void {
      for (const [, entry] of keysOf(id)) Object.assign(entry, { waitingSince: undefined, checkFrom: 0 });
    },
    /** The upstream server does not know this client. The next login registers another one. */
    forget({ id }: UpstreamClient): void {
      for (const [key] of keysOf(id)) entries.delete(key);
    },
  };
}

function isUsable({ until, waitingSince, isUnknownUpstream }: Entry): boolean {
  const now = performance.now();
  return !isUnknownUpstream && now < until && (waitingSince === undefined || now - waitingSince <= REPLACE_AFTER_MS);
}

function mustCheck({ waitingSince, checkFrom }: Entry): boolean {
  const now = performance.now();
  return waitingSince !== undefined && now - waitingSince >= CHECK_AFTER_MS && now >= checkFrom;
}

/**
 * If the new client replaces one that the upstream server denied, the server is not asked about it until a login has come back: some servers may
 * deny every client.
 */
function entryOf(registered: Registered, before: Entry | undefined): Entry {
  const now = performance.now();
  return {
    client: upstreamClientOf(registered),
    until: now + lifetimeMs(registered),
    waitingSince: now,
    checkFrom: before?.isUnknownUpstream === true ? Number.POSITIVE_INFINITY : 0,
    isUnknownUpstream: false,
    check: undefined,
  };
}

function tooMany(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'Too many clients are being registered at the moment', 503, {
    advice: 'wait; if all callers share the address of a reverse proxy, set "trust proxy"',
  });
}

/** The log must say that the registration was refused: the request is for a login. */
function throwAsRegistration(error: unknown): never {
  throw error instanceof UpstreamRefusal ? new UpstreamRefusal(error.status, error.body, true) : error;
}

/** Many upstream servers require a name. */
function membersFor(client: Exclude<Client, { source: 'registered' }>): ClientMembers {
  if (client.source === 'configured') return { client_name: client.id };
  const { host, members } = client.document;
  return { client_name: host, ...members };
}

function upstreamClientOf({ client_id: id, client_secret: given, ...registered }: Registered): UpstreamClient {
  const { token_endpoint_auth_method: named } = registered;
  const method = typeof named === 'string' ? named : undefined;
  const secret = typeof given === 'string' && method !== 'none' ? given : undefined;
  return { id, secret, method };
}

/** `client_secret_expires_at` is 0 for a secret that does not expire (RFC 7591, section 3.2.1). */
function lifetimeMs({ client_secret_expires_at: expiry }: Registered): number {
  if (typeof expiry !== 'number' || expiry <= 0) return MAX_AGE_MS;
  return Math.min(MAX_AGE_MS, expiry * 1_000 - Date.now());
}
