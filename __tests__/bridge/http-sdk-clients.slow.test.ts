import { afterEach, describe, expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { endPrograms, startNode } from '../support/program.js';
import { startEverything } from '../support/remote-servers.js';
import { progressOfBoth, questionsAndUpdatesOfBoth, SDK_USERS, userOfV1, userOfV2 } from '../support/sdk-users.js';
import { fixture } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

afterEach(endPrograms);

describe('server-everything of SDK v1, which has sessions and an event store', () => {
  test.each(SDK_USERS)('serves two users of %s at once, who never see each other’s messages', async (_sdk, connect) => {
    const { url, bearer, backend } = await serveRemote((await startEverything()).url);
    const [ada, bob] = await Promise.all([connect(url, 'ada', bearer('ada')), connect(url, 'bob', bearer('bob'))]);
    expect([ada.era, bob.era]).toEqual(['legacy', 'legacy']);
    expect(await ada.tools()).toContain('trigger-elicitation-request');
    expect(await progressOfBoth(ada, bob)).toEqual({ ada: [1, 2, 3], bob: [1, 2, 3, 4, 5] });
    expect(await questionsAndUpdatesOfBoth(ada, bob)).toEqual({ accepted: [true, true], updatesOfBob: [] });
    expect(backend.stats()).toMatchObject({ sessions: 2, streams: 2 });
    await Promise.all([ada.close(), bob.close()]);
    await until(() => backend.stats().streams === 0);
  });
});

describe('a server of SDK v2, which speaks both eras', () => {
  test.each([
    ['SDK v1', userOfV1, 'legacy', 'test_simple_text'],
    ['SDK v2', userOfV2, 'modern', 'test_input_required_result_elicitation'],
  ] as const)('serves two users of %s at once', async (_sdk, connect, era, tool) => {
    const program = startNode([fixture('conformance-server.mjs'), '--http']);
    const [target = ''] = await program.says(/http:\S+/);
    const { url, bearer } = await serveRemote(target);
    const [ada, bob] = await Promise.all([connect(url, 'ada', bearer('ada')), connect(url, 'bob', bearer('bob'))]);
    expect([ada.era, bob.era]).toEqual([era, era]);
    expect(await ada.tools()).toContain('test_simple_text');
    const progress: number[] = [];
    await Promise.all([
      ada.call('test_tool_with_progress', {}, (step) => progress.push(step)),
      bob.call('test_tool_with_progress', {}, (step) => progress.push(step)),
    ]);
    expect(progress.sort((a, b) => a - b)).toEqual([0, 0, 50, 50, 100, 100]);
    const texts = await Promise.all([ada, bob].map((user) => user.call(tool, { message: 'Who?' })));
    if (era === 'modern') expect(texts.map((text) => /ada|bob/.exec(text)?.[0])).toEqual(['ada', 'bob']);
    await Promise.all([ada.close(), bob.close()]);
  });
});
