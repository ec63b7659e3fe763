import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { mcpAuth } from '../../src/index.js';
import { startKeyServer } from '../support/key-server.js';
import { claims, ISSUER, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();

// Vitest fails a run with an unhandled rejection, which would end a server's process.
describe('an application that answers while mcpAuth() waits for a slow key server', () => {
  test.each([
    ['a good token', signer.sign(claims())],
    ['a forged token', createSigner({ kid: signer.kid }).sign(claims())],
    ['an outage', signer.sign(claims()), 'down'],
  ])('keeps its answer, and the process does not end: %s', async (_name, token, down?: string) => {
    const server = await startKeyServer([]);
    let release = (): void => undefined;
    let decided = (): void => undefined;
    const decision = new Promise<void>((resolve) => {
      decided = resolve;
    });
    const app = express();
    app.use((_req, res, next) => {
      server.answer((keys) => {
        release = () => (down ? keys.destroy() : keys.end(JSON.stringify({ keys: [signer.jwk] })));
        res.status(504).end();
        res.once('close', release);
      });
      next();
    });
    const reached: unknown[] = [];
    const policy = { issuer: ISSUER, audiences: [RESOURCE], jwks: { url: server.url }, onDecision: decided };
    app.use(mcpAuth(policy), (_req, _res) => void reached.push('the route'));
    const response = await request(app).get('/mcp').auth(token, { type: 'bearer' });
    expect(response.status).toBe(504);
    await decision;
    expect(reached).toEqual([]);
  });
});
