// The statuses of both versions of the API.

import assert from "node:assert/strict";
import { test } from "node:test";

import { stageOf } from "../../pkg/stage.js";

test("maps every documented status to its stage and state", () => {
  for (const [status, stage, state] of [
    ["spin_generate_processing", "spins", "running"],
    ["spin_generate_done", "spins", "done"],
    ["spin_generate_failed", "spins", "failed"],
    ["training_preview", "preview", "running"],
    ["preview_done", "preview", "done"],
    ["preview_failed", "preview", "failed"],
    ["training_refine", "refine", "running"],
    ["refine_done", "refine", "done"],
    ["refine_failed", "refine", "failed"],
  ]) {
    assert.deepEqual(stageOf({ status }), { stage, state });
  }
});

test("uses session_status if status is missing or not documented", () => {
  const preview_mesh_url_glb = "https://results.example/a.glb";
  const mesh_url_glb = preview_mesh_url_glb;
  for (const [session, stage, state] of /** @type {const} */ ([
    [{ session_status: "queued" }, "spins", "running"],
    [{ session_status: "in_progress" }, "spins", "running"],
    [{ session_status: "incomplete" }, "spins", "running"],
    [{ session_status: "complete", preview_mesh_url_glb }, "preview", "done"],
    [{ session_status: "complete", preview_mesh_url_glb, mesh_url_glb }, "refine", "done"],
    [{ session_status: "complete", preview_mesh_url_glb, mesh_url_glb: "" }, "preview", "done"],
    [{ session_status: "failed" }, "spins", "failed"],
    [{ session_status: "failed", status: "training_preview" }, "preview", "failed"],
    [{ session_status: "in_progress", status: "preview_queued" }, "preview", "running"],
    [{ session_status: "in_progress", status: "preview_done" }, "preview", "done"],
    [{ session_status: "complete", status: "preview_done" }, "preview", "done"],
  ])) {
    assert.deepEqual(stageOf(session), { stage, state }, JSON.stringify(session));
  }
});

test("reports unknown statuses as unknown, and all failures as failed", () => {
  for (const [status, stage, state] of [
    ["unprocessed", "spins", "unknown"],
    ["preview_texturing", "preview", "unknown"],
    ["refine_texturing", "refine", "unknown"],
    ["preview_texturing_failed", "preview", "failed"],
    ["upload_failed", "spins", "failed"],
    ["toString", "spins", "unknown"],
  ]) {
    assert.deepEqual(stageOf({ status }), { stage, state });
  }
  assert.deepEqual(stageOf({}), { stage: "spins", state: "unknown" });
});

test("passes on the percentage", () => {
  const session = { status: "training_refine", percent_done: 40 };
  assert.deepEqual(stageOf(session), { stage: "refine", state: "running", percent: 40 });
});
