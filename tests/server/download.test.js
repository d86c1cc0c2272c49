// Downloading models, in both browsers, against a server on another origin.

import assert from "node:assert/strict";
import { test } from "node:test";

import { otherOrigin, server } from "../support/browsers.js";
import { describeInPages } from "../support/in-browsers.js";

const baseUrl = otherOrigin;

describeInPages("downloadModel", (page) => {
  test("rejects a missing format, and names the available ones", async () => {
    const outcomes = await page().evaluate(async (baseUrl) => {
      const { image } = helpers;
      const session = await library.imageTo3d({ image, baseUrl, interval: 20 });
      const created = await library.createSession({ image, baseUrl });
      return [
        await helpers.outcome(library.downloadModel(session, { baseUrl, format: "fbx" })),
        await helpers.outcome(library.downloadModel(created, { baseUrl })),
        // @ts-expect-error a code is no session
        await helpers.outcome(library.downloadModel(session.session_code, { baseUrl })),
        // @ts-expect-error no such format
        await helpers.outcome(library.downloadModel(session, { baseUrl, format: "gbl" })),
      ];
    }, baseUrl);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["invalid_options", "invalid_options", "invalid_options", "invalid_options"],
    );
    const [missing, early, code, misspelled] = outcomes.map(({ message }) => message);
    assert.match(missing, /^This session has no fbx model\. Available: glb(, [0-9a-z]+)*$/);
    assert.equal(early, "This session has no glb model yet");
    assert.match(
      code,
      /^Invalid session "SESSION_[0-9_]+": expected a session object as returned by the API$/,
    );
    assert.equal(
      misspelled,
      'Invalid format "gbl": expected "glb", "obj", "usdz", "zip", "fbx", "stl" or "3mf"',
    );
  });

  test("downloads each format that this project's server makes", async () => {
    const files = await page().evaluate(async (baseUrl) => {
      const session = await library.imageTo3d({ image: helpers.image, baseUrl, interval: 20 });
      const formats = /** @type {const} */ (["glb", "obj", "zip", "stl", "3mf", "usdz"]);
      const downloads = formats.map(async (format) => {
        const blob = await library.downloadModel(session, { baseUrl, format });
        return [format, blob.type, await blob.slice(0, 2).text()];
      });
      return Promise.all(downloads);
    }, baseUrl);
    assert.deepEqual(files, [
      ["glb", "model/gltf-binary", "gl"],
      ["obj", "model/obj", "v "],
      ["zip", "application/zip", "PK"],
      ["stl", "model/stl", "\0\0"],
      ["3mf", "model/3mf", "PK"],
      ["usdz", "model/vnd.usdz+zip", "PK"],
    ]);
  });

  test("reports progress, and sends the API key to its own server only", async () => {
    const { own, foreign, progress } = await page().evaluate(
      async ({ baseUrl, server }) => {
        const apiKey = "a-key-of-the-tests";
        const { requests, fetch } = helpers.recordRequests();
        const session = await library.imageTo3d({ image: helpers.image, baseUrl, interval: 20 });
        /** @type {any[]} */
        const progress = [];
        const blob = await library.downloadModel(session, {
          ...{ baseUrl, apiKey, fetch },
          onProgress: (event) => void progress.push(event),
        });
        await library.downloadModel(session, { baseUrl: server, apiKey, fetch });
        const [own, foreign] = requests.map(({ key }) => key);
        return { own, foreign, progress: [progress.at(-1), blob.size] };
      },
      { baseUrl, server },
    );
    assert.equal(own, "a-key-of-the-tests");
    assert.equal(foreign, null);
    const [{ phase, loaded, total }, size] = progress;
    // The length of a compressed response is unknown.
    assert.deepEqual({ phase, loaded, total }, { phase: "downloading", loaded: size, total: 0 });
  });

  test("explains an expired URL and a server without CORS", async () => {
    const outcomes = await page().evaluate(
      async ({ baseUrl, server }) => {
        const download = async (/** @type {string} */ fault) => {
          const apiKey = helpers.faultKey(fault);
          const session = await library.imageTo3d({
            image: helpers.image,
            baseUrl,
            apiKey,
            interval: 20,
          });
          // The base URL has another origin than the model.
          return helpers.outcome(library.downloadModel(session, { baseUrl: `${server}/other` }));
        };
        return [await download("result-expired"), await download("result-no-cors")];
      },
      { baseUrl, server },
    );
    const [expired, withoutCors] = outcomes;
    assert.match(expired.message, /\. The link may have expired; getSession returns a new one\.$/);
    assert.equal(withoutCors.kind, "network");
    const start = `Downloading the model from ${baseUrl} failed: `;
    assert.ok(withoutCors.message.startsWith(start), withoutCors.message);
    assert.match(
      withoutCors.message,
      /\. The server may be down or not allow this page's origin \(CORS\)\. Let a server of your own fetch the model and pass its URL to the page\.$/,
    );
  });
});
