import { fileURLToPath, pathToFileURL } from 'node:url';
import express from 'express';
import { mcpAuth } from '../dist/index.js';
import { compareRoutes } from './compare-routes.mjs';

// Measures what a request with a known token costs over the same request to the open route, in CPU time of the server's process.
const CALL = JSON.stringify({
  ...{ jsonrpc: '2.0', id: 7, method: 'tools/call' },
  params: { name: 'echo', arguments: { message: 'hello' } },
});
const answer = [express.json(), (req, res) => res.json({ jsonrpc: '2.0', id: req.body.id, result: {} })];

/** The build of an earlier revision, to compare with: the path of its `dist`. */
const { BEFORE } = process.env;
const before = BEFORE && (await import(pathToFileURL(`${BEFORE}/index.js`).href));

const ANYONE = Object.freeze({ token: '', clientId: '', scopes: [] });
const setAuth = (req, _res, next) => {
  req.auth = ANYONE;
  next();
};

/** Compares the open route with one behind other middleware. */
const beside = (create) => (issuer) => ({
  isOpen: true,
  routes: [answer, [...create(issuer.policy({ resource: 'https://mcp.example/mcp' })), ...answer]],
});

const COMPARISONS = {
  'the open route again (control)': beside(() => []),
  'req.auth = x and no more': beside(() => [setAuth]),
  'mcpAuth(), a known token': beside((policy) => [mcpAuth(policy)]),
  "mcpAuth({ sessionOwners: 'off' }), a known token": beside((policy) => [
    mcpAuth({ ...policy, sessionOwners: 'off' }),
  ]),
  ...(before && { 'mcpAuth() of BEFORE, a known token': beside((policy) => [before.mcpAuth(policy)]) }),
};

void compareRoutes(fileURLToPath(import.meta.url), CALL, COMPARISONS);
