/**
 * The end of a call. `answered`: with a result. `tool_error`: with a result that says `isError`. `protocol_error`: with a JSON-RPC error,
 * of the MCP server or because of the client's message. `denied`: a rule, a missing scope or a withdrawn token refused it. `limited`: a
 * limit refused it. `cancelled`: the client cancelled it or left, or the server closed. `timed_out`: no answer in time. `target_failed`:
 * the MCP server could not be reached, ended, or sent an answer that cannot be used.
 */
export type CallOutcome =
  | 'answered'
  | 'tool_error'
  | 'protocol_error'
  | 'denied'
  | 'limited'
  | 'cancelled'
  | 'timed_out'
  | 'target_failed';

/** The kind of credential that identified the caller. `anonymous`: there was none. */
export type CallerCredential = 'jwt' | 'issued_token' | 'opaque_token' | 'api_key' | 'anonymous';

/** One JSON-RPC request of a client and how it ended. It contains neither arguments nor results, unless `recordContent` returns them. */
export interface CallRecord {
  /** The arrival of the request, in milliseconds since 1970. */
  readonly time: number;
  /** The path of the endpoint: where the middleware is mounted, or the route of the command. */
  readonly route: string;
  /** The name of the target that got the request. Absent if it reached none, or several at once. */
  readonly target?: string | undefined;
  /** For example `tools/call`. */
  readonly method: string;
  /** The name of the tool or prompt, or the URI of the resource. The client chose it. */
  readonly name?: string | undefined;
  /** The `iss` of the caller's token. */
  readonly issuer?: string | undefined;
  /** The user, from the claim that the issuer's `subjectClaim` names. */
  readonly user?: string | undefined;
  /** The client, as `AuthInfo.clientId` has it. */
  readonly client?: string | undefined;
  /** The kind of credential that identified the caller. */
  readonly credential: CallerCredential;
  /** The end of the call. */
  readonly outcome: CallOutcome;
  /** The code of a refusal of this package, as in docs/errors.md, or the code of the JSON-RPC error. */
  readonly code?: string | number | undefined;
  /** Milliseconds from the arrival of the request to its answer. */
  readonly durationMs: number;
  /** The bytes of the request's message. */
  readonly bytesIn: number;
  /** The bytes of the answer's message. 0 if there was none. */
  readonly bytesOut: number;
  /** The id of the session, as the client knows it. */
  readonly session?: string | undefined;
  /** The id of the HTTP request, as in the log. */
  readonly requestId?: string | undefined;
  /** The trace of the call: 32 hexadecimal digits. */
  readonly traceId?: string | undefined;
  /** The value that `recordContent` returned. */
  readonly content?: unknown;
}

/** The content of a call, for `recordContent`. */
export interface CallContent {
  /** For example `tools/call`. */
  readonly method: string;
  /** The name of the tool or prompt, or the URI of the resource. */
  readonly name: string | undefined;
  /** The `params` of the request, parsed. The client chose them. */
  readonly params: Readonly<Record<string, unknown>> & {
    /** Those of a tool or prompt. */
    readonly arguments?: Readonly<Record<string, unknown>> | undefined;
  };
  /** The `result` of the answer, parsed. Absent if there is none, or if the answer is longer than 64 KiB. */
  readonly result?: unknown;
}

/** The options of every function that records calls. */
export interface CallOptions {
  /**
   * Called with the record of each call when the call ends. An error in it is ignored. The `node:diagnostics_channel` named
   * `express-mcp-auth:call` gets the same records. @default none
   */
  readonly onCall?: ((record: CallRecord) => void) | undefined;
  /**
   * Takes the arguments and the result of a call and returns the parts that `onCall` gets, as `content` of the record. Remove secrets and
   * personal data. The channel does not get them. If it throws or returns a promise, the record has no content.
   * @default none: arguments and results are not recorded
   */
  readonly recordContent?: ((content: CallContent) => unknown) | undefined;
}
