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

/** The place where this process calls the tools of a route: at itself. */
export interface CallAddress {
  readonly url: string;
  /** The `Host` header. */
  readonly host: string;
  /** The header of the token, and the text before it. */
  readonly credential: { readonly header: string; readonly prefix: string };
}

/** One route of the page, with what can be done with it. */
export interface AdminRoute {
  /** Equal for the same route in two answers. */
  readonly id: string;
  /** As `route` of its records has it. */
  readonly name: string;
  /** The address that clients are given. */
  readonly url: string | undefined;
  /** The mode of its policy. */
  readonly mode: string | undefined;
  readonly authenticates: boolean;
  readonly targets: readonly ShownTarget[];
  /** Resolves to the parts that are not ready; empty if all are. */
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
  /** True if other processes apply it, and a restart does not end it. */
  readonly isShared: boolean;
}

/** The facts that the page shows. */
export interface AdminSource {
  readonly routes: () => readonly AdminRoute[];
  /** The configuration file as it was read, without secrets. */
  readonly config?: () => string | undefined;
}
