// The lifecycle of sessions, in both browsers, against a server on another origin.

import assert from "node:assert/strict";
import { test } from "node:test";

import { otherOrigin } from "../support/browsers.js";
import { describeInPages } from "../support/in-browsers.js";
import { startServer } from "../support/server.js";

const baseUrl = otherOrigin;

describeInPages("the lifecycle of a session", (page) => {
  test("imageTo3d resolves at the preview, the refinement or the spins, as its parameters ask", async () => {
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
            image: helpers.image,
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

  test("a session goes from spins to the preview of one spin, and on to its refinement", async () => {
    const { statuses, model, start } = await page().evaluate(async (baseUrl) => {
      const wait = { baseUrl, interval: 20 };
      const { image } = helpers;
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

  test("waitForSession resolves at the requested stage, for every combination of parameters", async () => {
    const combinations = [];
    for (const preview_mesh of /** @type {const} */ (["fast_sculpt", "turbo"])) {
      for (const auto_refine of [false, true]) combinations.push({ preview_mesh, auto_refine });
    }
    const sessions = await page().evaluate(
      ({ baseUrl, combinations }) =>
        Promise.all(
          combinations.map(async (parameters) => {
            const { image } = helpers;
            const session = await library.createSession({ image, baseUrl, ...parameters });
            const code = session.session_code;
            const { preview_mesh, auto_refine } = parameters;
            const stages = /** @type {const} */ (["spins", "preview", "refine"]);
            const waits = stages.map(async (until) => {
              // No refinement was requested.
              const timesOut = until === "refine" && preview_mesh === "fast_sculpt" && !auto_refine;
              const wait = { baseUrl, interval: 20, timeout: 120_000 };
              if (timesOut) await library.waitForSession(code, { ...wait, until: "preview" });
              const options = { ...wait, until, ...(timesOut && { timeout: 2000 }) };
              const { status, kind } = await helpers.outcome(library.waitForSession(code, options));
              return `${preview_mesh} ${auto_refine} ${until}: ${kind ?? ""} ${status}`;
            });
            return Promise.all(waits);
          }),
        ),
      { baseUrl, combinations },
    );
    const outcomes = sessions.flat();
    // fast_sculpt passes through the spins without stopping there.
    const spinsOrLater =
      / (spin_generate_done|training_preview|preview_done|training_refine|refine_done)$/;
    assert.match(outcomes[0], spinsOrLater);
    assert.match(outcomes[3], spinsOrLater);
    assert.match(outcomes[4], / (preview_done|training_refine|refine_done)$/);
    assert.deepEqual(
      outcomes.filter((_, index) => ![0, 3, 4].includes(index)),
      [
        "fast_sculpt false preview:  preview_done",
        "fast_sculpt false refine: timeout preview_done",
        "fast_sculpt true refine:  refine_done",
        "turbo false spins:  spin_generate_done",
        // The caller has to choose a spin.
        "turbo false preview:  spin_generate_done",
        "turbo false refine:  spin_generate_done",
        "turbo true spins:  spin_generate_done",
        "turbo true preview:  spin_generate_done",
        "turbo true refine:  spin_generate_done",
      ],
    );
  });

  test("deletes a session with its files, and the session of an aborted call", async () => {
    const result = await page().evaluate(async (baseUrl) => {
      const { image, outcome } = helpers;
      const session = await library.imageTo3d({ image, baseUrl, interval: 20 });
      await library.deleteSession(session.session_code, { baseUrl });
      const again = await outcome(library.deleteSession(session.session_code, { baseUrl }));
      const model = await fetch(String(session.preview_mesh_url_glb));

      const controller = new AbortController();
      let aborted = "";
      const call = library.imageTo3d({
        image,
        baseUrl,
        onAbort: "delete",
        signal: controller.signal,
        onUpdate: ({ session_code }) => {
          aborted = session_code;
          controller.abort("cancelled");
        },
      });
      const reason = await call.catch((reason) => reason);
      let last;
      do last = await outcome(library.getSession(aborted, { baseUrl }));
      while (!last.kind);
      return { again: again.kind, model: model.status, reason, last: last.kind };
    }, baseUrl);
    assert.deepEqual(result, {
      again: "not_found",
      model: 404,
      reason: "cancelled",
      last: "not_found",
    });
  });

  test("a failed session rejects with the session", async () => {
    for (const stage of ["spin", "preview", "refine"]) {
      const outcome = await page().evaluate(
        ({ baseUrl, stage }) =>
          helpers.outcome(
            library.imageTo3d({
              image: helpers.image,
              auto_refine: true,
              apiKey: helpers.faultKey(`${stage}-failed`),
              baseUrl,
              interval: 20,
            }),
          ),
        { baseUrl, stage },
      );
      const status = stage === "spin" ? "spin_generate_failed" : `${stage}_failed`;
      assert.equal(outcome.kind, "session_failed");
      assert.equal(outcome.status, status);
      const start = `The session failed with status ${status}: `;
      assert.ok(outcome.message.startsWith(start), outcome.message);
      assert.match(outcome.session?.session_code ?? "", /^SESSION_/);
    }
  });

  test("accepts unknown statuses, unknown fields, the old format and slow responses", async () => {
    for (const fault of ["unknown-status", "unknown-fields", "old-style", "trickle_1"]) {
      const outcome = await page().evaluate(
        ({ baseUrl, fault }) =>
          helpers.outcome(
            library.imageTo3d({
              image: helpers.image,
              apiKey: helpers.faultKey(fault),
              baseUrl,
              interval: 100,
            }),
          ),
        { baseUrl, fault },
      );
      assert.equal(outcome.status, "preview_done", `${fault}: ${JSON.stringify(outcome)}`);
    }
  });

  test("listSessions returns the newest sessions first", async () => {
    const { address } = await startServer();
    const { codes, pages } = await page().evaluate(async (baseUrl) => {
      const codes = [];
      for (let count = 0; count < 3; count++) {
        codes.unshift(
          (await library.createSession({ image: helpers.image, baseUrl })).session_code,
        );
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const pages = [];
      for (const page of [0, 1]) {
        const { results } = await library.listSessions({ baseUrl, limit: 2, page });
        pages.push(results.map(({ session_code }) => session_code));
      }
      return { codes, pages };
    }, address);
    assert.deepEqual(
      pages.map((page) => page.length),
      [2, 1],
    );
    assert.deepEqual(pages.flat(), codes);
  });
});
