import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf, nextMessage } from '../support/mcp-answers.js';
import { call, callText, type Headers, open, post } from '../support/mcp-requests.js';
import { type Served, serve } from '../support/stdio-bridge.js';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.stop());

const listen = (session: Headers, lastEventId?: string): Promise<Response> =>
  fetch(served.url, {
    headers: {
      ...session,
      accept: 'text/event-stream',
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    },
  });

describe('a stream that breaks', () => {
  test('continues after the last event, with its own events only, up to the response', async () => {
    const session = await open(served.url, {}, '2025-11-25');
    const hangUp = new AbortController();
    const message = call(1, 'progress', { steps: 6, delay: 40 }, { progressToken: 1 });
    const broken = eventsOf(await post(served.url, message, session, hangUp.signal));
    const first = (await broken.next()).value;
    expect(first).toMatchObject({
      data: '',
      retry: expect.stringMatching(/^\d+$/),
      id: expect.stringMatching(/^\d+-0$/),
    });
    const second = (await broken.next()).value as { id: string; data: string };
    expect(JSON.parse(second.data)).toMatchObject({ params: { progress: 1 } });
    hangUp.abort();
    await broken.return(undefined).catch(() => undefined);
    await callText(served.url, session, 'progress', { steps: 1 }, { progressToken: 'other' }).catch(() => undefined);
    const seen: unknown[] = [];
    for await (const { data } of eventsOf(await listen(session, second.id))) {
      if (data !== '') seen.push(JSON.parse(data).params?.progress ?? JSON.parse(data).id);
    }
    expect(seen).toEqual([2, 3, 4, 5, 6, 1]);
  });

  test('can be fetched after its end', async () => {
    const session = await open(served.url, {}, '2025-06-18');
    const events: { id: string | undefined; data: string }[] = [];
    const message = call(1, 'progress', { steps: 2 }, { progressToken: 1 });
    for await (const event of eventsOf(await post(served.url, message, session))) events.push(event);
    expect(events).toHaveLength(3);
    const again: unknown[] = [];
    for await (const event of eventsOf(await listen(session, events[0]?.id))) again.push(event);
    expect(again).toEqual(events.slice(1));
  });

  test.each(['2025-06-18', '2025-11-25'])(
    'is answered 204 after its last event, so that clients stop (%s)',
    async (revision) => {
      const session = await open(served.url, {}, revision);
      const ids: string[] = [];
      const message = call(1, 'progress', { steps: 2 }, { progressToken: 1 });
      for await (const { id = '' } of eventsOf(await post(served.url, message, session))) ids.push(id);
      const none = await listen(session, ids.at(-1));
      expect([none.status, none.headers.get('content-type'), await none.text()]).toEqual([204, null, '']);
      const rest = await listen(session, ids.at(-2));
      expect([rest.status, (await rest.text()).includes('"result"')]).toEqual([200, true]);
    },
  );

  test.each(['x', '1', '1-', '-1', '99-1', '0-99', '1-0; 2-0', '__proto__'])(
    'with the event id "%s" is refused',
    async (id) => {
      const session = await open(served.url);
      const response = await listen(session, id);
      expect([response.status, await response.json()]).toMatchObject([
        400,
        { error: { data: { reason: 'events_gone' } } },
      ]);
    },
  );

  test('is refused when more was missed than is kept', async () => {
    const session = await open(served.url);
    const message = call(1, 'progress', { steps: 300, delay: 0 }, { progressToken: 1 });
    const ids: (string | undefined)[] = [];
    for await (const { id } of eventsOf(await post(served.url, message, session))) ids.push(id);
    expect((await listen(session, ids[0])).status).toBe(400);
    expect((await listen(session, ids.at(-2))).status).toBe(200);
  });
});

describe('the standalone stream', () => {
  test('starts with messages that were sent before a client listened, and resumes', async () => {
    const session = await open(served.url);
    await callText(served.url, session, 'late');
    // No call meanwhile: a message that is sent during a call belongs to that call.
    await setTimeout(60);
    const events = eventsOf(await listen(session));
    expect(await nextMessage(events)).toMatchObject({ method: 'notifications/message' });
    const { value } = await events.next();
    expect(JSON.parse(value.data)).toMatchObject({ method: 'notifications/tools/list_changed' });
    const again = eventsOf(await listen(session, '0-1'));
    expect((await again.next()).value).toEqual(value);
  });

  test('begins with an event to resume from, if the revision has one', async () => {
    for (const [revision, hasInitialEvent] of [
      ['2025-06-18', false],
      ['2025-11-25', true],
    ] as const) {
      const session = await open(served.url, {}, revision);
      const events = eventsOf(await listen(session));
      await callText(served.url, session, 'late');
      const { value } = await events.next();
      expect([revision, value.data === '', value.id]).toEqual([
        revision,
        hasInitialEvent,
        hasInitialEvent ? '0-0' : '0-1',
      ]);
    }
  });

  test('names no event as received before it is sent', async () => {
    const session = await open(served.url, {}, '2025-11-25');
    await callText(served.url, session, 'late');
    await setTimeout(60);
    for (const [lastEventId, ids] of [
      [undefined, ['0-0', '0-1', '0-2']],
      ['0-1', ['0-1', '0-2']],
      ['0-0', ['0-0', '0-1', '0-2']],
      [undefined, ['0-2']],
    ] as const) {
      const events = eventsOf(await listen(session, lastEventId));
      const seen: unknown[] = [];
      while (seen.length < ids.length) seen.push((await events.next()).value.id);
      expect(seen, `after ${lastEventId}`).toEqual(ids);
    }
  });

  test('moves to the newest listener, and every message goes to one of them', async () => {
    const session = await open(served.url);
    const older = eventsOf(await listen(session));
    const newer = eventsOf(await listen(session));
    await callText(served.url, session, 'late');
    expect(await nextMessage(newer)).toMatchObject({ method: 'notifications/message' });
    const left: string[] = [];
    for await (const { data } of older) left.push(data);
    expect(left.filter((data) => data !== '')).toEqual([]);
  });
});
