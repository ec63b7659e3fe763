import type { ServerResponse } from 'node:http';
import { signer } from './app-with-key-server.js';
import { serve } from './loopback-server.js';
import { claims, createProtectedApp } from './protected-app.js';
import { createRecordingLogger } from './recording-logger.js';

/** A status, a body, or any behaviour. */
export type Answer = number | string | object | ((res: ServerResponse) => void);

export const RFC8414 = '/.well-known/oauth-authorization-server';
export const OPENID = '/.well-known/openid-configuration';

/** An issuer with these answers by path; any other path is 404. */
export async function startIssuer(answers: (issuer: string) => Record<string, Answer>, path = '') {
  const asked: string[] = [];
  const origin = await serve((req, res) => {
    const target = req.url ?? '';
    asked.push(target);
    send(res, current[target] ?? 404);
  });
  const issuer = origin + path;
  let current = answers(issuer);
  const { lines, logger } = createRecordingLogger();
  const open = (options: Record<string, unknown> = {}) =>
    createProtectedApp({ issuer, jwks: undefined, logger, ...options }, signer);
  return {
    ...{ issuer, asked, lines, open, protectedApp: open() },
    answer: (changed: (issuer: string) => Record<string, Answer>) => {
      current = changed(issuer);
    },
    token: () => signer.sign(claims({ iss: issuer, jti: Math.random().toString() })),
  };
}

function send(res: ServerResponse, answer: Answer): void {
  if (typeof answer === 'function') answer(res);
  else if (typeof answer === 'number') res.writeHead(answer, answer < 400 ? { location: '/login' } : {}).end();
  else res.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
}

/** Metadata that names a key set. */
export const named = (issuer: string, path = '/jwks') => ({ issuer, jwks_uri: new URL(issuer).origin + path });
