/** No script runs on these pages: all is rendered here, and links are links. */
export const csr = false;
