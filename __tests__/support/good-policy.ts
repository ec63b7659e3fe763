import { ISSUER, RESOURCE } from './protected-app.js';
import { createSigner } from './signer.js';

export const signer = createSigner();
export const good = { issuer: ISSUER, jwks: { keys: [signer.jwk] }, resourceMetadata: { resource: RESOURCE } };
