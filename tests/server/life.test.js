// The whole life of a session, in both browsers, against the server on another origin.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { elsewhere, openLibraryPage, server } from "../support/browsers.js";

/** @import { LibraryPage } from "../support/browsers.js" */

/** The library in the page, and the helpers beside it: see `browsers.js`. */
/** @type {typeof import("../../pkg/index.js")} */
const library = /** @type {any} */ (undefined);
/** @type {any} */
const help = undefined;
// Inside a page the two names are its globals.
void [library, help];

const baseUrl = elsewhere;

for (const [name, open] of Object.entries(openLibraryPage)) {
  describe(`a session's life in ${name}`, () => {
    /** @type {LibraryPage} */
    let page;
    before(async () => {
      page = await open();
    });
    after(() => page.close());

    lives(() => page);
  });
}

/** @param {() => LibraryPage} page */
function lives(page) {
  test("each way of asking ends where it was meant to", async () => {
    for (const [parameters, statuses] of /** @type {const} */ ([
      [{}, ["spin_generate_processing", "preview_done"]],
      [{ auto_refine: true }, ["spin_generate_processing", "refine_done"]],
      [{ preview_mesh: "turbo" }, ["spin_generate_processing", "spin_generate_done"]],
    ])) {
      const { seen, session } = await page().evaluate(
        async ({ baseUrl, parameters }) => {
          /** @type {string[]} */
          const seen = [];
          const session = await library.imageTo3d({
            image: help.image,
            baseUrl,
            interval: 20,
            onUpdate: ({ status }) => void seen.push(status),
            ...parameters,
          });
          return { seen, session };
        },
        { baseUrl, parameters },
      );
      assert.equal(seen[0], statuses[0]);
      assert.equal(session.status, statuses[1]);
      assert.equal(seen.at(-1), statuses[1]);
    }
  });

  test("a spin is chosen, previewed and refined step by step", async () => {
    const { statuses, model, start } = await page().evaluate(async (baseUrl) => {
      const wait = { baseUrl, interval: 20 };
      const { image } = help;
      const created = await library.createSession({ image, preview_mesh: "turbo", baseUrl });
      const code = created.session_code;
      const statuses = [];
      statuses.push((await library.waitForSession(code, { ...wait, until: "spins" })).status);
      await library.requestPreview(code, { selected_spin_index: 2, baseUrl });
      statuses.push((await library.waitForSession(code, wait)).status);
      await library.requestRefine(code, { baseUrl });
      const session = await library.waitForSession(code, { ...wait, until: "refine" });
      statuses.push(session.status, (await library.getSession(code, { baseUrl })).status);
      const model = await library.downloadModel(session, { baseUrl });
      return { statuses, model: model.type, start: (await model.text()).slice(0, 4) };
    }, baseUrl);
    assert.deepEqual(statuses, [
      "spin_generate_done",
      "preview_done",
      "refine_done",
      "refine_done",
    ]);
    assert.equal(model, "model/gltf-binary");
    assert.equal(start, "glTF");
  });

  test("a wait ends at the stage that it was for, in every combination", async () => {
    const table = [];
    for (const preview_mesh of /** @type {const} */ (["fast_sculpt", "turbo"])) {
      for (const auto_refine of [false, true]) {
        for (const until of /** @type {const} */ (["spins", "preview", "refine"])) {
          table.push({ preview_mesh, auto_refine, until });
        }
      }
    }
    const outcomes = await page().evaluate(
      ({ baseUrl, table }) =>
        Promise.all(
          table.map(async ({ until, ...parameters }) => {
            const { image } = help;
            const session = await library.createSession({ image, baseUrl, ...parameters });
            // Only what nobody asks for is not waited for to its end.
            const never =
              until === "refine" &&
              parameters.preview_mesh === "fast_sculpt" &&
              !parameters.auto_refine;
            const code = session.session_code;
            const wait = { baseUrl, interval: 20, timeout: 30_000 };
            if (never) await library.waitForSession(code, { ...wait, until: "preview" });
            const options = { ...wait, until, ...(never && { timeout: 2000 }) };
            const { status, kind } = await help.outcome(library.waitForSession(code, options));
            return `${parameters.preview_mesh} ${parameters.auto_refine} ${until}: ${kind ?? ""} ${status}`;
          }),
        ),
      { baseUrl, table },
    );
    // A wait for the spins of fast_sculpt ends as soon as they are there or passed.
    const passed =
      / (spin_generate_done|training_preview|preview_done|training_refine|refine_done)$/;
    assert.match(outcomes[0], passed);
    assert.match(outcomes[3], passed);
    assert.match(outcomes[4], / (preview_done|training_refine|refine_done)$/);
    assert.deepEqual(
      outcomes.filter((_, index) => ![0, 3, 4].includes(index)),
      [
        "fast_sculpt false preview:  preview_done",
        // Nobody asks for it.
        "fast_sculpt false refine: timeout preview_done",
        "fast_sculpt true refine:  refine_done",
        "turbo false spins:  spin_generate_done",
        // It waits for its caller.
        "turbo false preview:  spin_generate_done",
        "turbo false refine:  spin_generate_done",
        "turbo true spins:  spin_generate_done",
        "turbo true preview:  spin_generate_done",
        "turbo true refine:  spin_generate_done",
      ],
    );
  });

  test("a session that failed rejects, with the session", async () => {
    for (const stage of ["spin", "preview", "refine"]) {
      const outcome = await page().evaluate(
        ({ baseUrl, stage }) =>
          help.outcome(
            library.imageTo3d({
              image: help.image,
              auto_refine: true,
              apiKey: help.fault(`${stage}-failed`),
              baseUrl,
              interval: 20,
            }),
          ),
        { baseUrl, stage },
      );
      const status = stage === "spin" ? "spin_generate_failed" : `${stage}_failed`;
      assert.equal(outcome.kind, "session_failed");
      assert.equal(outcome.status, status);
      assert.ok(outcome.message.includes(status), outcome.message);
      assert.match(outcome.session.session_code, /^SESSION_/);
    }
  });

  test("what a newer or older API answers is survived", async () => {
    for (const fault of ["unknown-status", "unknown-fields", "old-style", "trickle_1"]) {
      const outcome = await page().evaluate(
        ({ baseUrl, fault }) =>
          help.outcome(
            library.imageTo3d({
              image: help.image,
              apiKey: help.fault(fault),
              baseUrl,
              interval: 100,
            }),
          ),
        { baseUrl, fault },
      );
      assert.equal(outcome.status, "preview_done", `${fault}: ${JSON.stringify(outcome)}`);
    }
  });

  test("a create of which no clear answer came is sent once, and a session may exist", async () => {
    for (const fault of ["drop-before", "drop-after", "drop-middle"]) {
      const { outcome, requests } = await page().evaluate(
        async ({ baseUrl, fault }) => {
          const { requests, fetch } = help.noting();
          const apiKey = help.fault(fault);
          const options = { image: help.image, baseUrl, apiKey, fetch, maxRetries: 5 };
          return { outcome: await help.outcome(library.createSession(options)), requests };
        },
        { baseUrl, fault },
      );
      assert.deepEqual([fault, outcome.kind, outcome.sent], [fault, "network", "unknown"]);
      assert.equal(requests.length, 1);
    }
  });

  test("under an idempotency key the same create is sent again, and makes one session", async () => {
    const order = `order ${Math.random()}`;
    const results = async (/** @type {string} */ path) =>
      (await (await fetch(`${server}${path}`)).json()).data.results;
    const before = await results("/image-to-3d-sessions?limit=100000");
    const { outcome, requests } = await page().evaluate(
      async ({ baseUrl, order }) => {
        const { image, fault } = help;
        const { requests, fetch } = help.noting();
        const apiKey = fault("drop-after_2");
        const options = { image, baseUrl, apiKey, fetch, maxRetries: 5, idempotencyKey: order };
        return { outcome: await help.outcome(library.createSession(options)), requests };
      },
      { baseUrl, order },
    );
    assert.match(outcome.session?.session_code ?? outcome.message, /^SESSION_/);
    assert.ok(requests.length >= 2, `${requests.length} requests`);
    const log = await results("/sandbox/requests");
    const arrived = log.filter((/** @type {any} */ entry) => entry.idempotency_key === order);
    assert.ok(arrived.length >= 3, `${arrived.length} requests arrived`);
    const after = await results("/image-to-3d-sessions?limit=100000");
    assert.equal(after.length, before.length + 1);
  });

  test("Retry-After is obeyed, as seconds and as a date", async () => {
    const times = await page().evaluate(async (baseUrl) => {
      const { requests, fetch } = help.noting();
      const { image } = help;
      const apiKey = help.fault("429-after_3");
      await library.createSession({ image, baseUrl, apiKey, fetch, maxRetries: 3 });
      return requests.map((/** @type {any} */ { at }) => at);
    }, baseUrl);
    assert.equal(times.length, 4);
    for (let attempt = 1; attempt < 4; attempt++) {
      const wait = times[attempt] - times[attempt - 1];
      assert.ok(wait >= 999 && wait < 10_000, `${wait} ms`);
    }

    const waited = await page().evaluate(async (baseUrl) => {
      const started = Date.now();
      let tries = 0;
      await library.createSession({
        image: help.image,
        baseUrl,
        fetch: async (request) => {
          if (tries++ > 0) return fetch(request);
          // A date has no milliseconds: this one is 2 to 3 s from now.
          const after = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2000).toUTCString();
          return new Response("{}", { status: 429, headers: { "retry-after": after } });
        },
      });
      return Date.now() - started;
    }, baseUrl);
    assert.ok(waited >= 1900 && waited < 10_000, `${waited} ms`);
  });

  test("a Retry-After that the page may not read does no harm", async () => {
    const outcome = await page().evaluate(
      (baseUrl) =>
        help.outcome(
          library.createSession({ image: help.image, baseUrl, apiKey: help.fault("429-hidden_1") }),
        ),
      baseUrl,
    );
    assert.equal(outcome.status, "spin_generate_processing");
  });

  test("a server that stalls is a timeout", async () => {
    const outcome = await page().evaluate(
      (baseUrl) =>
        help.outcome(
          library.createSession({
            image: help.image,
            baseUrl,
            apiKey: help.fault("stall"),
            // Within it the request must go out.
            timeout: 1000,
          }),
        ),
      baseUrl,
    );
    assert.deepEqual([outcome.kind, outcome.sent], ["timeout", "unknown"]);
  });

  test("a wait survives a run of failures in the middle", async () => {
    const { outcome, failed } = await page().evaluate(async (baseUrl) => {
      const { session_code } = await library.createSession({ image: help.image, baseUrl });
      let calls = 0;
      let failed = 0;
      const outcome = await help.outcome(
        library.waitForSession(session_code, {
          baseUrl,
          interval: 20,
          maxRetries: 0,
          fetch: (request) => {
            calls++;
            if (calls === 1 || calls > 8) return fetch(request);
            failed++;
            // Nobody listens there: a real network error.
            return fetch(
              calls % 2
                ? "http://127.0.0.1:20113/"
                : new Request(request, { headers: { "x-api-key": help.fault("500") } }),
            );
          },
        }),
      );
      return { outcome, failed };
    }, baseUrl);
    assert.equal(outcome.status, "preview_done");
    assert.equal(failed, 7);
  });

  test("a wait for what is not there ends at once", async () => {
    const outcomes = await page().evaluate(async (baseUrl) => {
      const wait = (/** @type {any} */ code, /** @type {object} */ options) =>
        help.outcome(library.waitForSession(code, { baseUrl, ...options }));
      return [
        await wait("SESSION_1_1", {}),
        await wait("SESSION_1_1", { baseUrl: "http://127.0.0.1:20113", maxRetries: 0 }),
        await wait("", {}),
        await wait(undefined, {}),
        await wait("SESSION_1_1", { until: "spin" }),
      ].map(({ kind, sent }) => `${kind} ${sent}`);
    }, baseUrl);
    assert.deepEqual(outcomes, [
      "not_found no",
      "network no",
      "invalid_options no",
      "invalid_options no",
      "invalid_options no",
    ]);
  });

  test("an abort ends a wait at once, and every wait on the signal", async () => {
    const outcome = await page().evaluate(async (baseUrl) => {
      const { session_code } = await library.createSession({
        image: help.image,
        baseUrl,
        preview_mesh: "turbo",
      });
      const controller = new AbortController();
      let updates = 0;
      const wait = () =>
        help.outcome(
          library.waitForSession(session_code, {
            baseUrl,
            // It sleeps when it is aborted.
            interval: 60_000,
            signal: controller.signal,
            onUpdate: () => void updates++,
          }),
        );
      const waits = [wait(), wait()];
      while (updates < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      const aborted = performance.now();
      controller.abort("enough");
      const threw = (await Promise.all(waits)).map(({ threw }) => threw);
      return { threw, took: performance.now() - aborted };
    }, baseUrl);
    assert.deepEqual(outcome.threw, ["enough", "enough"]);
    assert.ok(outcome.took < 1000, `${outcome.took} ms`);
  });

  test("an abort ends a wait while it asks", async () => {
    const threw = await page().evaluate(async (baseUrl) => {
      const controller = new AbortController();
      const outcome = await help.outcome(
        library.waitForSession("SESSION_1_1", {
          baseUrl,
          signal: controller.signal,
          apiKey: help.fault("stall"),
          fetch: (request) => {
            setTimeout(() => controller.abort(null), 50);
            return fetch(request);
          },
        }),
      );
      return outcome.threw;
    }, baseUrl);
    assert.equal(threw, null);
  });

  test("what onUpdate throws ends the wait, and the asking", async () => {
    const { threw, asked } = await page().evaluate(async (baseUrl) => {
      const { session_code } = await library.createSession({ image: help.image, baseUrl });
      const { requests, fetch } = help.noting();
      const onUpdate = () => {
        throw "no more";
      };
      const options = { baseUrl, interval: 20, fetch, onUpdate };
      const { threw } = await help.outcome(library.waitForSession(session_code, options));
      await new Promise((resolve) => setTimeout(resolve, 200));
      return { threw, asked: requests.length };
    }, baseUrl);
    assert.equal(threw, "no more");
    assert.equal(asked, 1);
  });

  test("onUpdate is called once for each change", async () => {
    const seen = await page().evaluate(async (baseUrl) => {
      /** @type {string[]} */
      const seen = [];
      await library.imageTo3d({
        image: help.image,
        baseUrl,
        interval: 5,
        onUpdate: ({ status, percent_done }) => void seen.push(`${status} ${percent_done}`),
      });
      return seen;
    }, baseUrl);
    assert.ok(seen.length >= 2);
    assert.deepEqual(seen, [...new Set(seen)]);
  });

  test("sessions are listed, the newest first", async () => {
    const { codes, pages } = await page().evaluate(async (baseUrl) => {
      const codes = [];
      for (let count = 0; count < 3; count++) {
        codes.unshift((await library.createSession({ image: help.image, baseUrl })).session_code);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const pages = [];
      for (const page of [0, 1]) {
        const { results } = await library.listSessions({ baseUrl, limit: 2, page });
        pages.push(results.map(({ session_code }) => session_code));
      }
      return { codes, pages };
    }, baseUrl);
    assert.deepEqual(
      pages.map((page) => page.length),
      [2, 2],
    );
    assert.deepEqual(pages.flat().slice(0, 3), codes);
  });

  test("a model that is not there is told with those that are", async () => {
    const outcomes = await page().evaluate(async (baseUrl) => {
      const { image } = help;
      const session = await library.imageTo3d({ image, baseUrl, interval: 20 });
      const created = await library.createSession({ image, baseUrl });
      return [
        await help.outcome(library.downloadModel(session, { baseUrl, format: "fbx" })),
        await help.outcome(library.downloadModel(created, { baseUrl })),
        // @ts-expect-error a code is no session
        await help.outcome(library.downloadModel(session.session_code, { baseUrl })),
        // @ts-expect-error no such format
        await help.outcome(library.downloadModel(session, { baseUrl, format: "gbl" })),
      ];
    }, baseUrl);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["invalid_options", "invalid_options", "invalid_options", "invalid_options"],
    );
    assert.match(outcomes[0].message, /fbx.*has.*glb/);
    assert.match(outcomes[1].message, /none yet/);
    assert.match(outcomes[2].message, /^session: came "SESSION_/);
    assert.match(outcomes[3].message, /"gbl".*"glb"/);
  });

  test("a model is downloaded with progress, and the key goes to its own server only", async () => {
    const { own, foreign, progress } = await page().evaluate(
      async ({ baseUrl, server }) => {
        const apiKey = "a-key-of-the-tests";
        const { requests, fetch } = help.noting();
        const session = await library.imageTo3d({ image: help.image, baseUrl, interval: 20 });
        /** @type {any[]} */
        const progress = [];
        const blob = await library.downloadModel(session, {
          ...{ baseUrl, apiKey, fetch },
          onProgress: (told) => void progress.push(told),
        });
        await library.downloadModel(session, { baseUrl: server, apiKey, fetch });
        const [own, foreign] = requests.map((/** @type {any} */ { key }) => key);
        return { own, foreign, progress: [progress.at(-1), blob.size] };
      },
      { baseUrl, server },
    );
    assert.equal(own, "a-key-of-the-tests");
    assert.equal(foreign, null);
    const [{ phase, loaded, total }, size] = progress;
    assert.deepEqual({ phase, loaded, total }, { phase: "downloading", loaded: size, total: size });
  });

  test("a model that cannot be had is told in words", async () => {
    const outcomes = await page().evaluate(
      async ({ baseUrl, server }) => {
        const download = async (/** @type {string} */ fault) => {
          const apiKey = help.fault(fault);
          const session = await library.imageTo3d({
            image: help.image,
            baseUrl,
            apiKey,
            interval: 20,
          });
          // Asked for as if it lay with somebody else.
          return help.outcome(library.downloadModel(session, { baseUrl: `${server}/other` }));
        };
        return [await download("result-expired"), await download("result-no-cors")];
      },
      { baseUrl, server },
    );
    assert.match(outcomes[0].message, /expired.*getSession/);
    assert.equal(outcomes[1].kind, "network");
    assert.match(outcomes[1].message, /CORS.*server of your own/);
  });

  test("a tab that was away goes on with one look, not with many", async () => {
    const { together, status } = await page().evaluate(async (baseUrl) => {
      const { session_code } = await library.createSession({ image: help.image, baseUrl });
      const { requests, fetch } = help.noting();
      // As a hidden tab does: every timer waits for the next whole second.
      const { setTimeout } = globalThis;
      globalThis.setTimeout = /** @type {any} */ (
        (/** @type {any} */ act, /** @type {number} */ ms) => setTimeout(act, Math.max(ms, 1000))
      );
      const { status } = await library.waitForSession(session_code, {
        baseUrl,
        interval: 20,
        fetch,
      });
      globalThis.setTimeout = setTimeout;
      const times = requests.map((/** @type {any} */ { at }) => at);
      const gaps = times
        .slice(1)
        .map((/** @type {number} */ at, /** @type {number} */ i) => at - times[i]);
      return { together: gaps.filter((/** @type {number} */ gap) => gap < 900).length, status };
    }, baseUrl);
    assert.equal(together, 0);
    assert.equal(status, "preview_done");
  });
}
