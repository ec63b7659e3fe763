import type { Middleware } from '../../index.js';

/** The parameter with one comma: that before it, or that between it and the next parameter, if it is the first. */
const METADATA =
  /, resource_metadata="[^"]*"|(?<= )resource_metadata="[^"]*", (?=[a-z_]+=)| resource_metadata="[^"]*"(?!, [a-z_]+=)/;

/** Removes the URL of the metadata from challenges of a route that serves none: clients would ask for a document that is not there. */
export const plainChallenge: Middleware = (_req, res, next) => {
  const writeHead = res.writeHead;
  res.writeHead = (status: number, ...rest: unknown[]) => {
    const [headers] = rest.filter((argument) => typeof argument === 'object' && argument !== null);
    const given = headers as Record<string, unknown> | undefined;
    const challenge = given?.['www-authenticate'];
    if (given !== undefined && typeof challenge === 'string') {
      const plain = { ...given, 'www-authenticate': challenge.replace(METADATA, '') };
      return writeHead.call(res, status, plain as never);
    }
    return writeHead.call(res, status, ...(rest as []));
  };
  next();
};
