/** The limits of one call. */
export interface FetchBounds {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** An answer within the limits. */
export interface BoundedAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The body; empty if it was not read. */
  readonly bytes: Buffer;
  /** False if the body is longer than `maxBytes`. */
  readonly isWhole: boolean;
}

/** Thrown if no complete answer arrived. `message` is the reason, for a log or a report. It never quotes the answer. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  /** True if the server began to answer, and then the connection broke. False after a timeout. */
  readonly answered: boolean;
  /** Node's error code, such as `ECONNREFUSED`; `TimeoutError` after a timeout. */
  readonly code: string | undefined;
  /** A hint for the operator, without a full stop. */
  readonly advice: string | undefined;

  constructor(message: string, answered: boolean, cause: unknown, advice?: string) {
    super(message, { cause });
    this.answered = answered;
    this.code = codeOf(cause);
    this.advice = advice;
  }
}

/** Returns an error with a code, as those of Node. */
export function errorWith(message: string, code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}

function codeOf(error: unknown): string | undefined {
  const { name, code, cause } = (error ?? {}) as { name?: string; code?: unknown; cause?: { code?: string } };
  if (name === 'TimeoutError') return name;
  return typeof code === 'string' ? code : cause?.code;
}

/**
 * Makes one call, limited in time and size. It follows no redirects: only configured addresses may be called.
 *
 * @param reads Returns true if the body of this response is needed. Otherwise the body is cancelled.
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

/** The result for a body that is not needed. */
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

/** Returns an error code or a message. undici only says "fetch failed", and has the reason in `cause`. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message ?? 'unknown';
}
