import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { endPrograms, ROOT } from '../support/program.js';
import { type RemoteServer, recordBytes, startRemote } from '../support/remote-servers.js';
import { SDK_USERS } from '../support/sdk-users.js';
import { until } from '../support/until.js';

const EXAMPLE = `${ROOT}node_modules/@modelcontextprotocol/sdk/dist/esm/examples/server/simpleStreamableHttp.js`;

let server: RemoteServer;
beforeAll(async () => {
  server = await startRemote(process.execPath, (port) => ['--import', settingPort(port), EXAMPLE]);
});
afterAll(endPrograms);

/** The example reads its port under a name of its own. */
const settingPort = (port: number): string => `data:text/javascript,process.env.MCP_PORT="${port}"`;

describe('the example server of SDK v1, with sessions and event stores', () => {
  test.each(SDK_USERS)(
    'serves two users of %s at once, each alone, and gets no token of theirs',
    async (_sdk, connect) => {
      const target = await recordBytes(server.url);
      const { url, bearer } = await serveRemote(target.url);
      const headers = { ada: bearer('ada'), bob: bearer('bob') };
      const [ada, bob] = await Promise.all([connect(url, 'ada', headers.ada), connect(url, 'bob', headers.bob)]);
      const greetings = await Promise.all([ada.call('greet', { name: 'Ada' }), bob.call('greet', { name: 'Bob' })]);
      expect(greetings).toEqual(['Hello, Ada!', 'Hello, Bob!']);
      const ask = { infoType: 'contact' };
      const answers = await Promise.all([ada, bob].map((user) => user.call('collect-user-info', ask)));
      expect(answers.map((text) => /"name": "(\w+)"/.exec(text)?.[1])).toEqual(['ada', 'bob']);
      await Promise.all([ada.close(), bob.close()]);
      for (const { authorization } of Object.values(headers))
        expect(target.bytes()).not.toContain(authorization.slice(7));
    },
  );

  test('sends what it says to one user to no other', async () => {
    const { url, bearer } = await serveRemote(server.url);
    const heard = { ada: 0, bob: 0 };
    const clients = await Promise.all(
      (['ada', 'bob'] as const).map(async (name) => {
        const client = new Client({ name, version: '1' });
        client.setNotificationHandler(LoggingMessageNotificationSchema, () => void heard[name]++);
        const requestInit = { headers: bearer(name) };
        await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }) as never);
        return client;
      }),
    );
    await Promise.all(
      clients.map((client, index) =>
        client.callTool({ name: 'start-notification-stream', arguments: { interval: 5, count: 10 + 10 * index } }),
      ),
    );
    await until(() => heard.bob >= 20);
    expect(heard).toEqual({ ada: 10, bob: 20 });
    await Promise.all(clients.map((client) => client.close()));
  });
});
