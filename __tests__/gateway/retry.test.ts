import { describe, expect, test } from 'vitest';
import { refusal, scripted, serveFile } from '../support/file-gateway.js';
import { initialize, post } from '../support/mcp-requests.js';
import { answerMcp, startRecordingTarget } from '../support/recording-target.js';

const retry = { attempts: 3, backoff: '10ms', codes: [503] };

/** A target that answers its first request with 503. */
async function startFailing() {
  const answer = answerMcp();
  let isFirst = true;
  return startRecordingTarget((arrived, res, req) => {
    if (!isFirst) return answer(arrived, res, req);
    isFirst = false;
    res.writeHead(503).end();
  });
}

describe('the policy retry', () => {
  test.each([
    ['of the section mcp', {}, 200, 2],
    ['for several targets as one', { prefixMode: 'always' }, 200, 2],
  ])('%s', async (_what, more, status, arrived) => {
    const target = await startFailing();
    const targets = [{ name: 'a', mcp: { host: target.url } }];
    const { origin } = await serveFile({ mcp: { port: 0, targets, policies: { retry }, ...more } });
    expect((await post(`${origin}/mcp`, initialize())).status).toBe(status);
    expect(target.arrived.filter(({ body }) => body.includes('"initialize"'))).toHaveLength(arrived);
  });

  test('has no effect on a program, and a warning says so', async () => {
    const file = (policy: object) => ({ mcp: { port: 0, targets: [scripted('a')], policies: { retry: policy } } });
    const { gateway } = await serveFile(file(retry));
    expect(gateway.warningsFor('127.0.0.1')).toEqual([
      'mcp.policies.retry has no effect: a program gets each message once. It is for remote targets',
    ]);
    const once = await serveFile(file({ codes: [503] }));
    expect(once.gateway.warningsFor('127.0.0.1')).toEqual([]);
  });
});

test.each([
  [{}, 'codes is missing'],
  [{ codes: [200] }, 'codes[0] must be a status from 400 to 599'],
  [{ codes: [503], attempts: 0 }, 'attempts must be a whole number of at least 1, but is 0'],
  [{ codes: [503], attempts: 256 }, 'attempts must be at most 255, but is 256'],
  [{ codes: [503], backoff: '2h' }, 'backoff must be at most an hour'],
  [
    { codes: [503], condition: 'true' },
    'condition is not supported: only codes decide, and only on what is safe to repeat. Or start without it: --ignore condition.',
  ],
])('refuses %j', (policy, message) => {
  const targets = [{ mcp: { host: 'https://notes.example/mcp' } }];
  expect(refusal({ mcp: { targets, policies: { retry: policy } } })).toBe(`mcp.policies.retry.${message}`);
});

test('refuses the option beside host, and says where the policy is', () => {
  const targets = [{ mcp: { host: 'https://notes.example/mcp', retry } }];
  expect(refusal({ mcp: { targets } })).toBe(
    'mcp.targets[0].mcp.retry is not supported. Write policies.retry: { attempts, backoff, codes } in the route.',
  );
});
