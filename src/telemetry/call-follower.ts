import type { IncomingMessage } from 'node:http';
import { shareValue } from '../core/shared-state.js';
import type { CallRecord } from './call-record.js';

/** Gets calls with their HTTP requests, which records do not contain. The access log of the command is one. */
export interface CallFollower {
  /** Called with each request that contains calls. */
  onRequest(req: IncomingMessage): void;
  /** Called with each call that has ended. Does not throw. */
  onEnd(record: CallRecord, req: IncomingMessage): void;
}

/** The follower in use, shared by all copies of the package in a process. */
export const callFollower: { current: CallFollower | undefined } = shareValue('callFollower', () => ({
  current: undefined,
}));
