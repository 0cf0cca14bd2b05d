import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    // One for each core: most of a test here is waiting for a real server.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'bench/**/*.test.ts'],
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: ['e2e/**/*.long.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'long',
          include: ['e2e/**/*.long.test.ts', 'src/**/*.test.ts'],
          env: { SALLYPORT_EFFORT: '20' },
          testTimeout: 1_800_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

export default config;
