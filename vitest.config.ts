import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // On exit they speak in this order: the closing line is the last.
    reporters: ['default', './test/faults/case-count.ts', './test/support/closing-line.ts'],
  },
});
