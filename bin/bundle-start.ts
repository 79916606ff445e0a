/** Whether what comes is a tar at all: told by its first block, so that a page or a picture is not called a bundle that lacks something. */
type Bytes = Uint8Array<ArrayBuffer>;

const BLOCK = 512;
const MAGIC = 'ustar';
const MAGIC_AT = 257;
const SHOWN = 24;

/** The same stream from its beginning, or what it begins with. What fails before is told by whoever reads on. */
export async function tarOrNot(
  stream: ReadableStream<Bytes>,
): Promise<{ readonly tar: ReadableStream<Bytes> } | { readonly begins: string }> {
  const reader = stream.getReader();
  const parts: Bytes[] = [];
  let size = 0;
  let failed: { readonly error: unknown } | undefined;
  while (size < BLOCK) {
    try {
      const { value } = await reader.read();
      if (value === undefined) break;
      parts.push(value);
      size += value.length;
    } catch (error) {
      failed = { error };
      break;
    }
  }
  const head = Buffer.concat(parts).subarray(0, BLOCK);
  const isTar = head.toString('latin1', MAGIC_AT, MAGIC_AT + MAGIC.length) === MAGIC;
  if (!isTar && failed === undefined) {
    await reader.cancel();
    return { begins: beginsWith(head) };
  }
  return {
    tar: new ReadableStream<Bytes>({
      async pull(controller) {
        const part = parts.shift();
        if (part !== undefined) return controller.enqueue(part);
        if (failed !== undefined) throw failed.error;
        const { value } = await reader.read();
        if (value === undefined) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    }),
  };
}

function beginsWith(head: Buffer): string {
  if (head.length === 0) return 'it is empty';
  const text = head.toString('latin1');
  if (/^\s*(?:<!doctype html|<html|<head|<\?xml)/i.test(text))
    return "it is a web page that was saved; fetch the report's .tar.gz, or give the address of the page";
  if (text.startsWith('{') || text.startsWith('['))
    return "it begins as JSON does; the bundle is the report's .tar.gz";
  const shown = head.subarray(0, SHOWN);
  const words = shown.toString('latin1').trim();
  return /^[\t\n\r\x20-\x7e]*$/.test(shown.toString('latin1'))
    ? `it begins with ${JSON.stringify(words)}`
    : `it begins with the bytes ${shown
        .subarray(0, 8)
        .toString('hex')
        .replaceAll(/(..)(?=.)/g, '$1 ')}`;
}
