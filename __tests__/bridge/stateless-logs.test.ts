import { expect, onTestFinished, test } from 'vitest';
import { type McpBackendOptions, mcpBackend, mcpStdioBackend } from '../../src/index.js';
import { messagesOf } from '../support/mcp-answers.js';
import { postStateless, statelessRequest } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { answerEvent, beginEvents, replyJson } from '../support/remote-target.js';
import { fixture, NODE, serveBackend } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const LOGS = { 'io.modelcontextprotocol/logLevel': 'info' };
const LINE = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', logger: 'a', data: 'a' } };
const event = (message: object) => `data: ${JSON.stringify(message)}\n\n`;

/** A remote server of 2026-07-28 whose tool `log` logs, and whose tool `hang` never answers. */
async function startRemote(name: string): Promise<string> {
  const { url } = await startRecordingTarget(({ body }, res) => {
    const { id, method, params } = JSON.parse(body);
    if (method === 'server/discover')
      replyJson(res, id, { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } });
    else if (method === 'subscriptions/listen') {
      const acknowledged = { notifications: {}, _meta: { 'io.modelcontextprotocol/subscriptionId': id } };
      const method = 'notifications/subscriptions/acknowledged';
      beginEvents(res, event({ jsonrpc: '2.0', method, params: acknowledged }));
    } else if (params?.name === 'hang') beginEvents(res, ': waits\n\n');
    else if (params?.name === 'log') {
      const line = { ...LINE, params: { ...LINE.params, logger: name, data: name } };
      beginEvents(res, event(line)).end(answerEvent(id, { content: [] }));
    } else replyJson(res, id, { resultType: 'complete', tools: [{ name: 'log', inputSchema: { type: 'object' } }] });
  });
  return url;
}

const program = (NAME: string) => ({ command: NODE, args: [fixture('plain-target.mjs')], env: { NAME } });
const remote = async (name: string) => ({ url: await startRemote(name) });
type Targets = McpBackendOptions['targets'];

const oneProgram = async () => mcpStdioBackend(program('a'));
const several = (targets: () => Promise<Targets>) => async () => mcpBackend({ targets: await targets() });
const oneRemote = several(async () => ({ a: await remote('a') }));
const twoPrograms = several(async () => ({ a: program('a'), b: program('b') }));
const twoRemotes = several(async () => ({ a: await remote('a'), b: await remote('b') }));
const both = several(async () => ({ a: program('a'), b: await remote('b') }));

const listen = (): ReturnType<typeof statelessRequest> =>
  statelessRequest('open', 'subscriptions/listen', { notifications: { toolsListChanged: true } }, LOGS);
const toolCall = (id: string, name: string) => statelessRequest(id, 'tools/call', { name, arguments: {} }, LOGS);
const calls = (name: string) => () => toolCall('open', name);

test.each([
  ['one program, whose client listens', oneProgram, listen, 'log', [LINE]],
  ['one program that serves another such request', oneProgram, calls('hang'), 'log', []],
  ['one remote server, whose client listens', oneRemote, listen, 'log', [LINE]],
  ['one remote server that serves another such request', oneRemote, calls('hang'), 'log', [LINE]],
  ['two programs, whose client listens', twoPrograms, listen, 'a_log', [LINE]],
  ['two programs: the other serves such a request', twoPrograms, calls('b_hang'), 'a_log', [LINE]],
  ['two programs: the same serves another such request', twoPrograms, calls('a_hang'), 'a_log', []],
  ['two remote servers, whose client listens', twoRemotes, listen, 'a_log', [LINE]],
  ['two remote servers: the same serves another such request', twoRemotes, calls('a_hang'), 'a_log', [LINE]],
  ['a program and a remote server that serves such a request', both, calls('b_hang'), 'a_log', [LINE]],
])('the log messages of a request that asks for them: %s', async (_what, createBackend, open, name, expected) => {
  const served = await serveBackend(await createBackend());
  onTestFinished(() => served.stop());
  const user = { authorization: 'Bearer ada' };
  const hangUp = new AbortController();
  let opened: Response | undefined;
  const opening = postStateless(served.url, open(), user, hangUp.signal).then((response) => {
    opened = response;
  });
  const isOpen = () => (open === listen ? opened !== undefined : served.backend.stats().pending === 1);
  await until(isOpen);
  const messages = await messagesOf(await postStateless(served.url, toolCall('a call', name), user));
  expect(messages.slice(0, -1)).toEqual(expected);
  expect(messages.at(-1)).toMatchObject({ id: 'a call', result: {} });
  // A call that hangs has an event stream as soon as there is anything for it.
  expect(opened === undefined).toBe(open !== listen);
  hangUp.abort();
  await opening.catch(() => undefined);
});
