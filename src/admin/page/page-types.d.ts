import type { AuthDecision } from '../../policy/auth-decision.js';
import type { CallRecord } from '../../telemetry/call-record.js';

declare global {
  /** Of V8. The types of the server, which this file imports, need it. */
  interface ErrorConstructor {
    stackTraceLimit: number;
  }
}

/** The answer of `api/state`. */
export interface ServerState {
  readonly version: string;
  readonly startedAt: number | string;
  readonly routes: readonly RouteState[];
  readonly can: Abilities;
  /** The configuration as read, without secrets. */
  readonly config?: string;
}

export interface Abilities {
  readonly revoke: boolean;
  readonly endSessions: boolean;
  readonly callTools: boolean;
  readonly doctor: boolean;
  readonly developmentToken: boolean;
}

export interface RouteState {
  readonly id: string;
  readonly name: string;
  readonly url?: string;
  readonly mode?: string;
  readonly authenticates: boolean;
  readonly targets: readonly { name: string; kind: string; description: string }[];
  readonly health: { ready: boolean; problems: readonly string[] };
  readonly stats: { sessions: number; pending: number; connections: number; restarts: number };
}

export interface CallEvent extends CallRecord {
  readonly id: number | string;
}

export interface DecisionEvent extends AuthDecision {
  readonly id: number | string;
  readonly time: number;
  /** The sentence of the log. */
  readonly text: string;
  /** The heading of docs/errors.md about `code`. */
  readonly help?: { readonly anchor: string; readonly title: string; readonly text: string };
  /** What strict mode would have done. */
  readonly strict?: string;
}

/** The numbers of one second. Durations are in milliseconds. */
export interface SecondNumbers {
  readonly time: number;
  readonly calls: number;
  readonly errors: number;
  readonly refused: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly sessions: number;
  readonly pending: number;
}

/** A call or a decision of the live list. */
export type Entry = {
  readonly key: string;
  readonly time: number;
  /** Everything that the text filter searches, in lower case. */
  readonly searched: string;
  readonly isProblem: boolean;
} & (
  | { readonly kind: 'call'; readonly event: CallEvent }
  | { readonly kind: 'decision'; readonly event: DecisionEvent }
);

export interface SessionInfo {
  readonly id: string;
  readonly route: string;
  readonly user?: string;
  readonly issuer?: string;
  readonly client?: string;
  readonly openedAt: number;
  readonly lastUsedAt: number;
  readonly inUse: boolean;
}

export interface Finding {
  readonly level: 'ok' | 'note' | 'problem';
  readonly text: string;
  readonly fix?: string;
}

export interface Tool {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema?: JsonSchema;
}

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly format?: string;
}

export interface ToolResult {
  readonly content?: readonly Readonly<Record<string, unknown>>[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
}

/** The credential of a call from the page. */
export type Credential = { token: string } | { developmentToken: true } | Record<string, never>;

/** One part of the page, which a link of the navigation shows. */
export interface View {
  readonly title: string;
  /** The text of its link. Default: the title. */
  readonly label?: string;
  readonly content: HTMLElement;
  /** Called when it appears. `parameter` is the rest of the address: `#/tools/<parameter>`. */
  show?(parameter: string): void;
  hide?(): void;
}
