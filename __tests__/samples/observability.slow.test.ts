import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { startHttpCollector } from '../support/collector.js';
import { endPrograms } from '../support/program.js';
import { samplesOf } from '../support/started-samples.js';

const issuer = createTestIssuer();
beforeAll(() => issuer.listen());
afterAll(async () => {
  await issuer.close();
  await endPrograms();
});

const { start, startSample, connect, expectTwoAnswers } = samplesOf(issuer);

describe('samples/calls.ts', () => {
  test('writes a line for each call, with the user and the tool', async () => {
    const { url, program } = await startSample('build/samples/calls.js');
    await expectTwoAnswers(url);
    const client = await connect(url);
    await client.callTool({ name: 'whoami' });
    const [line = ''] = await program.says(/^\{.*"tools\/call".*$/m);
    expect(JSON.parse(line)).toEqual({
      user: 'alice',
      method: 'tools/call',
      name: 'whoami',
      outcome: 'answered',
      durationMs: expect.any(Number),
    });
    await client.close();
  });
});

describe('samples/admin.ts', () => {
  test('serves the page to this machine, with the MCP server as a route', async () => {
    const url = await start('build/samples/admin.js');
    await expectTwoAnswers(url);
    const client = await connect(url);
    expect((await fetch(new URL('/admin/', url))).headers.get('content-type')).toBe('text/html; charset=utf-8');
    const state = await (await fetch(new URL('/admin/api/state', url))).json();
    expect(state).toMatchObject({ routes: [{ name: '/mcp', health: { ready: true }, stats: { sessions: 1 } }] });
    const forwarded = { 'x-forwarded-for': '192.0.2.1' };
    expect((await fetch(new URL('/admin/', url), { headers: forwarded })).status).toBe(403);
    await client.close();
  });
});

describe('samples/telemetry.ts', () => {
  test('sends spans and metrics of calls to a collector', async () => {
    const collector = await startHttpCollector();
    const { url, program } = await startSample('build/samples/telemetry.js', {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${collector.address}`,
    });
    await expectTwoAnswers(url);
    const client = await connect(url);
    await client.listTools();
    await client.callTool({ name: 'echo', arguments: { message: 'not to be sent' } });
    await client.close();
    expect(await program.stop(), program.stderr).toBe(0);
    expect(new Set(collector.paths)).toEqual(new Set(['/v1/traces', '/v1/metrics']));
    for (const sent of ['tools/call echo', 'mcp.server.operation.duration']) expect(collector.text()).toContain(sent);
    expect(collector.text()).not.toContain('not to be sent');
  });
});
