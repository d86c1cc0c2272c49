import { defineConfig } from "vitest/config";

export default defineConfig({
  // Compiling the sandbox's WebAssembly and building models can exceed the default of 5 s.
  test: { testTimeout: 60_000 },
});
