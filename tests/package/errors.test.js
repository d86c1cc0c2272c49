// The code and the message for users of each error.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  createSession,
  deleteSession,
  getSession,
  ImageTo3dError,
  waitForSession,
} from "../../pkg/index.js";
import { baseUrl, code, failure, image, sessionResponse } from "../support/fake-api.js";

/** @import { ErrorCode, ErrorKind } from "../../pkg/index.js" */

/**
 * Creates a session from a server with this response.
 *
 * @param {() => Response | Promise<Response>} respond
 */
const createFrom = (respond) =>
  failure(createSession({ image, baseUrl, maxRetries: 0, fetch: async () => respond() }));

/** @param {number} status */
const createFromStatus = (status) => createFrom(() => Response.json({ message: "no" }, { status }));

/** @param {Blob} image */
const createWith = (image) => failure(createSession({ image, baseUrl }));

/**
 * A cause of each code that a call in Node.js can have.
 *
 * @type {[ErrorCode, ErrorKind, () => Promise<any>][]}
 */
const causes = [
  ["invalid_options", "invalid_options", () => failure(getSession("..", { baseUrl }))],
  ["empty_image", "unsupported_image", () => createWith(new Blob())],
  ["unsupported_image", "unsupported_image", () => createWith(new Blob(["text"]))],
  ["unreadable_image", "unsupported_image", () => createWith(unreadable())],
  ["authentication", "authentication", () => createFromStatus(401)],
  ["payment_required", "payment_required", () => createFromStatus(402)],
  ["not_found", "not_found", () => createFromStatus(404)],
  ["image_too_large", "api", () => createFromStatus(413)],
  ["rate_limited", "rate_limited", () => createFromStatus(429)],
  ["api", "api", () => createFromStatus(422)],
  ["server_error", "api", () => createFromStatus(502)],
  ["unexpected_response", "api", () => createFrom(() => new Response("<html>"))],
  ["unexpected_response", "api", () => createFrom(() => Response.json({ data: {} }))],
  ["network", "network", () => createFrom(() => Promise.reject(new TypeError("down")))],
  [
    "timeout",
    "timeout",
    () =>
      failure(createSession({ image, baseUrl, timeout: 1, fetch: () => new Promise(() => {}) })),
  ],
  [
    "session_failed",
    "session_failed",
    () =>
      failure(
        waitForSession(code, {
          baseUrl,
          fetch: async () => sessionResponse({ status: "preview_failed", error: "no outline" }),
        }),
      ),
  ],
];

test("each error has a code within its kind, and a message for users", async (context) => {
  for (const [expectedCode, kind, cause] of causes) {
    await context.test(expectedCode, async () => {
      const error = await cause();
      assert.equal(error.code, expectedCode, error.message);
      assert.equal(error.kind, kind);
      assertForUsers(error.userMessage);
      assert.notEqual(error.userMessage, error.message);
    });
  }
});

test("an error that an app creates has the code of its kind, or its own", () => {
  const error = new ImageTo3dError("no", { kind: "network", sent: "no" });
  assert.equal(error.code, "network");
  assertForUsers(error.userMessage);
  const finer = new ImageTo3dError("no", { kind: "api", code: "server_error", sent: "no" });
  assert.equal(finer.code, "server_error");
  assert.notEqual(finer.userMessage, error.userMessage);
});

test("a deletion that is not confirmed fails", async () => {
  for (const [response, expected] of /** @type {const} */ ([
    [() => new Response("<html>login</html>"), "unexpected_response"],
    [() => Response.json({ message: "no such session" }, { status: 404 }), "not_found"],
  ])) {
    const error = await failure(deleteSession(code, { baseUrl, fetch: async () => response() }));
    assert.equal(error.code, expected);
    assert.equal(error.sent, "no");
  }
});

/**
 * Asserts that a message has no names of parameters, bytes, URLs or quoted values.
 *
 * @param {string} message
 */
function assertForUsers(message) {
  assert.match(message, /^[A-Z][^_:"/\\{}[\]]+\.$/);
  assert.ok(message.length <= 90, message);
  assert.doesNotMatch(message, /\d|image_url|session|API|HTTP/);
}

/** A file that was changed after it was chosen. */
function unreadable() {
  const blob = new Blob(["image"]);
  blob.stream = () => {
    throw new DOMException("changed", "NotReadableError");
  };
  return blob;
}
