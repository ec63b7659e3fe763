import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { call, initialize, post } from '../support/mcp-requests.js';
import { replyJson, startSessionTarget } from '../support/remote-target.js';
import { serveTargets } from '../support/several-backend.js';
import { NODE, SCRIPTED, serve } from '../support/stdio-bridge.js';
import { startInMemoryTelemetry } from '../support/telemetry.js';

/** The last word stands in every secret. Ids and times of spans, which are hexadecimal or decimal digits, cannot contain it by chance. */
const SECRETS = {
  argument: 'an-argument-quokka',
  result: 'a-result-quokka',
  error: 'an-error-quokka',
  bearer: 'a-bearer-quokka',
};

const RESULT = `{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"${SECRETS.result}"}]}}\n`;
const ERROR = `{"jsonrpc":"2.0","id":ID,"error":{"code":-32000,"message":"${SECRETS.error}"}}\n`;

const UNREADABLE = '{"jsonrpc":"1.0","id":ID,"result":"unreadable-quokka"}\n';

interface Secretive {
  readonly url: string;
  /** The token of the caller. */
  readonly token: string;
  readonly tool: string;
}

const BACKENDS: Readonly<Record<string, () => Promise<Secretive>>> = {
  async 'a stdio server'() {
    const served = await serve();
    onTestFinished(() => served.stop());
    return { url: served.url, token: 'ada', tool: 'print' };
  },
  async 'several servers'() {
    const { url } = await serveTargets({
      targets: { one: { command: NODE, args: [SCRIPTED], env: { A: SECRETS.bearer } } },
    });
    return { url, token: 'ada', tool: 'print' };
  },
  async 'a remote server'() {
    const target = await startSessionTarget(({ id, params }, res) => {
      const { line } = params.arguments as { line: string };
      res.setHeader('content-type', 'application/json');
      if (line === undefined) replyJson(res, id, {});
      else res.end(line.replaceAll('ID', JSON.stringify(id)));
    });
    const { url, issuer } = await serveRemote(target.url, { bearer: SECRETS.bearer });
    return { url, token: issuer.token({ sub: 'ada' }), tool: 'print' };
  },
};

test.each(Object.entries(BACKENDS))(
  'spans and metrics of %s have no argument, result or token',
  async (_what, start) => {
    const telemetry = startInMemoryTelemetry();
    const { url, token, tool } = await start();
    const authorization = { authorization: `Bearer ${token}` };
    const opened = await post(url, initialize(), authorization);
    await opened.text();
    const session = { ...authorization, 'mcp-session-id': opened.headers.get('mcp-session-id') as string };
    for (const [id, line] of [RESULT, ERROR, UNREADABLE].entries())
      await (
        await post(url, call(id, tool, { line, argument: SECRETS.argument }, { note: 'a-note-quokka' }), session)
      ).text();
    await telemetry.spans(8);
    const metrics = ['mcp.server.operation.duration', 'mcp.client.operation.duration'];
    const points = await Promise.all(metrics.map((metric) => telemetry.points(metric)));
    const everything = inspect([telemetry.exported, points], {
      depth: 20,
      maxArrayLength: null,
      maxStringLength: null,
    });
    // It is all there: the search would find it.
    expect(everything).toContain('gen_ai.tool.name');
    for (const secret of [...Object.values(SECRETS), 'quokka', ...(token.length > 20 ? [token, token.slice(-20)] : [])])
      expect(everything).not.toContain(secret);
  },
);
