import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { progressOfBoth, questionsAndUpdatesOfBoth, SDK_USERS, userOfV1, userOfV2 } from '../support/sdk-users.js';
import { EVERYTHING, fixture, type Served, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

describe.concurrent('server-everything, which speaks only revisions with sessions', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ args: [EVERYTHING] });
  });
  afterAll(() => served.stop());

  test.each(SDK_USERS)('serves two users of %s at once, who never see each other’s messages', async (_sdk, connect) => {
    const [ada, bob] = await Promise.all([connect(served.url, 'ada'), connect(served.url, 'bob')]);
    expect([ada.era, bob.era]).toEqual(['legacy', 'legacy']);
    expect(await ada.tools()).toContain('trigger-elicitation-request');
    expect(await progressOfBoth(ada, bob)).toEqual({ ada: [1, 2, 3], bob: [1, 2, 3, 4, 5] });
    expect(await questionsAndUpdatesOfBoth(ada, bob)).toEqual({ accepted: [true, true], updatesOfBob: [] });
    await Promise.all([ada.close(), bob.close()]);
  });
});

describe.concurrent('a server of SDK v2, which speaks revisions with sessions and without', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ args: [fixture('conformance-server.mjs')] });
  });
  afterAll(() => served.stop());

  test.each([
    ['SDK v1', userOfV1, 'legacy', 'test_elicitation'],
    ['SDK v2', userOfV2, 'modern', 'test_input_required_result_elicitation'],
  ] as const)('serves two users of %s at once', async (_sdk, connect, era, elicitation) => {
    const [ada, bob] = await Promise.all([connect(served.url, 'ada'), connect(served.url, 'bob')]);
    expect([ada.era, bob.era]).toEqual([era, era]);
    expect(await ada.tools()).toContain('test_simple_text');
    const progress: number[] = [];
    await Promise.all([
      ada.call('test_tool_with_progress', {}, (step) => progress.push(step)),
      bob.call('test_tool_with_progress', {}, (step) => progress.push(step)),
    ]);
    expect(progress.sort((a, b) => a - b)).toEqual([0, 0, 50, 50, 100, 100]);
    const elicited = await Promise.all([ada, bob].map((user) => user.call(elicitation, { message: 'Who?' })));
    expect(elicited.map((text) => /ada|bob/.exec(text)?.[0])).toEqual(['ada', 'bob']);
    await ada.watchTools();
    await ada.call('test_trigger_tool_change', {});
    await until(() => ada.updates.includes('tools'));
    expect(bob.updates).toEqual([]);
    await Promise.all([ada.close(), bob.close()]);
  });
});
