// Accepted with `cargo xtask check --accept-api`.

/**
 * The option that only `imageTo3d` has.
 */
export interface AbortOptions {
    /**
     * What happens to the session if `signal` is aborted after its creation. Default: `"keep"`,
     * which leaves it running on the server, where it may still cost money.
     *
     * With `"delete"` the library then also sends the request of `deleteSession`, without
     * waiting for its response; if that fails, it logs a warning. A session whose creation was
     * not confirmed before the abort has no known code and cannot be deleted.
     */
    onAbort?: OnAbort | undefined;
}

/**
 * The options of every call: the address of the API and how to access it.
 */
export interface ConnectionOptions {
    /**
     * The API key, or a function that returns the key or a promise of it. The function is
     * called once per call.
     *
     * Required unless `baseUrl` or `fetch` is given. A key in a web page is public: use a
     * server of your own that adds the key, and set `baseUrl` to that server.
     */
    apiKey?: string | (() => string | Promise<string>) | undefined;
    /**
     * The URL of the API, with or without a trailing slash. May have a path, and may be
     * relative to the page. Default: `"https://api.csm.ai"`.
     */
    baseUrl?: string | URL | undefined;
    /**
     * Additional request headers. Must not contain the headers that the library sets:
     * `x-api-key`, `content-type` and `idempotency-key`.
     */
    headers?: HeadersInit | undefined;
    /**
     * Cancels the call, which then rejects with the signal's `reason`.
     */
    signal?: AbortSignal | undefined;
    /**
     * The maximum duration of the whole call in milliseconds; `Infinity` for no limit. Default:
     * `600000` (ten minutes), for `imageTo3d` and `waitForSession` `3600000` (one hour).
     */
    timeout?: number | undefined;
    /**
     * The maximum number of retries of a failed request, from 0 to 100. Default: `2`.
     *
     * A request that creates something is retried only after a temporary rejection (429, or 503
     * with `Retry-After`), or if it has an `idempotencyKey`.
     */
    maxRetries?: number | undefined;
    /**
     * Replaces the global `fetch`. Called with a URL and the options of the request, as the
     * functions of undici and other libraries expect; `init.headers` is a plain object.
     */
    fetch?: ((url: string, init: RequestInit & { headers: Record<string, string> }) => Promise<Response>) | undefined;
}

/**
 * The unit in which a service counts what it charges.
 */
export type CostUnit = "credits" | "billable_units";

/**
 * The options of calls that create a session, in addition to the image and the parameters.
 */
export interface CreateOptions {
    /**
     * Additional parameters, added to the request body unchanged: for parameters of the API
     * that are newer than this library. Must not contain names that the library knows.
     */
    extra?: Record<string, unknown> | undefined;
    /**
     * Sent as `Idempotency-Key`. A server that supports it (such as the one of this project)
     * creates one session for repeated requests with the same key, so the library retries the
     * request after any transient failure. The documented service is not known to support it.
     */
    idempotencyKey?: string | undefined;
    /**
     * Called while the image is prepared, read and encoded, and once when the request is passed
     * to `fetch`. If the function throws, the call rejects with that exception.
     */
    onProgress?: ((progress: Progress) => void) | undefined;
    /**
     * Whether the browser prepares `image` for the upload: `true`, or options. Default: `false`,
     * the bytes are sent unchanged.
     *
     * The browser decodes the image, turns it upright, converts it to sRGB, scales it down and
     * encodes it again, without EXIF and other metadata. So a photo taken with a phone needs a fraction
     * of its upload, and formats that the server cannot read work if the browser can. Requires
     * `OffscreenCanvas`.
     */
    prepare?: boolean | PrepareOptions | undefined;
}

/**
 * The options of `createSession`.
 */
export type CreateSessionOptions = ImageSource & ModelParameters & CreateOptions & ConnectionOptions;

/**
 * How far the model may deviate from the image.
 */
export type Creativity = "highest" | "moderate" | "lowest";

/**
 * How the caller wants the object to be separated from its background: the parameter `cutout`. An
 * extension of this project's server.
 */
export type CutoutChoice = "auto" | "keep" | "network" | "background";

/**
 * How the object of an image was separated from its background.
 */
export type CutoutMethod = "alpha" | "mask" | "network" | "background" | "none";

/**
 * What was cut out of an image.
 */
export interface CutoutReport {
    /**
     * How the object was separated from its background.
     */
    method: CutoutMethod;
    /**
     * The part of the image that the model shows, from 0 to 1.
     */
    coverage: number;
    /**
     * The part of the image where the network is sure, from 0 to 1: at least 0.78 for an object.
     * Missing with other methods.
     */
    confidence?: number;
    /**
     * The kind of the model.
     */
    shape: CutoutShape;
}

/**
 * The kind of model that a cut-out becomes.
 */
export type CutoutShape = "object" | "relief";

/**
 * The options of `downloadModel`.
 */
export interface DownloadOptions extends ConnectionOptions {
    /**
     * The format of the model. Default: `"glb"`.
     */
    format?: ModelFormat | undefined;
    /**
     * Called for each received chunk. If the function throws, the call rejects with that
     * exception.
     */
    onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * The reason of an error, more precise than its kind. Stable, so that an app can choose its own text
 * for each code instead of `userMessage`. A code that has no finer meaning is named as its kind.
 *
 * - `invalid_options`: an option is missing, unknown or invalid.
 * - `empty_image`: the file has no bytes.
 * - `unreadable_image`: the file was changed or moved, or is not on this device.
 * - `unsupported_image`: the file is not an image, or has an unknown format; or this project's server
 *   rejected it, because it is damaged or of a format or kind that the server does not read.
 * - `undecodable_image`: `prepare` was requested, and the browser cannot decode the image.
 * - `image_too_large`: the API rejected the request because of its size (413), or the image because of
 *   its pixels.
 * - `authentication`, `payment_required`, `not_found`, `rate_limited`: as the kinds.
 * - `server_error`: the API responded with a 5xx status.
 * - `unexpected_response`: the response is not from this API.
 * - `api`: the API responded with any other error.
 * - `network`, `timeout`, `session_failed`: as the kinds.
 * - `unsupported_browser`: the browser does not support the WebAssembly of this library.
 * - `internal`: a bug in this library, or the WebAssembly could not be loaded.
 */
export type ErrorCode = "invalid_options" | "empty_image" | "unreadable_image" | "unsupported_image" | "image_too_large" | "authentication" | "payment_required" | "not_found" | "rate_limited" | "server_error" | "unexpected_response" | "api" | "network" | "timeout" | "session_failed" | "undecodable_image" | "unsupported_browser" | "internal";

/**
 * The fields of an `ImageTo3dError` in addition to its messages.
 */
export interface ErrorDetails {
    /**
     * The kind of the error.
     */
    kind: ErrorKind;
    /**
     * The reason of the error, more precise than its kind.
     */
    code: ErrorCode;
    /**
     * Whether the API may have created a session nevertheless.
     */
    sent: Sent;
    /**
     * The HTTP status, if a response was received.
     */
    status?: number;
    /**
     * The number of seconds to wait before the next attempt, from the header `Retry-After`. On
     * another origin than the page's, the server must expose this header.
     */
    retryAfter?: number;
    /**
     * The body of the response: the parsed JSON, or the text if it is not JSON.
     */
    body?: unknown;
    /**
     * The session as received last, if one was received.
     */
    session?: Session;
    /**
     * The value that was thrown, if the error was caused by one: by `fetch`, by the reading of the
     * image, or by the loading of the WebAssembly. If it may contain the API key, it is replaced
     * by an error with its name and its message.
     */
    cause?: unknown;
}

/**
 * The kind of an error, for use in code; the message is for people.
 *
 * - `invalid_options`: an option is missing, unknown or invalid.
 * - `unsupported_image`: the file is empty, unreadable, or not an image, or the API does not read it.
 * - `authentication`: the API rejected the key (401, 403).
 * - `payment_required`: the account has no credits left (402).
 * - `not_found`: the session or the path does not exist (404).
 * - `rate_limited`: too many requests (429, or a 400 whose message says so); see `retryAfter`.
 * - `api`: any other error response, or a response that is not from this API.
 * - `network`: no response was received. A web page cannot tell whether the server is down, its
 *   name does not resolve, the connection broke, or the server does not allow the page's origin
 *   (CORS).
 * - `timeout`: the call took longer than `timeout`; `session` is the session as received last.
 * - `session_failed`: the session ended with a `*_failed` status; `session` is that session.
 * - `internal`: a bug in this library, or WebAssembly is not available.
 */
export type ErrorKind = "invalid_options" | "unsupported_image" | "authentication" | "payment_required" | "not_found" | "rate_limited" | "api" | "network" | "timeout" | "session_failed" | "internal";

/**
 * The options of calls that wait for a session.
 */
export interface FollowOptions {
    /**
     * Called with the session when its status or its percentage has changed, and with the first
     * response. If the function throws, the call rejects with that exception.
     */
    onUpdate?: ((session: Session) => void) | undefined;
    /**
     * The delay before the second poll in milliseconds. Default: `2000`.
     *
     * Each following delay is 1.5 times as long, up to 15 s (or to `interval`, if that is
     * longer). A `Retry-After` of the API replaces it.
     */
    interval?: number | undefined;
}

/**
 * The image: exactly one of `image` and `image_url`.
 *
 * - `image`: a file or bytes. The format is detected from the first bytes; the type and the name of
 *   a file do not matter. This project's server and its sandbox read PNG, JPEG, WebP, GIF (its first
 *   frame), BMP, TIFF and SVG, and the server reads AVIF. Files of other known formats, such as HEIC,
 *   are sent too: whether the API reads them is its decision. `prepare` reads what the browser reads.
 * - `image_url`: an `https:` or `http:` URL that the API can fetch, or the image as a base64 `data:`
 *   URL. Prefer `image` for large files.
 */
export type ImageSource = { image?: undefined; image_url: string } | { image: File | Blob | ArrayBuffer | ArrayBufferView; image_url?: undefined };

/**
 * The options of `imageTo3d`.
 */
export type ImageTo3dOptions = CreateSessionOptions & FollowOptions & AbortOptions;

/**
 * The options of `imageTo3d` without the image, such as the defaults that an app shares between its
 * calls.
 */
export type ImageTo3dSettings = ModelParameters & CreateOptions & FollowOptions & AbortOptions & ConnectionOptions;

/**
 * The values of `status` that the API documents; later versions of the API may return others.
 */
export type KnownStatus = "spin_generate_processing" | "spin_generate_done" | "spin_generate_failed" | "training_preview" | "preview_done" | "preview_failed" | "training_refine" | "refine_done" | "refine_failed";

/**
 * The options of `listSessions`.
 */
export interface ListOptions extends ConnectionOptions {
    /**
     * The maximum number of sessions on a page. Default: the API's, `10`.
     */
    limit?: number | undefined;
    /**
     * The number of the page, starting at 0. Default: `0`.
     */
    page?: number | undefined;
}

/**
 * The format of a model. `"3mf"` and `"stl"`, for 3D printing, are extensions of this project's
 * server.
 */
export type ModelFormat = "glb" | "obj" | "usdz" | "zip" | "fbx" | "stl" | "3mf";

/**
 * The parameters of the model, named as in the API.
 *
 * Omitted parameters are not sent; the server applies the defaults given here. The accepted
 * values are those of the API's documentation of `POST /image-to-3d-sessions`.
 */
export interface ModelParameters {
    /**
     * How far the model may deviate from the image. Default: `"lowest"`.
     */
    creativity?: Creativity | undefined;
    /**
     * Whether to generate a texture. Default: `false`.
     *
     * Has no effect with `preview_mesh: "turbo"`; the library logs a warning then.
     */
    generate_texture?: boolean | undefined;
    /**
     * Whether the refinement starts automatically after the preview. Default: `false`.
     */
    auto_refine?: boolean | undefined;
    /**
     * How much time the refinement may take. Default: `"slow"`.
     */
    refine_speed?: RefineSpeed | undefined;
    /**
     * The model that generates the preview. Default: `"fast_sculpt"`.
     *
     * With `"turbo"` the session pauses at up to four views (spins), one of which the caller
     * selects.
     */
    preview_mesh?: PreviewMesh | undefined;
    /**
     * Triangles or quads. Default: `"tris"`. For enterprise users only.
     */
    topology?: Topology | undefined;
    /**
     * The number of faces. Default: `"high_poly"`. For enterprise users only.
     */
    resolution?: Resolution | undefined;
    /**
     * The edge length of the texture in pixels. Default: `2048`. For enterprise users only.
     */
    texture_resolution?: 128 | 256 | 512 | 1024 | 2048 | undefined;
    /**
     * The size of the model's bounding box as `[width, height, depth]`: three finite numbers
     * greater than 0, or -1 for an automatic edge, which keeps its proportion to the others.
     * Default: the generated proportions. For enterprise users only.
     */
    scaled_bbox?: readonly [width: number, height: number, depth: number] | undefined;
    /**
     * The position of the origin in the model's bounding box as `[x, y, z]`, each from -0.5 to
     * 0.5. Default: `[0, 0, 0]`, the center. `[0, -0.5, 0]` is the center of the bottom,
     * `[-0.5, -0.5, -0.5]` the left bottom back corner. For enterprise users only.
     */
    pivot_point?: readonly [x: number, y: number, z: number] | undefined;
}

/**
 * The kind of shape that a model has.
 */
export type ModelShape = "round" | "revolved" | "extruded" | "relief";

/**
 * What happens to the session of an aborted call.
 */
export type OnAbort = "keep" | "delete";

/**
 * The phase of a call that transfers an image or a model.
 */
export type Phase = "preparing" | "encoding" | "sending" | "downloading";

/**
 * The options of `prepare`.
 */
export interface PrepareOptions {
    /**
     * The maximum length of the longer edge in pixels, an integer from 1 to 8192. Smaller images keep
     * their size. Default: `2048`, the longest edge of a texture.
     */
    maxEdge?: number | undefined;
    /**
     * The media type of the prepared image. Default: JPEG, or WebP if the image has transparent
     * pixels; or PNG, for drawings that would become larger otherwise. Browsers that cannot encode WebP encode PNG instead. In a JPEG, transparent pixels
     * become white.
     */
    type?: PreparedType | undefined;
    /**
     * The quality of JPEG and WebP, from 0 to 1. Default: `0.9`.
     */
    quality?: number | undefined;
}

/**
 * The media type of a prepared image.
 */
export type PreparedType = "image/jpeg" | "image/png" | "image/webp";

/**
 * The model that generates the preview.
 */
export type PreviewMesh = "fast_sculpt" | "turbo";

/**
 * The options of `requestPreview`. Give at most one of `selected_spin_index` and
 * `selected_spin`.
 */
export interface PreviewOptions extends RefineOptions {
    /**
     * The index of the selected spin in the session's `spins`, from 0 to 3. For
     * `preview_mesh: "turbo"`.
     */
    selected_spin_index?: 0 | 1 | 2 | 3 | undefined;
    /**
     * The `image_url` of the selected spin. For `preview_mesh: "turbo"`.
     */
    selected_spin?: string | undefined;
}

/**
 * The progress of preparing or encoding an image, or of downloading a model.
 */
export interface Progress {
    /**
     * `"preparing"`: the browser scales the image down, with the option `prepare`. `"encoding"`: the
     * image is being read and encoded. `"sending"`: the request was passed to `fetch`, which reports
     * no upload progress. `"downloading"`: the model is being received.
     */
    phase: Phase;
    /**
     * The number of bytes of the image that are prepared or encoded, or of the model that are
     * received. A preparation reports its start and its end only.
     */
    loaded: number;
    /**
     * The total number of bytes; 0 if the server does not send it.
     */
    total: number;
}

/**
 * The options of `requestRefine`. The parameters replace those of the session.
 */
export type RefineOptions = Pick<ModelParameters, "scaled_bbox" | "pivot_point"> & Pick<CreateOptions, "idempotencyKey"> & ConnectionOptions;

/**
 * How much time the refinement may take.
 */
export type RefineSpeed = "fast" | "slow";

/**
 * The number of faces of the mesh.
 */
export type Resolution = "low_poly" | "high_poly";

/**
 * The URLs of a session's results in formats other than GLB. A field is absent or empty if the
 * server does not provide the format, or until the file exists.
 */
export interface ResultUrls {
    /**
     * The URL of the preview as a zip archive, the API's default.
     */
    preview_mesh_url?: string;
    /**
     * The URL of the preview as OBJ.
     */
    preview_mesh_url_obj?: string;
    /**
     * The URL of the preview as USDZ.
     */
    preview_mesh_url_usdz?: string;
    /**
     * The URL of the preview as a zip archive of all files.
     */
    preview_mesh_url_zip?: string;
    /**
     * The URL of the preview as FBX.
     */
    preview_mesh_url_fbx?: string;
    /**
     * The URL of the preview as STL, for 3D printing. An extension of this project's server.
     */
    preview_mesh_url_stl?: string;
    /**
     * The URL of the preview as 3MF, for 3D printing in color. An extension of this project's
     * server.
     */
    preview_mesh_url_3mf?: string;
    /**
     * The URL of the refined model as a zip archive, the API's default.
     */
    mesh_url?: string;
    /**
     * The URL of the refined model as OBJ.
     */
    mesh_url_obj?: string;
    /**
     * The URL of the refined model as USDZ.
     */
    mesh_url_usdz?: string;
    /**
     * The URL of the refined model as a zip archive of all files.
     */
    mesh_url_zip?: string;
    /**
     * The URL of the refined model as FBX.
     */
    mesh_url_fbx?: string;
    /**
     * The URL of the refined model as STL, for 3D printing. An extension of this project's server.
     */
    mesh_url_stl?: string;
    /**
     * The URL of the refined model as 3MF, for 3D printing in color. An extension of this project's
     * server.
     */
    mesh_url_3mf?: string;
    /**
     * The URL of a video of the model.
     */
    mp4_url?: string;
}

/**
 * Whether the API may have created a session, and charged for it, before the call failed.
 *
 * - `"no"`: no create request was sent.
 * - `"rejected"`: the API rejected the request and created nothing.
 * - `"unknown"`: a create request was sent and not rejected. A session may exist; if the error has
 *   a `session`, it does.
 */
export type Sent = "no" | "rejected" | "unknown";

/**
 * A session as returned by the API. Its type contains the documented fields only, so that a
 * misspelt name is an error. Other fields are kept unchanged:
 * `(session as Session & Record<string, unknown>).name_of_field`.
 */
export type Session = SessionFields & ResultUrls & ModelParameters;

/**
 * What a service has charged for a session's model. An extension of this project's server.
 */
export interface SessionCost {
    /**
     * The number of units.
     */
    amount: number;
    /**
     * The unit in which the service counts.
     */
    unit: CostUnit;
}

/**
 * What was cut out of a session's image. An extension of this project's server.
 */
export interface SessionCutout extends CutoutReport {
    /**
     * The URL of the mask: a grayscale PNG with a longest edge of at most 512 pixels, in which white is
     * the object.
     */
    mask_url: string;
}

/**
 * The fields of a session that the API documents.
 */
export interface SessionFields {
    /**
     * The record's id.
     */
    _id?: string;
    /**
     * The id of the session's owner.
     */
    user_id?: string;
    /**
     * The session's code, which all calls for this session take: `SESSION_<digits>_<digits>`.
     */
    session_code: string;
    /**
     * The URL of the image.
     */
    image_url?: string;
    /**
     * The stage of the session and its state: a documented value, or a newer one.
     */
    status: KnownStatus | (string & {});
    /**
     * The overall state of the session. `"complete"` once all requested results exist; a later
     * request for a refinement returns it to `"in_progress"`.
     */
    session_status?: SessionStatus | (string & {});
    /**
     * The progress of all requested results, from 0 to 100.
     */
    percent_done?: number;
    /**
     * The reason of the failure, if the session failed and the server knows it.
     */
    error?: string;
    /**
     * The views for selection, once they exist; only with `preview_mesh: "turbo"`.
     */
    spins?: Spin[];
    /**
     * The URL of the preview as binary glTF, once it exists.
     */
    preview_mesh_url_glb?: string;
    /**
     * The URL of the final model as binary glTF, once it exists: the refined model, or the preview
     * if the session completed without a refinement.
     */
    mesh_url_glb?: string;
    /**
     * The engine that generates the models. An extension of this project's server.
     */
    engine?: string;
    /**
     * The engine's own status text. An extension of this project's server.
     */
    engine_status?: string;
    /**
     * The names of the requested parameters that the engine ignores. An extension of this
     * project's server.
     */
    unsupported?: string[];
    /**
     * What was cut out of the image, once the first result exists. An extension of this project's
     * server.
     */
    cutout?: SessionCutout;
    /**
     * The kind of shape of the model, once the first one exists; only from the built-in engine. An
     * extension of this project's server.
     */
    shape?: ModelShape;
    /**
     * What the engine's service has charged for the model, if it tells. An extension of this project's
     * server.
     */
    cost?: SessionCost;
    /**
     * The origin of the session; `"external"` if it was created through the API.
     */
    source?: string;
    /**
     * The time of creation, as an ISO 8601 date in UTC.
     */
    created_at?: string;
    /**
     * The time of the last change, as an ISO 8601 date in UTC.
     */
    updated_at?: string;
}

/* tslint:disable */
/* eslint-disable */
/**
 * A page of sessions. Other fields are kept unchanged, as those of a session.
 */
export interface SessionList {
    /**
     * The sessions of the page.
     */
    results: Session[];
}

/**
 * The overall state of a session, which later versions of the API return in addition to `status`.
 */
export type SessionStatus = "queued" | "in_progress" | "complete" | "failed";

/**
 * The API's response to a request for a mesh, which may be only a part of the session.
 */
export type SessionUpdate = Partial<Session>;

/**
 * The kind of shape that the caller wants: the parameter `shape`. An extension of this project's
 * server.
 */
export type ShapeChoice = "auto" | "round" | "revolved" | "extruded" | "relief";

/**
 * One of the views that a `turbo` session offers for selection.
 */
export interface Spin {
    /**
     * The URL of the view.
     */
    image_url: string;
}

/**
 * The stage of a session and its state.
 */
export interface Stage {
    /**
     * The current stage.
     */
    stage: StageName;
    /**
     * The state of the stage; `"unknown"` for statuses that this library does not know.
     */
    state: StageState;
    /**
     * The progress from 0 to 100, if the API returns it.
     */
    percent?: number;
}

/**
 * The stages in their order. Only sessions with `preview_mesh: "turbo"` pause at the spins.
 */
export type StageName = "spins" | "preview" | "refine";

/**
 * The state of a stage.
 */
export type StageState = "running" | "done" | "failed" | "unknown";

/**
 * The polygons of the mesh: triangles or quads.
 */
export type Topology = "tris" | "quads";

/**
 * The options of `waitForSession`.
 */
export interface WaitOptions extends FollowOptions, ConnectionOptions {
    /**
     * The stage to wait for. Default: `"preview"`.
     */
    until?: StageName | undefined;
}

/**
 * Creates a session: sends the image and the parameters.
 *
 * Resolves when the API has accepted the request; use `waitForSession` to wait for the model. All
 * options and the image's format are validated before the request is sent.
 *
 * @param options - The image, the parameters and the options of the connection.
 * @returns The new session.
 * @throws {ImageTo3dError} The call failed. If the call is aborted, it throws the signal's reason
 * instead.
 *
 * @example
 * const session = await createSession({
 *   image: file, // of an <input type="file">
 *   generate_texture: true,
 *   baseUrl: "https://my-server.example/csm",
 * });
 * console.log(session.session_code, session.status);
 */
export function createSession(options: CreateSessionOptions): Promise<Session>;

/**
 * Deletes a session with its image and its models, and cancels its work.
 *
 * An extension of this project's server. A session keeps running on the server, and may cost money,
 * after the call that waits for it was aborted.
 *
 * @param session_code - The code of the session.
 * @param options - The options of the connection.
 * @returns A promise that resolves once the session is deleted.
 * @throws {ImageTo3dError} The call failed; of kind `"not_found"` if there is no such session. If the
 * call is aborted, it throws the signal's reason instead.
 *
 * @example
 * await deleteSession(session_code, { baseUrl });
 */
export function deleteSession(session_code: string, options: ConnectionOptions): Promise<void>;

/**
 * Downloads the model of a session: the refined model if it exists, or else the preview.
 *
 * The key is sent only to the origin of `baseUrl`; results on other origins need no key.
 *
 * @param session - The session.
 * @param options - The format and the options of the connection.
 * @returns The model, with the media type of its format.
 * @throws {ImageTo3dError} The call failed. If the session has no model in the format, the message
 * lists the available formats. If the call is aborted, it throws the signal's reason instead.
 *
 * @example
 * const blob = await downloadModel(session, { format: "glb" });
 * viewer.src = URL.createObjectURL(blob);
 */
export function downloadModel(session: Session, options?: DownloadOptions | null): Promise<Blob>;

/**
 * Fetches a session in its current state.
 *
 * @param session_code - The code of the session.
 * @param options - The options of the connection.
 * @returns The session.
 * @throws {ImageTo3dError} The call failed. If the call is aborted, it throws the signal's reason
 * instead.
 *
 * @example
 * const session = await getSession(session_code, { baseUrl });
 * if (stageOf(session).state === "done") show(session);
 */
export function getSession(session_code: string, options: ConnectionOptions): Promise<Session>;

/**
 * Creates a session and waits for its model.
 *
 * Resolves with the preview; with `auto_refine: true` with the refined model; with
 * `preview_mesh: "turbo"` with the spins, one of which has to be selected with `requestPreview`.
 * `onUpdate` receives the session as soon as it is created. Store its `session_code` to continue
 * with `waitForSession` after the page is reloaded. An abort ends the call and leaves the session
 * running on the server, unless `onAbort` is `"delete"`.
 *
 * @param options - The image, the parameters, and the options of the connection and of the wait.
 * @returns The session at the reached stage.
 * @throws {ImageTo3dError} The call failed; of kind `"session_failed"` if the session failed. If the
 * call is aborted, it throws the signal's reason instead.
 *
 * @example
 * const session = await imageTo3d({
 *   image: file, // of an <input type="file">
 *   generate_texture: true,
 *   baseUrl: "https://my-server.example/csm",
 *   onUpdate: (session) => localStorage.setItem("session", session.session_code),
 * });
 * viewer.src = session.preview_mesh_url_glb ?? ""; // a <model-viewer>
 */
export function imageTo3d(options: ImageTo3dOptions): Promise<Session>;

/**
 * Fetches a page of the sessions of the key's owner.
 *
 * @param options - The page and the options of the connection.
 * @returns The sessions of the page.
 * @throws {ImageTo3dError} The call failed. If the call is aborted, it throws the signal's reason
 * instead.
 *
 * @example
 * const { results } = await listSessions({ baseUrl, limit: 20 });
 * for (const { session_code, status } of results) console.log(session_code, status);
 */
export function listSessions(options: ListOptions): Promise<SessionList>;

/**
 * Requests the preview of a session that waits for the selection of a spin.
 *
 * A preview may cost money; the request is retried under the same conditions as `createSession`.
 *
 * @param session_code - The code of the session.
 * @param options - The selected spin, parameters, and the options of the connection.
 * @returns The API's response, which may be only a part of the session.
 * @throws {ImageTo3dError} The call failed. If the call is aborted, it throws the signal's reason
 * instead.
 *
 * @example
 * await requestPreview(session_code, { selected_spin_index: 2, baseUrl });
 * const session = await waitForSession(session_code, { baseUrl });
 */
export function requestPreview(session_code: string, options: PreviewOptions): Promise<SessionUpdate>;

/**
 * Requests the refined model of a session whose preview is done.
 *
 * A refinement may cost money; the request is retried under the same conditions as `createSession`.
 *
 * @param session_code - The code of the session.
 * @param options - Parameters and the options of the connection.
 * @returns The API's response, which may be only a part of the session.
 * @throws {ImageTo3dError} The call failed. If the call is aborted, it throws the signal's reason
 * instead.
 *
 * @example
 * await requestRefine(session_code, { baseUrl });
 * const session = await waitForSession(session_code, { until: "refine", baseUrl });
 */
export function requestRefine(session_code: string, options: RefineOptions): Promise<SessionUpdate>;

/**
 * Polls a session until it reaches a stage.
 *
 * Settles when the session reaches the stage of `until` or a later one, fails, is aborted, or the
 * call takes longer than `timeout`. After the first successful response, network errors and the
 * statuses 408, 429 and 5xx are retried. Unknown statuses count as in progress. If the session
 * stays at `spin_generate_done` with spins for three polls, the call resolves early: select a spin
 * with `requestPreview`. Waiting for a refinement that was not requested runs into the timeout:
 * call `requestRefine` first, or create the session with `auto_refine`.
 *
 * @param session_code - The code of the session.
 * @param options - The stage to wait for, and the options of the connection and of the wait.
 * @returns The session at the reached stage.
 * @throws {ImageTo3dError} The call failed; `session` is the session as received last. If the call
 * is aborted, it throws the signal's reason instead.
 *
 * @example
 * const session = await waitForSession(localStorage.getItem("session") ?? "", {
 *   baseUrl: "https://my-server.example/csm",
 *   onUpdate: (session) => (bar.value = session.percent_done ?? 0),
 * });
 */
export function waitForSession(session_code: string, options: WaitOptions): Promise<Session>;
