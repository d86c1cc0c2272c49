import { createSandbox } from "csm-image-to-3d/sandbox";
import { readFile } from "node:fs/promises";
import { afterEach, expect, test, vi } from "vitest";

import { makeModel } from "./model.js";

// The real API, a hundred times as fast, with real models: nothing is mocked, nothing is sent.
const sandbox = createSandbox({ speed: 100 });
const api = { fetch: sandbox.fetch, interval: 10 };
const image = new Blob([await readFile("../../www/samples/turtle.webp")]);

// Each test begins without sessions, and with all blob: addresses revoked.
afterEach(() => sandbox.reset());

test("a picture becomes a model", async () => {
  const say = vi.fn();
  const url = await makeModel(image, { say, api });

  const model = await (await sandbox.fetch(url)).text();
  expect(model.slice(0, 4)).toBe("glTF");
  expect(say).toHaveBeenNthCalledWith(1, "spin …");
  expect(say).toHaveBeenLastCalledWith("Here it is.");
});

// A key names what is to go wrong; `GET /sandbox/faults` lists all that can. What follows the name
// is the test's own, as keys are counted one by one.
const broken = (fault) => ({ ...api, apiKey: `fault_${fault}_canary7d1f93` });

test("a session that fails is told in words", async () => {
  const say = vi.fn();
  const url = await makeModel(image, { say, api: broken("preview-failed") });

  expect(url).toBeUndefined();
  expect(say.mock.lastCall[0]).toMatch(/^There is no model of this picture: /);
});

test("an empty account is told in words, and nothing is sent again", async () => {
  const say = vi.fn();
  await makeModel(image, { say, api: broken("402") });

  expect(say).toHaveBeenLastCalledWith("No credits are left.");
  const requests = await sandbox.requests();
  expect(requests.map(({ method, status }) => [method, status])).toEqual([["POST", 402]]);
});

test("the user's cancel ends it at once", async () => {
  const cancel = new AbortController();
  const say = vi.fn(() => cancel.abort());
  const url = await makeModel(image, { say, signal: cancel.signal, api });

  expect(url).toBeUndefined();
  expect(say).toHaveBeenLastCalledWith("Cancelled.");
});
