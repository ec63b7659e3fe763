import type { AuthInfo } from '../core/auth-info.js';

/** The caller who opened a session. It does not contain the token. */
export interface SessionCaller {
  readonly user: string | undefined;
  readonly issuer: string | undefined;
  readonly client: string | undefined;
}

/** An open session of a backend. */
export interface LiveSession {
  /** The id that the client has. */
  readonly id: string;
  readonly caller: SessionCaller;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /** On the clock of `performance.now()`. */
  readonly lastUsed: number;
  /** True if a client has an open stream or waits for an answer. */
  readonly isInUse: boolean;
  /** Ends the session: requests in flight are answered with an error, streams end, and the id is unknown from then on. */
  endNow(): void;
}

/** One MCP server of a backend. Neither arguments nor the path of a URL are in it: they may contain secrets. */
export interface TargetFacts {
  /** Undefined if the backend has only one. */
  readonly name: string | undefined;
  readonly kind: 'stdio' | 'http';
  /** The program, or the origin of the URL. */
  readonly where: string;
}

/** The facts of a backend that the admin page shows. */
export interface BackendFacts {
  readonly targets: readonly TargetFacts[];
  sessions(): Iterable<LiveSession>;
}

/** Returns the facts of a program. */
export function factsOfProgram({ command }: { readonly command: string }, name?: string): TargetFacts {
  return { name, kind: 'stdio', where: command };
}

/** Returns the facts of a remote server. */
export function factsOfServer({ origin }: URL, name?: string): TargetFacts {
  return { name, kind: 'http', where: origin };
}

const facts = new WeakMap<object, BackendFacts>();

/** Lets {@link factsOf} find the facts of a backend. */
export function rememberFacts(backend: object, known: BackendFacts): void {
  facts.set(backend, known);
}

/** Returns the facts of a backend. Undefined for any other object, including a backend of another copy of the package. */
export function factsOf(backend: object): BackendFacts | undefined {
  return facts.get(backend);
}

/** Returns the caller of a session that a request opens. */
export function sessionCallerOf(auth: AuthInfo | undefined): SessionCaller {
  const { iss } = auth?.payload ?? {};
  return { user: auth?.subject, issuer: typeof iss === 'string' ? iss : undefined, client: auth?.clientId };
}
