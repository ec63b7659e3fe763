import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { onTestFinished } from 'vitest';

/** A collector of OpenTelemetry. Texts are in its protobuf as they are. */
export interface Collector {
  /** Its host and port. */
  readonly address: string;
  /** The paths of the requests. */
  readonly paths: string[];
  readonly headers: IncomingHttpHeaders[];
  /** Everything that was sent to it. */
  text(): string;
}

type Receive = (path: string | undefined, headers: IncomingHttpHeaders, body: AsyncIterable<Buffer>) => Promise<void>;

async function startCollector(createServer: (receive: Receive) => Server): Promise<Collector> {
  const bodies: Buffer[] = [];
  const [paths, headers]: [string[], IncomingHttpHeaders[]] = [[], []];
  const server = createServer(async (path = '', given, body) => {
    for await (const chunk of body) bodies.push(chunk);
    paths.push(path);
    headers.push(given);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, paths, headers, text: () => Buffer.concat(bodies).toString('latin1') };
}

/** A collector that speaks OTLP over HTTP. */
export function startHttpCollector(): Promise<Collector> {
  return startCollector((receive) =>
    createHttpServer((req, res) => void receive(req.url, req.headers, req).then(() => res.writeHead(200).end())),
  );
}

/** A collector that speaks OTLP over gRPC, without TLS. */
export function startGrpcCollector(): Promise<Collector> {
  return startCollector((receive) => {
    const server = createHttp2Server();
    server.on('stream', (stream, headers) => {
      void receive(headers[':path'], headers, stream).then(() => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        // An empty message: not compressed, of 0 bytes.
        stream.end(Buffer.alloc(5));
      });
    });
    return server;
  });
}
