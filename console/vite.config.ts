import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vite';
import { SOURCES_FILE, hashOfSources } from './sources.ts';

export default defineConfig({
  root: import.meta.dirname,
  base: '/admin/',
  logLevel: 'warn',
  build: {
    outDir: 'dist',
    target: 'es2023',
    // Every file by its own name: nothing inside the page, which the policy would not allow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  plugins: [
    {
      name: 'what it was built from',
      writeBundle: ({ dir = '' }) => {
        writeFileSync(join(dir, SOURCES_FILE), hashOfSources());
      },
    },
  ],
});
