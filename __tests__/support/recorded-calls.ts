import { onTestFinished } from 'vitest';
import type { McpStdioBackendOptions } from '../../src/index.js';
import type { CallRecord } from '../../src/telemetry/call-record.js';
import { call, type Headers, open, post, postStateless, statelessCall } from './mcp-requests.js';
import { type Served, serve } from './stdio-bridge.js';
import { until } from './until.js';

/** The records of calls, in the order in which the calls ended. */
export interface RecordedCalls {
  readonly records: CallRecord[];
  readonly onCall: (record: CallRecord) => void;
  /** Waits for the record of the request with this method and name. */
  of(method: string, name?: string): Promise<CallRecord>;
}

export function createRecordedCalls(): RecordedCalls {
  const records: CallRecord[] = [];
  const find = (method: string, name?: string) =>
    records.find((record) => record.method === method && (name === undefined || record.name === name));
  return {
    records,
    onCall: (record) => void records.push(record),
    async of(method, name) {
      await until(() => find(method, name) !== undefined);
      return find(method, name) as CallRecord;
    },
  };
}

export const ADA = { authorization: 'Bearer ada' };

export interface Started extends Served {
  readonly calls: RecordedCalls;
}

/** One way in which clients of a backend call tools. */
export interface Way {
  readonly options: Partial<McpStdioBackendOptions>;
  /** Resolves to the headers of all further requests. */
  begin(url: string): Promise<Headers>;
  call(url: string, headers: Headers, name: string, args?: object, signal?: AbortSignal): Promise<Response>;
}

/** A line for the tool `print`: a result that says isError. */
export const SAYS_ERROR = '{"jsonrpc":"2.0","id":ID,"result":{"content":[],"isError":true}}\n';

let serial = 0;
const callWithId: Way['call'] = (url, headers, name, args, signal) =>
  post(url, call(++serial, name, args), headers, signal);

export const WAYS: Readonly<Record<string, Way>> = {
  'with a session': { options: {}, begin: (url) => open(url, ADA), call: callWithId },
  'of 2026-07-28': {
    options: { env: { STATELESS: '1' } },
    begin: async () => ADA,
    call: (url, headers, name, args, signal) =>
      postStateless(url, statelessCall(++serial, name, args), headers, signal),
  },
  'without the session that its revision has': {
    options: { sessions: false },
    begin: async () => ADA,
    call: callWithId,
  },
};

/** Serves the scripted server, and records the calls. */
export async function start(options: Partial<McpStdioBackendOptions> = {}): Promise<Started> {
  const calls = createRecordedCalls();
  const served = await serve({ onCall: calls.onCall, ...options });
  onTestFinished(() => served.stop());
  return { ...served, calls };
}
