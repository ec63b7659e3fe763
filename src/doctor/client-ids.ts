import { stringsIn } from '../http/json-object.js';
import { type Finding, reporterFor } from './finding.js';
import { shown } from './shown.js';

type Metadata = Readonly<Record<string, unknown>>;

const DOCUMENTS = 'client_id_metadata_document_supported';

/** The clients that publish a metadata document, as of November 2026. */
const WITH_DOCUMENT = 'Claude, ChatGPT and VS Code';

/**
 * Says in which of three ways clients get an id at an authorization server: typed in by hand, by document, or by registration.
 *
 * @param typedIn How many ids its policy has for typing in; undefined if that is not known, since metadata does not say it.
 */
export function checkClientIds(metadata: Metadata, typedIn: number | undefined): Finding[] {
  return [checkWays(metadata, typedIn), ...checkDocuments(metadata)];
}

function checkWays(metadata: Metadata, typedIn: number | undefined): Finding {
  const report = reporterFor('client ids');
  const byHand = typedIn ? [`typed in by hand (${typedIn})`] : [];
  const byDocument = metadata[DOCUMENTS] === true;
  if (typeof metadata.registration_endpoint === 'string') {
    const documents = byDocument ? [`by document (${WITH_DOCUMENT})`] : [];
    return report.ok([...byHand, ...documents, 'by registration'].join(', '));
  }
  if (byDocument) {
    return report.warning(
      [...byHand, 'by document, without a registration endpoint'].join(', '),
      `Clients without a document need a client id from you, and many cannot be given one. ${WITH_DOCUMENT} have a document.`,
      'Let clients register too (oauthProxy.registration), unless only clients with a document may log in.',
    );
  }
  if (typedIn) {
    return report.warning(
      `${byHand[0]}, with neither a registration endpoint nor client ID metadata documents`,
      'Clients that cannot be given a client id give up.',
      'Switch on oauthProxy.registration or oauthProxy.clientDocuments, unless only these clients may log in.',
    );
  }
  return report.warning(
    'neither a registration endpoint nor client ID metadata documents',
    'Clients need a client id from you: Claude and VS Code ask for one, others give up.',
    'Set provider and clientId: the OAuth proxy then answers registrations, and accepts metadata documents. If this is the OAuth proxy, give clients an id in oauthProxy.clients, or switch one of the two on.',
  );
}

/** Warns if clients with a document do not use it, although the server says that it accepts documents. */
function checkDocuments(metadata: Metadata): Finding[] {
  const report = reporterFor('client documents');
  const { [DOCUMENTS]: announced, token_endpoint_auth_methods_supported: methods } = metadata;
  if (announced !== undefined && typeof announced !== 'boolean') {
    const seen = `${DOCUMENTS} is ${shown(announced)}`;
    return [report.warning(seen, 'Clients read it as false.', 'Make it the JSON value true, or leave it out.')];
  }
  // RFC 8414, section 2: client_secret_basic alone, if the list is missing.
  if (announced !== true || stringsIn(methods).includes('none')) return [];
  return [
    report.warning(
      `${DOCUMENTS} is true, but token_endpoint_auth_methods_supported does not list "none"`,
      'Claude then uses no document: it registers, or asks for a client id.',
      'Announce "none", and let clients with a document be public.',
    ),
  ];
}
