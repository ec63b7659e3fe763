import { expect, onTestFinished, test } from 'vitest';
import { limitTime } from '../../src/gateway/policies/request-timeout.js';
import type { Middleware } from '../../src/http/middleware.js';
import { call, callText, open, post } from '../support/mcp-requests.js';
import { ADA, createRecordedCalls } from '../support/recorded-calls.js';
import { serve } from '../support/stdio-bridge.js';

const LIMIT = { 'x-limit': 'yes' };
const limit = limitTime(300);
const limitIfAsked: Middleware = (req, res, next) => (req.headers['x-limit'] ? limit(req, res, next) : next());

test.each([
  ['one call', '2025-06-18', call('slow', 'hang')],
  ['a batch', '2025-03-26', [call('fast', 'echo'), call('slow', 'hang')]],
])(
  '%s that a middleware answers 504 is cancelled at the program, and recorded as timed out',
  async (_what, revision, message) => {
    const calls = createRecordedCalls();
    const { url, backend, stop } = await serve({ onCall: calls.onCall }, 'Express 5', [limitIfAsked]);
    onTestFinished(stop);
    const session = await open(url, ADA, revision);
    expect((await post(url, message, { ...session, ...LIMIT })).status).toBe(504);
    expect(await calls.of('tools/call', 'hang')).toMatchObject({ outcome: 'timed_out', code: 'request_timed_out' });
    expect(backend.stats().pending).toBe(0);
    expect(JSON.parse(await callText(url, session, 'cancelled'))).toEqual(['slow']);
  },
);
