/** The bounds of one call. */
export interface FetchBounds {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** The answer, within the bounds. */
export interface BoundedAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Empty where it was not to be read. */
  readonly bytes: Buffer;
  /** True if the body ended before `maxBytes` were exceeded. */
  readonly isWhole: boolean;
}

/** Why no answer came, or not to its end. `message` is a reason fit for a log or a report: it never quotes what was answered. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  /** True if the server had begun to answer, and broke off by itself. */
  readonly answered: boolean;
  /** Node's word for what happened, such as `ECONNREFUSED`; `TimeoutError` where the time was over. */
  readonly code: string | undefined;

  constructor(message: string, answered: boolean, cause: unknown) {
    super(message, { cause });
    this.answered = answered;
    this.code = codeOf(cause);
  }
}

function codeOf(error: unknown): string | undefined {
  const { name, code, cause } = (error ?? {}) as { name?: string; code?: unknown; cause?: { code?: string } };
  if (name === 'TimeoutError') return name;
  return typeof code === 'string' ? code : cause?.code;
}

/**
 * One call, bounded in time and size. Redirects are not followed, since an address that was configured must not turn into one that
 * was not.
 *
 * @param reads Whether the body of this response is wanted; where not, nothing of it is waited for.
 * @throws {FetchError}
 */
export async function boundedFetch(
  url: URL | string,
  init: RequestInit,
  { timeoutMs, maxBytes }: FetchBounds,
  reads: (response: Response) => boolean,
): Promise<BoundedAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  let response: Response | undefined;
  try {
    response = await fetch(url, { ...init, redirect: 'manual', signal });
    const { status, headers } = response;
    if (reads(response)) return { status, headers, ...(await readWithin(maxBytes, response.body ?? [])) };
    await response.body?.cancel();
    return { status, headers, ...UNREAD };
  } catch (error) {
    if (signal.aborted) throw new FetchError(`no answer within ${timeoutMs / 1_000} seconds`, false, error);
    throw new FetchError(reasonOf(error), response !== undefined, error);
  }
}

type ReadBody = Pick<BoundedAnswer, 'bytes' | 'isWhole'>;

/** The body of an answer whose body is not wanted. */
export const UNREAD: ReadBody = Object.freeze({ bytes: Buffer.alloc(0), isWhole: true });

export async function readWithin(
  maxBytes: number,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<ReadBody> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > maxBytes) return { bytes: Buffer.concat(chunks), isWhole: false };
  }
  return { bytes: Buffer.concat(chunks), isWhole: true };
}

/** In a word or a sentence: undici says "fetch failed", and hides the rest in `cause`. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message ?? 'unknown';
}
