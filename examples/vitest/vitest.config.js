import { defineConfig } from "vitest/config";

export default defineConfig({
  // The first test compiles the sandbox, and models take what they take.
  test: { testTimeout: 60_000 },
});
