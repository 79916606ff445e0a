/** Keeps two processes from using one spool: they would sign different texts under one number. */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:net';

export interface Lock {
  release(): void;
}

/**
 * An abstract socket named after the folder: the kernel frees it with the process, however that ends. Only Linux has
 * them; elsewhere nothing is locked. Rejects with an Error when another process holds it.
 */
export async function takeLock(dir: string): Promise<Lock> {
  if (process.platform !== 'linux') return { release: () => undefined };
  const name = createHash('sha256').update(realpathSync(dir)).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new Error(`${dir} is in use by another probe process; stop that one, or give --id or --data`, {
          cause,
        }),
      );
    });
    server.listen(`\0highwater-probe-${name}`, resolve);
  });
  server.unref();
  return { release: () => void server.close() };
}
