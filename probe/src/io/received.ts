/**
 * A cap on all that comes over a connection, whatever it is: HTTP's parser counts headers and body, but neither the
 * status line nor line ends before it, extensions of chunks, or answers of 1xx, any of which a server can send for ever.
 */
import type { Socket } from 'node:net';

/** Beside the body: headers, and what may have arrived together with them. */
const beside = 262_144;
/** Chunks are a little larger than what they hold. */
const framing = 2;

/** What may come: no body is due until the headers are complete. */
export function allowedBytes(maxBytes: number, answered: boolean): number {
  return beside + (answered ? framing * maxBytes : 0);
}

/** Asks after each piece whether it is too much, with the bytes that have come so far, and destroys the socket by the answer. */
export function watchReceived(socket: Socket, tooMuch: (bytes: number) => Error | undefined): void {
  // Before the parser's own listener, so that it sees nothing of what is too much.
  socket.on('readable', () => {
    const because = tooMuch(socket.bytesRead);
    if (because) socket.destroy(because);
  });
}
