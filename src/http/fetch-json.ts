/** Limits of a call to a server we depend on. */
export interface FetchLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** What every call to a key server or an authorization server is held to. */
export const FETCH_LIMITS: FetchLimits = Object.freeze({ timeoutMs: 5_000, maxBytes: 256 * 1024 });

/** A JSON object and the headers it came with. */
export interface FetchedJson {
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

/**
 * GETs a JSON object: bounded in time and size, redirects refused, since an address that was configured must not turn
 * into one that was not.
 *
 * @throws {Error} With a message fit for a log: it names the URL and what was wrong, never what was answered.
 */
export async function fetchJson(url: URL, limits: FetchLimits = FETCH_LIMITS): Promise<FetchedJson> {
  const signal = AbortSignal.timeout(limits.timeoutMs);
  try {
    const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`it answered with status ${response.status}`);
    }
    const body: unknown = JSON.parse(await readBounded(response, limits.maxBytes));
    if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Error('it is not a JSON object');
    return { body: body as Record<string, unknown>, headers: response.headers };
  } catch (error) {
    const reason = signal.aborted ? `no answer within ${limits.timeoutMs} ms` : reasonOf(error);
    throw new Error(`GET ${url.origin}${url.pathname} failed: ${reason}`, { cause: error });
  }
}

export async function readBounded(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}

/** A parser's message quotes what it read, and undici hides what went wrong in `cause`. */
export function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'it is not JSON';
  const { message, cause } = error as { message?: string; cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message ?? 'unknown';
}
