import type { IncomingMessage } from 'node:http';
import type { LiveSession } from '../bridge/backend-facts.js';
import type { DoctorTarget } from '../doctor/doctor.js';
import type { McpBackend, McpHttpBackend, McpStdioBackend, RevokedTokens } from '../index.js';

/** A backend of any kind. */
export type AnyBackend = McpStdioBackend | McpHttpBackend | McpBackend;

/** The numbers of a route, the same for every kind of backend. */
export interface RouteStats {
  readonly sessions: number;
  readonly pending: number;
  readonly connections: number;
  readonly restarts: number;
}

/** An MCP server behind a route. */
export interface ShownTarget {
  readonly name: string;
  readonly kind: 'stdio' | 'http' | 'in-process';
  readonly description: string;
}

/** The address at which this process calls the tools of one of its own routes. */
export interface CallAddress {
  readonly url: string;
  /** The `Host` header. */
  readonly host: string;
  /** The header that carries the token, and the text before the token in it. */
  readonly credential: { readonly header: string; readonly prefix: string };
}

/** One route of the page, and the actions that are possible on it. */
export interface AdminRoute {
  /** Stays the same as long as the route does. */
  readonly id: string;
  /** The `route` in the records of its calls. */
  readonly name: string;
  /** The address that clients are given. */
  readonly url: string | undefined;
  /** The mode of its policy. */
  readonly mode: string | undefined;
  readonly authenticates: boolean;
  readonly targets: readonly ShownTarget[];
  /** Resolves to one string for each part that is not ready; empty if all are ready. */
  problems(): Promise<readonly string[]>;
  stats(): RouteStats;
  sessions(): Iterable<LiveSession>;
  /** Undefined if the route has no policy. */
  readonly revocation: RouteRevocation | undefined;
  /** Undefined if the route has no address that the doctor can check. */
  readonly doctorTarget: DoctorTarget | undefined;
  /** Returns the address where this process calls its tools, at the request `req` of the page. Undefined if it cannot. */
  readonly callAddress: ((req: IncomingMessage) => CallAddress | undefined) | undefined;
  /** Makes a token of the development issuer for this route. Undefined if there is none. */
  readonly developmentToken: (() => Promise<string>) | undefined;
}

/** The revocation of tokens by the policy of a route. */
export interface RouteRevocation {
  revoke(what: RevokedTokens): void;
  /** True if other processes apply the revocation too, and it survives a restart. */
  readonly isShared: boolean;
}

/** The facts that the page shows. */
export interface AdminSource {
  readonly routes: () => readonly AdminRoute[];
  /** The configuration file as it was read, without secrets. */
  readonly config?: () => string | undefined;
}
