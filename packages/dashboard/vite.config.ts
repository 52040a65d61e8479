import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The gateway serves what is built here from its own directory; `vite` alone serves the page before a running gateway. */
export default defineConfig({
  plugins: [react()],
  base: '/page/',
  build: {
    outDir: '../gateway/page',
    emptyOutDir: true,
    assetsDir: 'assets',
    // The policy of the page allows no inline data for scripts, and small files cost less than their base64.
    assetsInlineLimit: 0,
    // It would be an inline script.
    modulePreload: { polyfill: false },
    target: 'es2023',
    reportCompressedSize: false,
  },
  server: { proxy: { '/v1': { target: 'http://127.0.0.1:8484' } } },
});
