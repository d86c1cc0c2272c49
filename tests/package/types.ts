// Correct and incorrect uses of the published types. The check fails if an incorrect use compiles.
import {
  createSession,
  deleteSession,
  downloadModel,
  getSession,
  imageTo3d,
  ImageTo3dError,
  listSessions,
  requestPreview,
  requestRefine,
  stageOf,
  waitForSession,
  type CreateSessionOptions,
  type CutoutChoice,
  type CutoutMethod,
  type CutoutShape,
  type ImageTo3dSettings,
  type KnownStatus,
  type ModelParameters,
  type ModelShape,
  type Progress,
  type Session,
  type ShapeChoice,
  type StageName,
} from "../../pkg/index.js";
import { load } from "../../pkg/external.js";
import {
  createSandbox,
  type ReceivedRequest,
  type Sandbox,
  type SandboxOptions,
} from "../../pkg/sandbox.js";
import {
  createSandbox as createExternalSandbox,
  load as loadSandbox,
  type LoadProgress,
} from "../../pkg/sandbox/external.js";

declare const file: File;
declare const files: FileList | null;
declare const maybeSignal: AbortSignal | undefined;
const baseUrl = "https://my-server.example";

// Correct uses.
const session: Session = await createSession({ image: file, baseUrl });
await createSession({ image: new Blob(), apiKey: "k" });
await createSession({ image: new ArrayBuffer(1), apiKey: () => "k" });
await createSession({ image: new Uint8Array(1), apiKey: async () => "k" });
await createSession({ image: new DataView(new ArrayBuffer(1)), baseUrl: new URL(baseUrl) });
await createSession({
  image_url: "https://pictures.example/a.png",
  creativity: "highest",
  generate_texture: true,
  auto_refine: false,
  refine_speed: "slow",
  preview_mesh: "turbo",
  topology: "quads",
  resolution: "low_poly",
  texture_resolution: 512,
  scaled_bbox: [1, 2, 3],
  pivot_point: [0, -0.5, 0] as const,
  extra: { symmetry: "on" },
  idempotencyKey: "order 7",
  headers: { "x-trace": "1" },
  signal: AbortSignal.timeout(1000),
  timeout: Infinity,
  maxRetries: 0,
  fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, "x-a": "b" } }),
  onProgress({ phase, loaded, total }) {
    const share: number = loaded / total;
    const during: "preparing" | "encoding" | "sending" | "downloading" = phase;
    console.log(share, during);
  },
});
const status: string = session.status;
const known = (status: KnownStatus) => status;
if (session.status === "preview_done") console.log(session.session_code.length);
const unknownField = (session as Session & Record<string, unknown>)["percent_of_something"];
const error = new ImageTo3dError("no", { kind: "api", sent: "rejected", status: 400 });
switch (error.kind) {
  case "rate_limited":
    console.log((error.retryAfter ?? 0).toFixed());
}
const sent: "no" | "rejected" | "unknown" = error.sent;
console.log(status, known("refine_done"), unknownField, sent, error.status?.toFixed(), error.stack);

const code: string = session.session_code;
const done: Session = await imageTo3d({ image: file, baseUrl, onUpdate: (s) => void s.status });
await waitForSession(code, { until: "refine", interval: 100, baseUrl });
await getSession(code, { baseUrl });
const { results } = await listSessions({ limit: 5, page: 1, baseUrl });
// Explicitly omitted options, which `exactOptionalPropertyTypes` allows only with `undefined`.
await createSession({ image: file, image_url: undefined, baseUrl, signal: maybeSignal });
await createSession({ image: file, baseUrl, creativity: undefined, onProgress: undefined });
await getSession(code, { baseUrl, apiKey: undefined, headers: undefined, fetch: undefined });
await waitForSession(code, { baseUrl, until: undefined, onUpdate: undefined });
await listSessions({ baseUrl, limit: undefined });
// Shared defaults, and the words of a stage.
const settings3d: ImageTo3dSettings = { baseUrl, prepare: true, onAbort: "delete" };
const defaults: Partial<ImageTo3dSettings> = settings3d;
await imageTo3d({ ...defaults, image: file });
const parameters: ModelParameters = { creativity: "lowest" };
const frozen: Readonly<ModelParameters> = parameters;
await imageTo3d({ image: file, ...frozen, baseUrl });
const until: StageName = stageOf(session).stage;
await waitForSession(code, { until, baseUrl });
// Everything that README's first example does under strict settings.
const first = files?.[0];
if (first) await imageTo3d({ image: first, baseUrl, prepare: { maxEdge: 1024, quality: 0.8 } });
await createSession({ image: file, baseUrl, prepare: { type: "image/png" } });
const nothing: void = await deleteSession(code, { baseUrl });
const words: Record<Progress["phase"], string> = {
  preparing: "",
  encoding: "",
  sending: "",
  downloading: "",
};
const texts: [string, string] = [error.code, error.userMessage];
if (error.code === "image_too_large") console.log(nothing, words, texts);
const update = await requestPreview(code, {
  selected_spin_index: 3,
  pivot_point: [0, 0, 0],
  baseUrl,
});
await requestRefine(code, { scaled_bbox: [1, 1, 1], idempotencyKey: "order 8", baseUrl });
const model: Blob = await downloadModel(done);
await downloadModel(done, { format: "3mf", onProgress: ({ loaded }) => loaded.toFixed() });
const { stage, state, percent } = stageOf(done);
if (stage === "refine" && state === "failed") console.log((percent ?? 0).toFixed());
const urls: (string | undefined)[] = [
  done.preview_mesh_url_glb,
  done.mesh_url_obj,
  done.mesh_url_stl,
  done.mesh_url_3mf,
];
console.log(results[0]?.session_code, update.status, model.size, urls, done.spins?.[0]?.image_url);
console.log(error.session?.session_code);
const choice: CutoutChoice = "network";
await createSession({ image: file, extra: { cutout: choice }, baseUrl });
const method: CutoutMethod | undefined = done.cutout?.method;
const shape: CutoutShape | undefined = done.cutout?.shape;
const shapeChoice: ShapeChoice = "auto";
await createSession({ image: file, extra: { shape: shapeChoice }, baseUrl });
const kind: ModelShape | undefined = done.shape;
// @ts-expect-error the session says which kind of shape was made
const notMade: ModelShape = shapeChoice;
console.log(kind, notMade);
console.log(method, shape, done.cutout?.confidence?.toFixed(2), done.cutout?.mask_url);
const settings: SandboxOptions = { speed: 20, seed: 7, origin: "http://localhost:6006" };
const sandbox: Sandbox = createSandbox(settings);
createSandbox();
await imageTo3d({ image: file, fetch: sandbox.fetch, interval: 20 });
const answer: Response = await sandbox.fetch("https://api.csm.ai/image-to-3d-sessions");
const received: ReceivedRequest[] = await sandbox.requests();
await sandbox.reset();
console.log(answer.status, received[0]?.key?.length, received[0]?.delivery === "truncate");

await load();
await load(new URL("https://cdn.example/a.wasm"));
await load(new Uint8Array(8));
const externalSandbox: Sandbox = createExternalSandbox(settings);
await loadSandbox();
await loadSandbox(new URL("https://cdn.example/a.wasm"));
await loadSandbox(undefined, { onProgress: ({ loaded, total }) => console.log(loaded / total) });
const loadProgress: LoadProgress = { loaded: 1, total: 2 };

// Incorrect uses.
// @ts-expect-error neither image nor image_url
await createSession({ baseUrl });
// @ts-expect-error both image and image_url
await createSession({ image: file, image_url: "https://pictures.example/a.png", baseUrl });
// @ts-expect-error a string is not an image
await createSession({ image: "a.png", baseUrl });
// @ts-expect-error a file is not a URL
await createSession({ image_url: file, baseUrl });
// @ts-expect-error a misspelt name
await createSession({ image: file, baseUrl, refine_sped: "fast" });
// @ts-expect-error parameters have the API's names
await createSession({ image: file, baseUrl, refineSpeed: "fast" });
// @ts-expect-error no such value
await createSession({ image: file, baseUrl, creativity: "high" });
// @ts-expect-error no such size
await createSession({ image: file, baseUrl, texture_resolution: 1000 });
// @ts-expect-error a string is not a number
await createSession({ image: file, baseUrl, texture_resolution: "512" });
// @ts-expect-error two numbers
await createSession({ image: file, baseUrl, scaled_bbox: [1, 2] });
// @ts-expect-error four numbers
await createSession({ image: file, baseUrl, pivot_point: [0, 0, 0, 0] });
// @ts-expect-error a string is not a boolean
await createSession({ image: file, baseUrl, generate_texture: "true" });
// @ts-expect-error a function that returns no string
await createSession({ image: file, apiKey: () => 5 });
// @ts-expect-error a controller is not a signal
await createSession({ image: file, baseUrl, signal: new AbortController() });
// @ts-expect-error a fetch that returns no response
await createSession({ image: file, baseUrl, fetch: async () => "ok" });
// @ts-expect-error no such kind
const noKind = error.kind === "teapot";
// @ts-expect-error a misspelt field
const url = session.preview_mesh_glb_url;
// @ts-expect-error a misspelt field
const { sesion_code } = session;
// @ts-expect-error no such code
const noCode = error.code === "too_large";
// @ts-expect-error no such type
await createSession({ image: file, baseUrl, prepare: { type: "image/avif" } });
// @ts-expect-error a misspelt option
await createSession({ image: file, baseUrl, prepare: { maxedge: 5 } });
// @ts-expect-error only imageTo3d takes it
await createSession({ image: file, baseUrl, onAbort: "delete" });
// @ts-expect-error no such value
await imageTo3d({ image: file, baseUrl, onAbort: "cancel" });
// @ts-expect-error a session is not a code
await deleteSession(session, { baseUrl });
// @ts-expect-error no such phase
const options: CreateSessionOptions = { image: file, onProgress: (p) => p.phase === "uploading" };
// @ts-expect-error the code is a string
const number: number = session.session_code;
// @ts-expect-error no such stage
await waitForSession(code, { until: "spin", baseUrl });
// @ts-expect-error a session is not a code
await waitForSession(session, { baseUrl });
// @ts-expect-error spins are numbered from 0 to 3
await requestPreview(code, { selected_spin_index: 4, baseUrl });
// @ts-expect-error requestRefine has no spin
await requestRefine(code, { selected_spin_index: 1, baseUrl });
// @ts-expect-error no such format
await downloadModel(session, { format: "gltf" });
// @ts-expect-error a code is not a session
await downloadModel(code);
// @ts-expect-error the code is its own argument
await getSession({ session_code: code, baseUrl });
// @ts-expect-error no such state
const noState = stageOf(session).state === "complete";
console.log(noKind, url, sesion_code, noCode, options, number, noState);
// @ts-expect-error speed is a number
createSandbox({ speed: "fast" });
// @ts-expect-error no such option
createSandbox({ engine: "sculpt" });
// @ts-expect-error no such field
console.log(received[0]?.body);
