import adapter from '@sveltejs/adapter-node';
import { sveltekit } from '@sveltejs/kit/vite';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  worker: { format: 'es', plugins: () => [svelte()] },
  plugins: [
    sveltekit({
      // server/pages.ts keeps compressed copies of pages itself; there are only a few small assets.
      adapter: adapter({ precompress: true }),
      // One cached page serves every visitor, so addresses in it may not depend on who asked, or where.
      paths: { relative: false },
      csp: {
        // Hashes, not nonces: the same bytes are served to many.
        mode: 'hash',
        directives: {
          'default-src': ['none'],
          'style-src': ['self'],
          'img-src': ['self'],
          'base-uri': ['none'],
          'form-action': ['none'],
          'frame-ancestors': ['none'],
        },
      },
    }),
  ],
});
