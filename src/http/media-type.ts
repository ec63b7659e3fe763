/** The media types of request bodies. */
export type MediaType = keyof typeof PATTERNS;

const PATTERNS = {
  /** Any media type, for a body that is not parsed here. */
  '*/*': /^/,
  'application/json': patternFor('application/json'),
  'application/x-www-form-urlencoded': patternFor('application/x-www-form-urlencoded'),
} as const;

/** RFC 9110, sections 5.6.6 and 8.3.1. The flag `i` without `u` folds ASCII only. */
function patternFor(essence: string): RegExp {
  return new RegExp(`^${essence}(?:[ \\t]*;[ \\t]*charset=(?:utf-8|"utf-8"))?$`, 'i');
}

/**
 * True if a `Content-Type` header names this media type, with `charset=utf-8` or no parameter. The whole value must match: lenient
 * parsers read another charset from malformed parameters such as `charset =utf-7`.
 */
export function isMediaType(contentType: string, mediaType: MediaType): boolean {
  return contentType === mediaType || PATTERNS[mediaType].test(contentType);
}
