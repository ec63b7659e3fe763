/** Why a fetch() failed, in a word or a sentence: undici says "fetch failed", and hides the rest in `cause`. */
export function fetchFailureReason(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message ?? 'unknown';
}
