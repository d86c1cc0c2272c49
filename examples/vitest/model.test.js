import { createSandbox } from "csm-image-to-3d/sandbox";
import { readFile } from "node:fs/promises";
import { afterEach, expect, test, vi } from "vitest";

import { createModel } from "./model.js";

// The real API, 100 times as fast, with real models: no mocks, no network.
const sandbox = createSandbox({ speed: 100 });
const api = { fetch: sandbox.fetch, interval: 10 };
const image = new Blob([await readFile("../../www/samples/turtle.webp")]);

// Each test starts without sessions; all blob: URLs are revoked.
afterEach(() => sandbox.reset());

test("creates a model", async () => {
  const setStatus = vi.fn();
  const url = await createModel(image, { setStatus, api });

  const model = await (await sandbox.fetch(url)).text();
  expect(model.slice(0, 4)).toBe("glTF");
  expect(setStatus).toHaveBeenNthCalledWith(1, "spins…");
  expect(setStatus).toHaveBeenLastCalledWith("Done.");
});

// The API key selects a fault; `GET /sandbox/faults` lists all faults. Faults are counted per key,
// so a suffix of your own gives a key its own counter.
const withFault = (fault) => ({ ...api, apiKey: `fault_${fault}_canary7d1f93` });

test("shows why a session failed", async () => {
  const setStatus = vi.fn();
  const url = await createModel(image, { setStatus, api: withFault("preview-failed") });

  expect(url).toBeUndefined();
  expect(setStatus.mock.lastCall[0]).toMatch(/^No model could be made from this image/);
});

test("shows that no credits are left and does not retry", async () => {
  const setStatus = vi.fn();
  await createModel(image, { setStatus, api: withFault("402") });

  expect(setStatus).toHaveBeenLastCalledWith(
    "There are no credits left. No model can be made at the moment.",
  );
  const requests = await sandbox.requests();
  expect(requests.map(({ method, status }) => [method, status])).toEqual([["POST", 402]]);
});

test("stops when the user cancels", async () => {
  const controller = new AbortController();
  const setStatus = vi.fn(() => controller.abort());
  const url = await createModel(image, { setStatus, signal: controller.signal, api });

  expect(url).toBeUndefined();
  expect(setStatus).toHaveBeenLastCalledWith("Cancelled.");
});
