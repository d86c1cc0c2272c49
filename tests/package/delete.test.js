// The deletion of sessions, by the caller and after an abort.

import assert from "node:assert/strict";
import { test } from "node:test";

import { deleteSession, imageTo3d } from "../../pkg/index.js";
import { baseUrl, CANARY, code, failure, image, sessionResponse } from "../support/fake-api.js";

/** @import { ImageTo3dSettings } from "../../pkg/index.js" */

const url = `${baseUrl}/image-to-3d-sessions/${code}`;

/** Returns a `fetch` whose sessions never finish, and the requests that it has received. */
function recordingFetch({ deletion = () => new Response(null, { status: 204 }) } = {}) {
  /** @type {string[]} */
  const requests = [];
  /** @param {string} url @param {RequestInit} init */
  const fetch = async (url, { method }) => {
    requests.push(`${method} ${url}`);
    if (method === "DELETE") return deletion();
    return sessionResponse({ status: "training_preview" });
  };
  return { requests, fetch };
}

test("deletes a session, with an empty response or an envelope", async () => {
  const envelope = () => Response.json({ error: "", message: "deleted", data: {} });
  for (const deletion of [undefined, envelope]) {
    const { requests, fetch } = recordingFetch({ deletion });
    assert.equal(await deleteSession(code, { baseUrl, fetch }), undefined);
    assert.deepEqual(requests, [`DELETE ${url}`]);
  }
});

test("repeats a deletion after a transient failure", async () => {
  let responses = 0;
  const { requests, fetch } = recordingFetch({
    deletion: () => new Response(null, { status: responses++ ? 204 : 502 }),
  });
  await deleteSession(code, { baseUrl, fetch });
  assert.equal(requests.length, 2);
});

test("an abort keeps the session unless the caller asks for its deletion", async (context) => {
  for (const [onAbort, expected] of /** @type {const} */ ([
    [undefined, []],
    ["keep", []],
    ["delete", [`DELETE ${url}`]],
  ])) {
    await context.test(String(onAbort), async () => {
      const { requests, fetch } = recordingFetch();
      await abortAfterCreation({ onAbort, fetch });
      assert.deepEqual(
        requests.filter((request) => request.startsWith("DELETE")),
        expected,
      );
    });
  }
});

test("an abort before the creation is confirmed deletes nothing", async () => {
  const controller = new AbortController();
  /** @type {string[]} */
  const methods = [];
  const call = imageTo3d({
    image,
    baseUrl,
    onAbort: "delete",
    signal: controller.signal,
    fetch: (url, { method }) => {
      methods.push(String(method));
      setTimeout(() => controller.abort());
      return new Promise(() => {});
    },
  });
  await assert.rejects(call, { name: "AbortError" });
  await settled();
  assert.deepEqual(methods, ["POST"]);
});

test("a failure that is no abort deletes nothing", async () => {
  const { requests, fetch } = recordingFetch();
  const thrown = new Error("of the caller");
  const options = { image, baseUrl, fetch, onAbort: /** @type {const} */ ("delete") };
  const onUpdate = () => {
    throw thrown;
  };
  assert.equal(await failure(imageTo3d({ ...options, onUpdate })), thrown);
  const { signal } = new AbortController();
  const error = await failure(imageTo3d({ ...options, signal, timeout: 50 }));
  assert.equal(error.kind, "timeout");
  await settled();
  assert.ok(!requests.some((request) => request.startsWith("DELETE")));
});

test("logs a deletion that fails, without the key", async (context) => {
  const warn = context.mock.method(console, "warn", () => {});
  const apiKey = `key-${CANARY}`;
  const { fetch } = recordingFetch({
    deletion: () => Response.json({ message: `not with ${apiKey}` }, { status: 403 }),
  });
  await abortAfterCreation({ onAbort: "delete", apiKey, fetch });
  assert.equal(warn.mock.callCount(), 1);
  const [text, error] = warn.mock.calls[0].arguments;
  assert.match(text, new RegExp(`could not delete the session ${code}`));
  assert.match(error.message, /^not with \[hidden\]/);
});

/**
 * Creates a session, and aborts the call after the first update.
 *
 * @param {ImageTo3dSettings} options
 */
async function abortAfterCreation(options) {
  const controller = new AbortController();
  const call = imageTo3d({
    image,
    baseUrl,
    ...options,
    signal: controller.signal,
    onUpdate: () => void setTimeout(() => controller.abort()),
  });
  await assert.rejects(call, { name: "AbortError" });
  await settled();
}

/** Lets a request be sent that nobody waits for. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 50));
