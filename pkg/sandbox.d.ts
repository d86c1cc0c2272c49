/**
 * The Image-to-3D API in a page or a Node.js process, for demos and tests.
 *
 * @module csm-image-to-3d/sandbox
 */

import type { ImageTo3dError } from "./error.js";

/** The options of `createSandbox`. */
export interface SandboxOptions {
  /**
   * The speed of sessions, a number greater than 0. At speed 1 the spin and the preview take one
   * second each and the refinement takes two. Making a model takes some time at any speed.
   * Default: `1`.
   */
  speed?: number;
  /**
   * The seed for random values, a whole number from 0 to `Number.MAX_SAFE_INTEGER`. Sandboxes with
   * the same seed give their sessions the same codes. Default: `0`.
   */
  seed?: number;
  /**
   * The origin of the URLs of images and models, such as `"http://localhost:6006"`. Set this when a
   * server forwards its requests to `sandbox.fetch`; responses then keep all headers.
   * Default: `blob:` URLs of this page, which any viewer can load. In runtimes without `blob:` URLs:
   * URLs that only `sandbox.fetch` can load.
   */
  origin?: string;
  /**
   * The URL of a folder with the files of the cut-out network, such as
   * `"https://example.com/cutout/"`. The network finds the object in a photo. Its files (3.8 MB, 2.4 MB
   * compressed) are in the package's folder `wasm/cutout/`, and are downloaded and cached when the
   * first photo needs them.
   *
   * Set this for a bundler that does not process `new URL("…", import.meta.url)`: Rollup and esbuild.
   * Copy the folder `node_modules/csm-image-to-3d/wasm/cutout/` to where your app is served. Without
   * these files, the sandbox finds objects by the colors of the image's border.
   * Default: the folder in the package.
   */
  cutoutFiles?: string;
}

/** A request that a sandbox has received. Contains no API key. */
export interface ReceivedRequest {
  /** When it was received, in milliseconds since 1970. */
  at: number;
  /** The HTTP method. */
  method: string;
  /** The host of the request's URL, with its port. */
  host: string;
  /** The path of the request's URL, with its query. */
  path: string;
  /** The names of all headers, in lower case. */
  headers: string[];
  /** The first letters of the API key and its length, if the request has one. */
  key?: string;
  /** The `Idempotency-Key`, if the request has one. */
  idempotency_key?: string;
  /** The size of the body, in bytes. */
  body_bytes: number;
  /** The HTTP status of the response; missing if a fault prevented the response. */
  status?: number;
  /** The simulated network fault, if the API key selects one. */
  delivery?: "drop" | "stall" | "truncate" | "throttle";
}

/** The Image-to-3D API inside this page. */
export interface Sandbox {
  /**
   * Responds as the API does to any `http:` or `https:` URL, and with the file to the `blob:` URL of
   * an image or a model. Other URLs go to the global `fetch`, and so do the images that sessions
   * name by `image_url` and the files of `cutoutFiles`; nothing else leaves the page. Works without `this`.
   *
   * The API key selects simulated faults, such as `apiKey: "fault_429_2"`:
   * `GET /sandbox/faults` lists them.
   *
   * @param input The URL or the request, as for the global `fetch`.
   * @param init The request's options, as for the global `fetch`. An abort rejects with the signal's
   * reason.
   * @returns The response.
   * @throws {TypeError} if a fault breaks the connection, or if the sandbox is reset.
   * @throws {ImageTo3dError} with kind `"internal"`, if the WebAssembly cannot be loaded, or has
   * crashed. A crash loses all sessions, and the next request starts an empty sandbox.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /**
   * Deletes all sessions and recorded requests, and revokes all `blob:` URLs. Pending requests
   * reject with a `TypeError`. The sandbox can then be used like a new one.
   *
   * @returns A promise that resolves once all work has ended.
   */
  reset(): Promise<void>;
  /**
   * Returns the last 1000 requests since the sandbox was created or reset, oldest first: for tests
   * that count requests.
   *
   * @returns The recorded requests.
   * @throws {ImageTo3dError} with kind `"internal"`, as `fetch` does.
   */
  requests(): Promise<ReceivedRequest[]>;
}

/**
 * Creates a sandbox: the API itself, in this page or in Node.js, for demos and tests without a
 * server, an API key or a network. It makes real models from the images that it receives. It reads PNG,
 * JPEG, WebP, GIF (the first frame), BMP, TIFF and SVG, but not AVIF.
 *
 * The first request loads the WebAssembly. The sandbox works in a worker of its own, or on the
 * caller's thread if no worker can be started (in Node.js, or if `worker-src` does not allow
 * `blob:`). The network that finds the object in a photo runs in workers only.
 *
 * @param options The speed, the seed and the origin of URLs, all optional.
 * @returns A sandbox without any sessions.
 * @throws {ImageTo3dError} with kind `"invalid_options"`, if an option is unknown or invalid.
 *
 * @example
 * const sandbox = createSandbox({ speed: 20 });
 * const session = await imageTo3d({ image: file, fetch: sandbox.fetch, interval: 50 });
 * viewer.src = session.preview_mesh_url_glb ?? ""; // a blob: URL
 */
export function createSandbox(options?: SandboxOptions): Sandbox;
