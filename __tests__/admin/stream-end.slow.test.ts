import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { mcpAdmin } from '../../src/admin/mcp-admin.js';
import { adminPageAt } from '../support/admin-app.js';
import { publishCall } from '../support/call-records.js';
import { serve } from '../support/loopback-server.js';

declare module 'express-serve-static-core' {
  interface Request {
    readRole?: string | undefined;
  }
}

/** Serves a page whose operators have sessions. As with express-session, a session is read once for each request. */
async function servePageBehindLogin(isBehindMiddleware: boolean) {
  const roles = new Map([['s1', 'operator']]);
  const admin = mcpAdmin({
    authorize: isBehindMiddleware ? () => true : (req) => (req as express.Request).readRole === 'operator',
  });
  onTestFinished(() => admin.close());
  const app = express();
  app.use((req, res, next) => {
    req.readRole = roles.get(req.headers.cookie ?? '');
    if (isBehindMiddleware && req.readRole === undefined) res.sendStatus(401);
    else next();
  });
  app.use('/admin', admin);
  return { roles, url: `${await serve(app)}/admin/` };
}

// Both forms in one test: it takes a minute.
test('an operator who has logged out gets no events after a minute, with () => true and by the session', async () => {
  await Promise.all(
    [true, false].map(async (isBehindMiddleware) => {
      const { roles, url } = await servePageBehindLogin(isBehindMiddleware);
      const stream = await adminPageAt(url, { cookie: 's1' }).events();
      const began = performance.now();
      await stream.next('numbers');
      roles.delete('s1');
      await stream.next('reconnect');
      expect(performance.now() - began).toBeGreaterThan(55_000);
      // Until it is ended, the stream goes on: a page opens the next one meanwhile.
      publishCall({ name: `meanwhile ${isBehindMiddleware}` });
      await stream.next('call', ({ name }) => name === `meanwhile ${isBehindMiddleware}`);
      await expect(stream.rest()).rejects.toThrow('terminated');
      expect(performance.now() - began).toBeLessThan(75_000);
      const { status } = await fetch(`${url}api/events`, { headers: { cookie: 's1' } });
      expect(status).toBe(isBehindMiddleware ? 401 : 403);
    }),
  );
}, 90_000);
