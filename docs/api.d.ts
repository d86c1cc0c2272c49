// Accepted with `cargo xtask check --accept-api`.

/**
 * Where the API is and how to talk to it: the same for every call.
 */
export interface ConnectionOptions {
    /**
     * The API key, or a function that gives it (or a promise of it), asked once per call.
     *
     * Required unless `baseUrl` or `fetch` is given. A key in a page is public: let a server of
     * your own add it, and name that server in `baseUrl`.
     */
    apiKey?: string | (() => string | Promise<string>);
    /**
     * The API's address, with or without a trailing slash; a path prefix is allowed, and so is
     * an address relative to the page. Default: `"https://api.csm.ai"`.
     */
    baseUrl?: string | URL;
    /**
     * Further headers. They cannot set what the library sets itself: `x-api-key`, `content-type`
     * and `idempotency-key`.
     */
    headers?: HeadersInit;
    /**
     * Ends the call: it rejects with the signal's `reason`.
     */
    signal?: AbortSignal;
    /**
     * How long the whole call may take, in milliseconds. Default: `600000` (ten minutes);
     * `Infinity` for no limit.
     */
    timeout?: number;
    /**
     * How often a failed request may be sent again, where that cannot cost twice. Default: `2`.
     *
     * A request that creates something is sent again only where the API has said that nothing
     * was created (429, or 503 with `Retry-After`), or under an `idempotencyKey`.
     */
    maxRetries?: number;
    /**
     * What to call instead of the global `fetch`, with a `Request`.
     */
    fetch?: (request: Request) => Promise<Response>;
}

/**
 * What only a request that creates something takes.
 */
export interface CreateOptions {
    /**
     * Further parameters, put into the request's body as they are: for parameters of the API
     * that are newer than this library. A name that the library knows is an error here.
     */
    extra?: Record<string, unknown>;
    /**
     * Sent as `Idempotency-Key`, for servers that honour it (the one of this project does):
     * the same key and request twice make one session, and so the call may be sent again after
     * any failure. The documented service is not known to honour it.
     */
    idempotencyKey?: string;
    /**
     * Called while the picture is read and encoded, and once when the request is handed to
     * `fetch`. What it throws ends the call.
     */
    onProgress?: (progress: Progress) => void;
}

/**
 * What `createSession` takes.
 */
export type CreateSessionOptions = ImageSource & Parameters & CreateOptions & ConnectionOptions;

/**
 * How far the model may depart from the picture.
 */
export type Creativity = "highest" | "moderate" | "lowest";

/**
 * What `downloadModel` takes beside the session.
 */
export type DownloadOptions = {
    /** Default: `"glb"`. */
    format?: ModelFormat;
    /** Called for each piece that has come. What it throws ends the call. */
    onProgress?: (progress: Progress) => void;
} & Partial<ConnectionOptions>;

/**
 * What an `ImageTo3dError` holds beside its message.
 */
export interface ErrorDetails {
    /**
     * What went wrong.
     */
    kind: ErrorKind;
    /**
     * Whether the API may have created a session all the same.
     */
    sent: Sent;
    /**
     * The HTTP status, where the API answered.
     */
    status?: number;
    /**
     * How many seconds to wait before the next try, where the API said so and the page may read
     * it (`Retry-After`; from another origin only if the server exposes that header).
     */
    retryAfter?: number;
    /**
     * What the API answered: the parsed JSON, or the text where it is none.
     */
    body?: unknown;
    /**
     * The session as it was last seen, where the call had seen one.
     */
    session?: Session;
}

/**
 * What went wrong, for code that has to decide. The message says it for people.
 *
 * - `invalid_options`: an option is missing, unknown, or holds what is not allowed.
 * - `unsupported_image`: the picture is empty, cannot be read, or is no picture.
 * - `authentication`: the API refused the key (401, 403).
 * - `payment_required`: the account has no credit left (402).
 * - `not_found`: there is no such session or path (404).
 * - `rate_limited`: too many requests (429, and 400 where the API says so); see `retryAfter`.
 * - `api`: the API said no otherwise, or answered what is no answer of this API.
 * - `network`: no answer came. A page cannot tell a server that is off from a name that does not
 *   resolve, a connection that broke, or a server that does not allow the page's origin (CORS).
 * - `timeout`: the whole call took longer than `timeout`; `session` is the last that was seen.
 * - `session_failed`: the session itself ended in a `*_failed` status; `session` is it.
 * - `internal`: a fault of this library, or a page that does not allow WebAssembly.
 */
export type ErrorKind = "invalid_options" | "unsupported_image" | "authentication" | "payment_required" | "not_found" | "rate_limited" | "api" | "network" | "timeout" | "session_failed" | "internal";

/**
 * What following a session takes beside the connection.
 */
export interface FollowOptions {
    /**
     * Called with the session whenever its status or its percentage has changed, the first time
     * at once. What it throws ends the call.
     */
    onUpdate?: (session: Session) => void;
    /**
     * How long to wait before the session is asked for again, in milliseconds. Default: `2000`.
     * Each wait is half as long again as the one before, up to 15 s (or to `interval`, where that
     * is longer), unless the API says in `Retry-After` when to come back.
     */
    interval?: number;
    /**
     * How long the whole call may take, in milliseconds. Default: `3600000` (an hour);
     * `Infinity` for no limit. The error holds the session as it was last seen.
     */
    timeout?: number;
}

/**
 * The picture: exactly one of `image` and `image_url`.
 *
 * - `image`: a picture as the browser has it. What it is, is told from its first bytes; its
 *   `type` and its name do not matter. PNG, JPEG, WebP, GIF, BMP, AVIF, HEIC and TIFF are known.
 * - `image_url`: an `https:` or `http:` URL that the API can reach, or the picture as a base64
 *   `data:` URI. Who has a large picture does better with `image`.
 */
export type ImageSource = { image: File | Blob | ArrayBuffer | ArrayBufferView; image_url?: never } | { image?: never; image_url: string };

/**
 * What `imageTo3d` takes.
 */
export type ImageTo3dOptions = CreateSessionOptions & FollowOptions;

/**
 * The stages of a session that the API documents; later versions of it may answer others.
 */
export type KnownStatus = "spin_generate_processing" | "spin_generate_done" | "spin_generate_failed" | "training_preview" | "preview_done" | "preview_failed" | "training_refine" | "refine_done" | "refine_failed";

/**
 * What `listSessions` takes.
 */
export type ListOptions = {
    /** How many sessions to answer at most. Default: the API's, `10`. */
    limit?: number;
    /** Which page of so many, from 0. Default: `0`. */
    page?: number;
} & ConnectionOptions;

/* tslint:disable */
/* eslint-disable */
/**
 * A format in which a model can be had. `"stl"`, for printing, is an extension of this project's
 * own server, which the API does not document.
 */
export type ModelFormat = "glb" | "obj" | "usdz" | "zip" | "fbx" | "stl";

/**
 * What the API lets a caller choose about the model, by the API's own names.
 *
 * What is left out is left out of the request: the defaults named here are the API's, applied by
 * the server. The rules are those of the API's documentation of `POST /image-to-3d-sessions`.
 */
export interface Parameters {
    /**
     * How far the model may depart from the picture. Default: `"lowest"`.
     */
    creativity?: Creativity;
    /**
     * Whether the model gets a texture. Default: `false`.
     *
     * Has no effect with `preview_mesh: "turbo"`; a warning on the console says so.
     */
    generate_texture?: boolean;
    /**
     * Whether the refinement follows the preview by itself. Default: `false`.
     */
    auto_refine?: boolean;
    /**
     * How long the refinement may take. Default: `"slow"`.
     */
    refine_speed?: RefineSpeed;
    /**
     * The model that makes the preview. Default: `"fast_sculpt"`.
     *
     * With `"turbo"` the session stops at up to four views (spins) to choose from.
     */
    preview_mesh?: PreviewMesh;
    /**
     * Triangles or quads. Default: `"tris"`. For enterprise users only.
     */
    topology?: Topology;
    /**
     * How many faces the mesh has. Default: `"high_poly"`. For enterprise users only.
     */
    resolution?: Resolution;
    /**
     * The texture's edge in pixels. Default: `2048`. For enterprise users only.
     */
    texture_resolution?: 128 | 256 | 512 | 1024 | 2048;
    /**
     * The model's `[width, height, depth]`: three finite numbers greater than 0.
     * For enterprise users only.
     */
    scaled_bbox?: readonly [width: number, height: number, depth: number];
    /**
     * Where the origin lies in the model's bounding box: `[x, y, z]`, each from -0.5 to 0.5.
     * Default: `[0, 0, 0]`, the centre; `[0, -0.5, 0]` is the centre of the bottom,
     * `[-0.5, -0.5, -0.5]` the left bottom back corner. For enterprise users only.
     */
    pivot_point?: readonly [x: number, y: number, z: number];
}

/**
 * What a call is doing.
 */
export type Phase = "encoding" | "sending" | "downloading";

/**
 * The model that makes the preview.
 */
export type PreviewMesh = "fast_sculpt" | "turbo";

/**
 * What `requestPreview` takes beside the session's code.
 */
export type PreviewOptions = {
    /** Which of the session's `spins` to go on with, from 0 to 3. For `preview_mesh: "turbo"`. */
    selected_spin_index?: 0 | 1 | 2 | 3;
    /** The `image_url` of the spin to go on with. For `preview_mesh: "turbo"`. */
    selected_spin?: string;
} & RefineOptions;

/**
 * How far the picture, or the model, is on its way.
 */
export interface Progress {
    /**
     * `"encoding"`: the picture is being read and encoded. `"sending"`: the request has been
     * handed to `fetch`, which reports no upload progress. `"downloading"`: the model is coming.
     */
    phase: Phase;
    /**
     * Bytes of the picture that are encoded, or of the model that have come.
     */
    loaded: number;
    /**
     * Bytes in all; 0 where the server does not say how many.
     */
    total: number;
}

/**
 * What may be said once more about the mesh when it is requested.
 */
export type RefineOptions = Pick<Parameters, "scaled_bbox" | "pivot_point"> & Pick<CreateOptions, "idempotencyKey"> & ConnectionOptions;

/**
 * How long the refinement may take.
 */
export type RefineSpeed = "fast" | "slow";

/**
 * How many faces the mesh has.
 */
export type Resolution = "low_poly" | "high_poly";

/**
 * Where a session's results lie in the formats that the API documents beside GLB. A server need
 * not have them all: a field is absent, or empty, until its file exists.
 */
export interface ResultUrls {
    /**
     * Where the preview can be fetched as the API's own default archive, a zip.
     */
    preview_mesh_url?: string;
    /**
     * Where the preview can be fetched as OBJ.
     */
    preview_mesh_url_obj?: string;
    /**
     * Where the preview can be fetched as USDZ.
     */
    preview_mesh_url_usdz?: string;
    /**
     * Where the preview can be fetched as a zip of all files.
     */
    preview_mesh_url_zip?: string;
    /**
     * Where the preview can be fetched as FBX.
     */
    preview_mesh_url_fbx?: string;
    /**
     * Where the preview can be fetched as STL, for printing: an extension of this project's own
     * server, which the API does not document.
     */
    preview_mesh_url_stl?: string;
    /**
     * Where the refined model can be fetched as the API's own default archive, a zip.
     */
    mesh_url?: string;
    /**
     * Where the refined model can be fetched as OBJ.
     */
    mesh_url_obj?: string;
    /**
     * Where the refined model can be fetched as USDZ.
     */
    mesh_url_usdz?: string;
    /**
     * Where the refined model can be fetched as a zip of all files.
     */
    mesh_url_zip?: string;
    /**
     * Where the refined model can be fetched as FBX.
     */
    mesh_url_fbx?: string;
    /**
     * Where the refined model can be fetched as STL, for printing: an extension of this project's own
     * server, which the API does not document.
     */
    mesh_url_stl?: string;
    /**
     * Where a video of the model can be fetched.
     */
    mp4_url?: string;
}

/**
 * Whether the API may have created a session, and charged for it, before the call failed.
 *
 * - `"no"`: nothing was sent that creates something.
 * - `"rejected"`: the API said no, and nothing was created.
 * - `"unknown"`: the request went out and no clear no came back: a session may exist, or does, where
 *   the error's `session` holds it.
 */
export type Sent = "no" | "rejected" | "unknown";

/**
 * A session as the API answers it. Fields that the API documents are typed; all others are kept
 * as they come.
 */
export type Session = SessionFields & ResultUrls & Parameters & { [field: string]: unknown };

/**
 * The fields of a session that the API documents.
 */
export interface SessionFields {
    /**
     * The record's id.
     */
    _id?: string;
    /**
     * Whose session it is.
     */
    user_id?: string;
    /**
     * The name by which the session is asked for: `SESSION_<digits>_<digits>`.
     */
    session_code: string;
    /**
     * Where the picture can be fetched.
     */
    image_url?: string;
    /**
     * How far the session is: one of the documented words, or one that is newer than they are.
     */
    status: KnownStatus | (string & {});
    /**
     * How the session is as a whole. `"complete"` once all that was asked for is there; a
     * refinement that is asked for later takes it back to `"in_progress"`.
     */
    session_status?: SessionStatus | (string & {});
    /**
     * How much of all that was asked for is done, from 0 to 100.
     */
    percent_done?: number;
    /**
     * Why the session failed, where it did and a reason is known.
     */
    error?: string;
    /**
     * The views to choose from, once they exist; only with `preview_mesh: "turbo"`.
     */
    spins?: Spin[];
    /**
     * Where the preview can be fetched as binary glTF, once it exists.
     */
    preview_mesh_url_glb?: string;
    /**
     * Where the finished model can be fetched as binary glTF, once it exists: the refined one, or
     * the preview where the session is complete without a refinement.
     */
    mesh_url_glb?: string;
    /**
     * The engine that makes the models, where the server names it; not one of the API's own fields.
     */
    engine?: string;
    /**
     * What the engine waits for, in words, where it says so; not one of the API's own fields.
     */
    engine_status?: string;
    /**
     * The names of the parameters that were asked for and that the model does not honour; not one
     * of the API's own fields.
     */
    unsupported?: string[];
    /**
     * Where the session came from; `"external"` for one made through the API.
     */
    source?: string;
    /**
     * When the session was created, as an ISO 8601 date in UTC.
     */
    created_at?: string;
    /**
     * When the session last changed, as an ISO 8601 date in UTC.
     */
    updated_at?: string;
}

/**
 * A page of sessions.
 */
export type SessionList = {
    /** The sessions of the page. */
    results: Session[];
    [field: string]: unknown;
};

/**
 * How a session is as a whole, which later versions of the API answer beside its stage.
 */
export type SessionStatus = "queued" | "in_progress" | "complete" | "failed";

/**
 * What the API answers to a request for a mesh: need not be the whole session.
 */
export type SessionUpdate = Partial<Session>;

/**
 * One of the views that a `turbo` session offers to choose from.
 */
export interface Spin {
    /**
     * Where the view can be fetched.
     */
    image_url: string;
}

/**
 * How far a session is.
 */
export interface Stage {
    /**
     * What was made last, or is being made.
     */
    stage: StageName;
    /**
     * How that is going; `"unknown"` where the API says what this library does not know.
     */
    state: StageState;
    /**
     * From 0 to 100, where the API says so.
     */
    percent?: number;
}

/**
 * The stages in their order.
 */
export type StageName = "spin" | "preview" | "refine";

/**
 * How a stage is going.
 */
export type StageState = "running" | "done" | "failed" | "unknown";

/**
 * What the mesh is made of.
 */
export type Topology = "tris" | "quads";

/**
 * A stage of a session, as something to wait for.
 */
export type Until = "spins" | "preview" | "refine";

/**
 * What `waitForSession` takes beside the session's code.
 */
export type WaitOptions = {
    /** What to wait for. Default: `"preview"`. */
    until?: Until;
} & FollowOptions & ConnectionOptions;

/**
 * Creates a session: sends the picture and the parameters, and answers as soon as the API has
 * taken them. The model is not made then; `waitForSession` follows it.
 *
 * Nothing is sent before all options are checked and the picture is known to be one.
 *
 * @throws {ImageTo3dError} for every failure; where the call is aborted, the signal's reason.
 *
 * @example
 * const session = await createSession({
 *   image: fileInput.files[0],
 *   generate_texture: true,
 *   baseUrl: "https://my-server.example/csm",
 * });
 * console.log(session.session_code, session.status);
 */
export function createSession(options: CreateSessionOptions): Promise<Session>;

/**
 * Downloads a session's model: the refined one where there is one, else the preview.
 *
 * Needs no key for results that lie elsewhere, and never sends one to another origin than that of
 * `baseUrl`. Answers a `Blob` with the format's media type.
 *
 * @throws {ImageTo3dError} for every failure; where the session has no model in the format, the
 * message names the formats that it has. Where the call is aborted, the signal's reason.
 *
 * @example
 * const blob = await downloadModel(session, { format: "glb" });
 * viewer.src = URL.createObjectURL(blob);
 */
export function downloadModel(session: Session, options?: DownloadOptions): Promise<Blob>;

/**
 * Asks for a session as it is now.
 *
 * @throws {ImageTo3dError} for every failure; where the call is aborted, the signal's reason.
 *
 * @example
 * const session = await getSession(session_code, { baseUrl });
 * if (stageOf(session).state === "done") show(session);
 */
export function getSession(session_code: string, options: ConnectionOptions): Promise<Session>;

/**
 * Turns a picture into a model: creates a session and follows it to its end.
 *
 * Ends at the preview; with `auto_refine: true` at the refined model; with
 * `preview_mesh: "turbo"` at the spins, of which `requestPreview` takes one. `onUpdate` gets the
 * session as soon as it is created: keep its `session_code` there, and a page that is loaded
 * again can go on with `waitForSession`.
 *
 * @throws {ImageTo3dError} for every failure (`"session_failed"` where the session ended so; the
 * session stands in `session`); where the call is aborted, the signal's reason.
 *
 * @example
 * const session = await imageTo3d({
 *   image: fileInput.files[0],
 *   generate_texture: true,
 *   baseUrl: "https://my-server.example/csm",
 *   onUpdate: (session) => localStorage.setItem("session", session.session_code),
 * });
 * viewer.src = session.preview_mesh_url_glb ?? ""; // a <model-viewer>
 */
export function imageTo3d(options: ImageTo3dOptions): Promise<Session>;

/**
 * Asks for the sessions of the key's owner, a page of them.
 *
 * @throws {ImageTo3dError} for every failure; where the call is aborted, the signal's reason.
 *
 * @example
 * const { results } = await listSessions({ baseUrl, limit: 20 });
 * for (const { session_code, status } of results) console.log(session_code, status);
 */
export function listSessions(options: ListOptions): Promise<SessionList>;

/**
 * Asks for the preview of a session that stands at its spins. It costs what a preview costs, and
 * so is sent again only as `createSession` is.
 *
 * Answers what the API answers, which need not be the whole session.
 *
 * @throws {ImageTo3dError} for every failure; where the call is aborted, the signal's reason.
 *
 * @example
 * await requestPreview(session_code, { selected_spin_index: 2, baseUrl });
 * const session = await waitForSession(session_code, { baseUrl });
 */
export function requestPreview(session_code: string, options: PreviewOptions): Promise<SessionUpdate>;

/**
 * Asks for the refined model of a session whose preview is done. It costs what a refinement
 * costs, and so is sent again only as `createSession` is.
 *
 * Answers what the API answers, which need not be the whole session.
 *
 * @throws {ImageTo3dError} for every failure; where the call is aborted, the signal's reason.
 *
 * @example
 * await requestRefine(session_code, { baseUrl });
 * const session = await waitForSession(session_code, { until: "refine", baseUrl });
 */
export function requestRefine(session_code: string, options: RefineOptions): Promise<SessionUpdate>;

/**
 * Follows a session until it has reached a stage, and answers it as it is then.
 *
 * Ends as soon as the session is at the stage or beyond, rejects where it ended in a `*_failed`
 * status (`"session_failed"`), is aborted, or takes longer than `timeout`. Once the API has
 * answered, network errors, 408, 429 and 5xx only delay it. A status that this library does not
 * know is waited through. A session that has stood at `spin_generate_done` with spins to choose
 * from for three looks ends a wait for a later stage too: it is waiting for its caller, and
 * `requestPreview` takes it on. A wait for a refinement that nobody asked for lasts until
 * `timeout`: ask with `requestRefine` first, or create the session with `auto_refine`.
 *
 * @throws {ImageTo3dError} for every failure, with the session as it was last seen in `session`;
 * where the call is aborted, the signal's reason.
 *
 * @example
 * const session = await waitForSession(localStorage.getItem("session") ?? "", {
 *   baseUrl: "https://my-server.example/csm",
 *   onUpdate: (session) => (bar.value = session.percent_done ?? 0),
 * });
 */
export function waitForSession(session_code: string, options: WaitOptions): Promise<Session>;
