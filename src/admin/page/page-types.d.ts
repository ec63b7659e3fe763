import type { CallRecord } from '../../telemetry/call-record.js';
import type { SecondNumbers } from '../call-numbers.js';
import type { DecisionEvent } from '../decision-event.js';
import type { buildState } from '../page-state.js';
import type { listSessions } from '../session-list.js';

/** The answer of `api/state`. */
export type ServerState = Awaited<ReturnType<typeof buildState>>;

export type RouteState = ServerState['routes'][number];

export interface ShownCall extends CallRecord {
  readonly id: number;
}

export interface ShownDecision extends DecisionEvent {
  readonly id: number;
}

export interface ShownSecond extends SecondNumbers {
  readonly id: number;
  readonly time: number;
  readonly sessions: number;
  readonly pending: number;
}

/** A call or a decision of the live list. */
export type Entry = {
  readonly key: string;
  readonly time: number;
  /** Later events have greater numbers, even if the date of the server is set back, and after a restart of the server. */
  readonly order: number;
  /** Everything that the text filter searches, in lower case. */
  readonly searched: string;
  readonly isProblem: boolean;
} & (
  | { readonly kind: 'call'; readonly event: ShownCall }
  | { readonly kind: 'decision'; readonly event: ShownDecision }
);

export type SessionState = ReturnType<typeof listSessions>[number];

/** Any JSON: the MCP server of a route wrote it. */
export type ArgumentSchema = Readonly<Record<string, unknown>>;

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

declare global {
  interface JSON {
    /** Missing in browsers from before 2025. */
    rawJSON?(text: string): object;
    isRawJSON?(value: unknown): boolean;
  }
}
