export interface SseEvent {
  readonly id: string | undefined;
  readonly retry: string | undefined;
  readonly data: string;
}

/** Yields the events of a stream as they arrive. */
export async function* eventsOf(response: Response): AsyncGenerator<SseEvent> {
  let rest = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    rest += Buffer.from(chunk).toString('utf8');
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const lines = rest.slice(0, end).split('\n');
      rest = rest.slice(end + 2);
      const field = (name: string) =>
        lines
          .find((line) => line.startsWith(`${name}:`))
          ?.slice(name.length + 1)
          .trim();
      if (lines.some((line) => !line.startsWith(':')))
        yield { id: field('id'), retry: field('retry'), data: field('data') ?? '' };
    }
  }
}

/** Reads all messages of an answer, either JSON or an event stream. */
export async function messagesOf(response: Response): Promise<Record<string, unknown>[]> {
  if (response.headers.get('content-type') === 'application/json')
    return [(await response.json()) as Record<string, unknown>];
  const messages: Record<string, unknown>[] = [];
  for await (const { data } of eventsOf(response)) if (data !== '') messages.push(JSON.parse(data));
  return messages;
}

/** Reads the next message of an open stream. */
export async function nextMessage(events: AsyncGenerator<SseEvent>): Promise<Record<string, unknown>> {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error('the stream ended');
    if (value.data !== '') return JSON.parse(value.data);
  }
}

/** Returns the `reason` in the bridge's JSON-RPC error; undefined if the answer is not an error. */
export async function reasonOf(response: Response): Promise<string | undefined> {
  const { error } = (await response.json()) as { error?: { data: { reason: string } } };
  return error?.data.reason;
}
