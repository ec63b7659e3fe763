import { expect, onTestFinished, test } from 'vitest';
import { blockToRun } from '../support/code-blocks.js';
import { freePort } from '../support/loopback-server.js';
import { startNode } from '../support/program.js';

test('the protected server gives the two answers of README, and leaves other paths open', async () => {
  const [refusal = '', metadata = ''] = blockToRun('README.md', 'answers').split('\n\n$ ');
  const port = await freePort();
  const program = startNode(['build/samples/existing-mcp-server/server.js'], { env: { PORT: `${port}` } });
  onTestFinished(async () => void (await program.stop()));
  await program.says(/Listening on/);
  const origin = `http://localhost:${port}`;
  const asOnPort3000 = (text: string) => text.replaceAll(origin, 'http://localhost:3000');

  const refused = await fetch(`${origin}/mcp`, { method: 'POST' });
  const header = (name: string) => `${name}: ${refused.headers.get(name)}`;
  const head = ['HTTP/1.1 401 Unauthorized', header('www-authenticate'), header('content-type')];
  const shown = [`$ curl -i -X POST ${origin}/mcp`, ...head, '', await refused.text()];
  expect(refusal).toBe(asOnPort3000(shown.join('\n')));

  const metadataUrl = `${origin}/.well-known/oauth-protected-resource/mcp`;
  const answer = await (await fetch(metadataUrl)).text();
  expect(metadata.trim()).toBe(asOnPort3000(`curl ${metadataUrl}\n${answer}`));
  expect((await fetch(`${origin}/health`)).status).toBe(200);
});
