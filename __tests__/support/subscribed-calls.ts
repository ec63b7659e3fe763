import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { onTestFinished } from 'vitest';
import type { CallRecord } from '../../src/index.js';

/** The records that `node:diagnostics_channel` publishes until the test ends. */
export function subscribeToCalls(): CallRecord[] {
  const records: CallRecord[] = [];
  const listener = (record: unknown) => void records.push(record as CallRecord);
  subscribe('express-mcp-auth:call', listener);
  onTestFinished(() => void unsubscribe('express-mcp-auth:call', listener));
  return records;
}
