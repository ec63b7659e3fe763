import { expect, onTestFinished, test, vi } from 'vitest';
import { fresh, setUp, signer } from '../support/app-with-key-server.js';
import { serve } from '../support/loopback-server.js';

test('a flood of 10,000 forged tokens costs two fetches, and good tokens pass meanwhile', async () => {
  // On a slow machine the flood takes longer than the 30 seconds after which one more fetch is right.
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const { server, protectedApp } = await setUp();
  const forged = Array.from({ length: 10_000 }, (_, i) =>
    signer.sign({ iss: 'https://issuer.example' }, { kid: `forged-${i}` }),
  );
  let refused = 0;
  let passed = 0;
  const origin = await serve(protectedApp.app);
  const send = async (token: string) => {
    const response = await fetch(`${origin}/mcp`, { headers: { authorization: `Bearer ${token}` } });
    await response.arrayBuffer();
    return response.status;
  };
  for (let i = 0; i < forged.length; i += 250) {
    const batch = forged.slice(i, i + 250).map(send);
    if ((await send(fresh())) === 200) passed += 1;
    refused += (await Promise.all(batch)).filter((status) => status === 401).length;
  }
  expect({ refused, passed, fetches: server.requests }).toEqual({ refused: 10_000, passed: 40, fetches: 2 });
}, 60_000);
