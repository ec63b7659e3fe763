import { describe, expect, onTestFinished, test } from 'vitest';
import { messagesOf, reasonOf } from '../support/mcp-answers.js';
import { initialize, open, post, postStateless, statelessRequest, statelessText } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const WHOLE = '{"jsonrpc":"2.0","id":ID,"result":RESULT}';
const [ADA, BOB] = [{ authorization: 'Bearer ada' }, { authorization: 'Bearer bob' }];

const starting = async (options: Parameters<typeof serve>[0]) => {
  const { lines, logger } = createRecordingLogger();
  const served = await serve({ startTimeoutSeconds: 3, logger, ...options });
  onTestFinished(() => served.stop());
  return { ...served, lines };
};

describe('a program that does not answer its first request', () => {
  test.each([
    ['says nothing', { MUTE_AT_START: '1' }, '0 lines that are not MCP messages, and 0 bytes without a line end'],
    [
      'prints a banner without a line end',
      { PRINT_AT_START: 'Ready> ' },
      '0 lines that are not MCP messages, and 7 bytes',
    ],
    ['prints its answer behind a banner', { PRINT_AT_START: `Ready> ${WHOLE}\n` }, '1 lines that are not MCP messages'],
    ['prints its answer without a line end', { PRINT_AT_START: WHOLE }, '0 lines that are not MCP messages'],
    [
      'prints its answer over several lines',
      { PRINT_AT_START: '{\n  "jsonrpc": "2.0",\n  "id": ID,\n  "result": RESULT\n}\n' },
      '5 lines that are not MCP messages',
    ],
    [
      'frames it as language servers do',
      { PRINT_AT_START: `Content-Length: 99\r\n\r\n${WHOLE}` },
      '2 lines that are not MCP messages',
    ],
  ])('and %s is stopped after startTimeoutSeconds, and the log says so', async (_name, env, printed) => {
    const { url, backend, lines } = await starting({ env });
    const response = await post(url, initialize());
    expect([response.status, await response.json()]).toMatchObject([
      504,
      { id: 0, error: { code: -32603, data: { reason: 'start_timed_out' } } },
    ]);
    const line = lines.find((text) => text.startsWith('error '));
    expect(line).toContain('did not start within 3 s (startTimeoutSeconds)');
    expect(line).toContain(printed);
    await until(() => backend.stats().sessions === 0 && backend.stats().children === 0);
  });

  test.each([`\xef\xbb\xbf${WHOLE}\n`, `${WHOLE} ready\n`])(
    'with a message but with another line is stopped at once: %j',
    async (printed) => {
      const { url, backend } = await starting({ startTimeoutSeconds: 60, env: { PRINT_AT_START: printed } });
      const response = await post(url, initialize());
      expect([response.status, await reasonOf(response)]).toEqual([502, 'unreadable_answer']);
      await until(() => backend.stats().sessions === 0 && backend.stats().children === 0);
    },
  );

  test('and only sends notifications is stopped too, and the error comes on the stream', async () => {
    const { url, backend } = await starting({
      env: { PRINT_AT_START: '{"jsonrpc":"2.0","method":"notifications/x"}\n' },
    });
    const last = (await messagesOf(await post(url, initialize()))).at(-1);
    expect(last).toMatchObject({ id: 0, error: { data: { reason: 'start_timed_out' } } });
    await until(() => backend.stats().sessions === 0 && backend.stats().children === 0);
  });

  test('is stopped without a session as well, and started again for the next request', async () => {
    let isMute = false;
    const env = () => ({ STATELESS: '1', ...(isMute && { MUTE: '1' }) });
    const { url, backend } = await starting({ env });
    expect(await statelessText(url, 'echo', {}, ADA)).toBe('{}');
    isMute = true;
    const response = await postStateless(url, statelessRequest(1, 'ping'), BOB);
    expect(await reasonOf(response)).toBe('start_timed_out');
    isMute = false;
    expect(await statelessText(url, 'echo', {}, BOB)).toBe('{}');
    expect(backend.stats().sessions).toBe(0);
  });
});

test('a tool may take longer than a start', async () => {
  const { url } = await starting({ env: { STATELESS: '1' } });
  const session = await open(url);
  const slow = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'nap', arguments: { ms: 4_500 } } };
  const [first, second] = await Promise.all([post(url, slow, session), statelessText(url, 'nap', { ms: 4_500 })]);
  expect([await first.json(), second]).toMatchObject([{ result: {} }, 'awake']);
});

describe('a session that fails to open leaves nothing behind', () => {
  test.each<[string, Parameters<typeof serve>[0], number | undefined]>([
    ['initialize is not answered in time', { requestTimeoutSeconds: 1, env: { MUTE_AT_START: '1' } }, 504],
    ['its answer is too long', { maxMessageBytes: 1_000, env: { LONG_START: '5000' } }, 502],
    ['the child answers without an id', { env: { NULL_AT_START: '1' } }, 404],
    ['the client hangs up', { env: { MUTE_AT_START: '1' } }, undefined],
  ])('where %s', async (_name, options, status) => {
    const { url, backend } = await starting(options);
    const signal = status === undefined ? AbortSignal.timeout(300) : undefined;
    const answered = await post(url, initialize(), {}, signal).then(
      (response) => response.status,
      () => undefined,
    );
    expect(answered).toBe(status);
    await until(() => backend.stats().sessions === 0 && backend.stats().children === 0);
  });

  test.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
    'where the client hangs up on a stream that has begun, in %s, however often',
    async (revision) => {
      const { url, backend } = await starting({ maxSessionsPerUser: 2, env: { MUTE_AT_START: '1' } });
      for (let attempt = 0; attempt < 3; attempt++) {
        const hangUp = new AbortController();
        const streaming = { accept: 'text/event-stream' };
        const response = await post(url, initialize(revision), streaming, hangUp.signal);
        expect(response.status).toBe(200);
        hangUp.abort();
        await until(() => backend.stats().sessions === 0 && backend.stats().children === 0);
      }
    },
  );

  test('where the client cancels it on a stream that has begun', async () => {
    const { url, backend } = await starting({ env: { MUTE_AT_START: '1' } });
    const response = await post(url, initialize('2025-06-18', 'first'), { accept: 'text/event-stream' });
    const session = { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '' };
    await post(url, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'first' } }, session);
    expect((await messagesOf(response)).at(-1)).toMatchObject({ error: { data: { reason: 'cancelled' } } });
    await until(() => backend.stats().sessions === 0 && backend.stats().children === 0);
  });
});
