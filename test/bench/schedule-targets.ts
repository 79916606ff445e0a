/**
 * What the probe of the bench `schedule` asks, as a process of its own: two ports that speak HTTP and one that speaks
 * HTTPS, on every address of 127.0.0.0/8. First line read: `{ "key", "cert" }`; then a mode a line: `answer`, `refuse`
 * (nothing listens, what is open is cut), `silent` (accepts and says nothing), `stutter` (as `answer`, but one connection
 * in two hundred is cut at once). Writes the three ports, then `done` for
 * each mode. Bare sockets, because its own cost takes from what the probe may have.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { createServer as createTlsServer } from 'node:tls';

const answer = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => (await lines.next()).value;

const oneIn = 200;

let isSilent = false;
let stutters = false;
let count = 0;
const sockets = new Set<Socket>();
const hold = (socket: Socket) => {
  count += 1;
  if (stutters && count % oneIn === 0) return void socket.resetAndDestroy();
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
};
const serve = (socket: Socket) => {
  socket.on('error', () => undefined).on('end', () => socket.end());
  socket.on('data', (chunk: Buffer) => {
    if (!isSilent && chunk.includes('\r\n\r\n')) socket.write(answer);
  });
};

const { key, cert } = JSON.parse((await next()) ?? '{}') as { key: string; cert: string };
const secure = createTlsServer({ key, cert, ALPNProtocols: ['http/1.1'] }, serve);
secure.on('tlsClientError', () => undefined);
/** The TLS server never sees a connection that comes while all are silent. */
const doors: readonly Server[] = [
  createServer(serve),
  createServer(serve),
  createServer((socket) => void (isSilent || secure.emit('connection', socket))),
];
for (const door of doors) door.on('connection', hold);

async function open(ports: readonly number[]): Promise<number[]> {
  await Promise.all(
    doors.map(async (door, at) => {
      door.listen({ port: ports[at] ?? 0, host: '0.0.0.0', backlog: 4_096 });
      await once(door, 'listening');
    }),
  );
  return doors.map((door) => (door.address() as AddressInfo).port);
}

const ports = await open([]);
process.stdout.write(`${JSON.stringify(ports)}\n`);
for (let mode = await next(); mode !== undefined; mode = await next()) {
  isSilent = mode === 'silent';
  stutters = mode === 'stutter';
  if (mode === 'refuse') {
    for (const door of doors) door.close();
    for (const socket of sockets) socket.resetAndDestroy();
  } else if (!doors[0]?.listening) {
    await open(ports);
  }
  process.stdout.write('done\n');
}
process.exit();
