import type { CorsOptions } from 'cors';
import type { ConfigNode } from './config-node.js';

/** What "*" means for methods: all of them by name, since a browser takes a literal "*" as a wildcard only sometimes. */
const EVERY_METHOD = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'];

/** `policies.cors` as the cors package wants it. What the file does not allow is not allowed. */
export function readCorsPolicy(node: ConfigNode): CorsOptions {
  const members = node.members({
    optional: ['allowOrigins', 'allowHeaders', 'allowMethods', 'exposeHeaders', 'allowCredentials', 'maxAge'],
  });
  const origins = members.allowOrigins?.items().map(readOrigin) ?? [];
  const headers = members.allowHeaders?.texts() ?? [];
  const methods = members.allowMethods?.texts() ?? [];
  const credentials = members.allowCredentials?.flag() ?? false;
  const everyOrigin = origins.includes('*');
  if (credentials && everyOrigin) {
    members.allowCredentials?.refuse('must not be true where allowOrigins has "*": any web site could act as the user');
  }
  return {
    origin: everyOrigin ? '*' : origins,
    // Without this member the package mirrors what the browser asks for: the only "*" that covers Authorization.
    ...(headers.includes('*') ? {} : { allowedHeaders: [...headers] }),
    methods: methods.includes('*') ? EVERY_METHOD : [...methods],
    exposedHeaders: [...(members.exposeHeaders?.texts() ?? [])],
    credentials,
    ...(members.maxAge && { maxAge: readSeconds(members.maxAge) }),
  };
}

function readOrigin(node: ConfigNode): string {
  const origin = node.text();
  return origin === '*' || isOrigin(origin)
    ? origin
    : node.refuse(
        `must be "*" or an origin such as "https://app.example.com" (no path, no pattern), but is ${JSON.stringify(origin)}`,
      );
}

function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/?#*\s]+$/.test(text)) return false;
  return /^https?:/.test(text) ? URL.canParse(text) && new URL(text).origin === text : true;
}

function readSeconds(node: ConfigNode): number {
  const [all, hours = '0', minutes = '0', seconds = '0'] =
    /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/.exec(node.text()) ?? [];
  if (!all) return node.refuse(`must be a time such as "600s", "10m" or "1h", but is ${JSON.stringify(node.value)}`);
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}
