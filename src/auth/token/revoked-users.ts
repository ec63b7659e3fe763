import type { AuthInfo } from '../../core/auth-info.js';
import { isPlain, nearestName } from '../../options/checks.js';
import type { RevokedTokens } from '../../policy/resolved-policy.js';

/** Longer than an access token should live. */
const KEEP_SECONDS = 90 * 86_400;

/** About 50 MB. */
const MAX_REVOCATIONS = 100_000;

/** A revocation of all tokens of a user, a client or an issuer, as it is stored. */
export interface UserRevocation {
  readonly subject?: string;
  readonly client?: string;
  readonly issuer?: string;
  /** Seconds since 1970: tokens that were issued until then are refused. */
  readonly madeAt: number;
  /** Milliseconds since 1970. */
  readonly expiry: number;
}

/** A revocation that is remembered. */
interface KeptRevocation {
  madeAt: number;
  expiry: number;
  /** The expiry on the clock of `performance.now()`. Both must pass: a date that was wrong for a while must not bring tokens back. */
  keptUntil: number;
}

const NAMES = ['subject', 'client', 'issuer'] as const;
type Name = (typeof NAMES)[number];

/**
 * Reads what the application gave to `revoke()`.
 *
 * @throws {TypeError}
 */
export function readUserRevocation(given: unknown): UserRevocation {
  if (!isPlain(given)) throw new TypeError(`revoke() takes ${REVOCABLE}`);
  const known: readonly string[] = [...NAMES, 'before', 'keepSeconds'];
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const near = nearestName(name, known);
    throw new TypeError(
      `revoke(): "${name}" is not known. ${near ? `Did you mean "${near}"?` : `Known: ${known.join(', ')}.`}`,
    );
  }
  const { before = new Date(), keepSeconds = KEEP_SECONDS } = given as RevokedTokens;
  const whose = NAMES.filter((name) => given[name] !== undefined);
  if (whose.length === 0) throw new TypeError('revoke() needs one of subject, client and issuer');
  for (const name of whose) {
    if (typeof given[name] !== 'string' || given[name] === '')
      throw new TypeError(`revoke(): ${name} must be a non-empty string`);
  }
  // Not instanceof: under Jest, the value comes from another realm.
  const beforeMs = Object.prototype.toString.call(before) === '[object Date]' ? before.getTime() : Number.NaN;
  if (Number.isNaN(beforeMs)) throw new TypeError('revoke(): before must be a Date');
  if (!Number.isSafeInteger(keepSeconds) || keepSeconds < 1)
    throw new TypeError('revoke(): keepSeconds must be a whole number of at least 1');
  const members = Object.fromEntries(whose.map((name) => [name, given[name] as string]));
  return { ...members, madeAt: Math.ceil(beforeMs / 1_000), expiry: Date.now() + keepSeconds * 1_000 };
}

export const REVOCABLE = 'a token, a function, or an object with subject, client or issuer';

/** Remembers the users, clients and issuers whose tokens are refused. A look-up takes the same time however many there are. */
export class RevokedUsers {
  /** The revocations by the names of their members, then by the values of these. */
  readonly #byNames = new Map<
    string,
    { readonly names: readonly Name[]; readonly kept: Map<string, KeptRevocation> }
  >();
  #size = 0;

  /** @throws {RangeError} If there are too many: to drop an older one would let its tokens in. */
  add(revocation: UserRevocation): void {
    const names = NAMES.filter((name) => revocation[name] !== undefined);
    const group = this.#byNames.get(names.join()) ?? { names, kept: new Map<string, KeptRevocation>() };
    const key = JSON.stringify(names.map((name) => revocation[name]));
    const { madeAt, expiry } = revocation;
    const keptUntil = performance.now() + expiry - Date.now();
    const known = group.kept.get(key);
    if (known !== undefined) {
      known.madeAt = Math.max(known.madeAt, madeAt);
      known.expiry = Math.max(known.expiry, expiry);
      known.keptUntil = Math.max(known.keptUntil, keptUntil);
      return;
    }
    if (this.#size >= MAX_REVOCATIONS) this.#forgetExpired();
    if (this.#size >= MAX_REVOCATIONS)
      throw new RangeError(`more than ${MAX_REVOCATIONS} revocations of users, clients and issuers`);
    this.#byNames.set(names.join(), group);
    group.kept.set(key, { madeAt, expiry, keptUntil });
    this.#size += 1;
  }

  includes(auth: AuthInfo, clockToleranceSeconds: number): boolean {
    if (this.#size === 0) return false;
    const { iat, iss } = auth.payload;
    const values = { subject: auth.subject, client: auth.clientId, issuer: iss };
    for (const { names, kept } of this.#byNames.values()) {
      const found = kept.get(JSON.stringify(names.map((name) => values[name])));
      if (found === undefined || isOver(found)) continue;
      // A user can log in again: later tokens are accepted. A token without `iat` may be an earlier one.
      if (typeof iat !== 'number' || iat <= found.madeAt + clockToleranceSeconds) return true;
    }
    return false;
  }

  #forgetExpired(): void {
    for (const { kept } of this.#byNames.values()) {
      for (const [key, entry] of kept) {
        if (isOver(entry) && kept.delete(key)) this.#size -= 1;
      }
    }
  }
}

function isOver({ expiry, keptUntil }: KeptRevocation): boolean {
  return expiry < Date.now() && keptUntil < performance.now();
}
