import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** The only address that is ever listened on: this machine's own. */
const LOOPBACK = '127.0.0.1';
/** A scraper that sends nothing is let go. */
const PATIENCE_MS = 10_000;

/** One that listens. */
export interface Listening {
  readonly port: number;
  close(): void;
}

/** Listens on the loopback; throws where the port cannot be had. It holds no process alive. `text`: what is served, gathered at each request. */
export function serveMetrics(port: number, text: () => Promise<string>): Promise<Listening> {
  const server = createServer((request, response) => void answer(request, response, text));
  server.requestTimeout = PATIENCE_MS;
  server.headersTimeout = PATIENCE_MS;
  server.maxConnections = 20;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      server.unref();
      resolve({ port: portOf(server), close: () => closeNow(server) });
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return address === null || typeof address === 'string' ? 0 : address.port;
}

function closeNow(server: Server): void {
  server.close();
  server.closeAllConnections();
}

/** Never throws. A name that only points here is refused: a page in a browser could have been given it. */
async function answer({ method, url, headers }: IncomingMessage, response: ServerResponse, text: () => Promise<string>): Promise<void> {
  const say = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    response.end(method === 'HEAD' ? undefined : body);
  };
  if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(headers.host ?? '')) return say(403, 'ask for it as 127.0.0.1 or localhost\n');
  if (method !== 'GET' && method !== 'HEAD') return say(405, 'only GET\n');
  if ((url ?? '').split('?')[0] !== '/metrics') return say(404, 'there is /metrics\n');
  try {
    say(200, await text(), 'text/plain; version=0.0.4; charset=utf-8');
  } catch (cause) {
    say(500, `${cause instanceof Error ? cause.message : String(cause)}\n`);
  }
}
