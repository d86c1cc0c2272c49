import type { ImageTo3dError } from "./error.js";

/** How a sandbox behaves. */
export interface SandboxOptions {
  /**
   * How many times faster than a second per stage (two for the refinement) sessions go: any number
   * greater than 0. A model takes its time to be made all the same. Default: `1`.
   */
  speed?: number;
  /**
   * Where chance begins, a whole number: two sandboxes with one seed give their sessions the same
   * codes. Default: `0`.
   */
  seed?: number;
  /**
   * Where the addresses of pictures and models lie, such as `"http://localhost:6006"`: for a server
   * that hands what it receives to `fetch`, which answers them, and hands on the answers: these
   * have all their headers then. Default: they are `blob:` addresses of this page, which any viewer
   * can load; where there are none, addresses that only `fetch` answers.
   */
  origin?: string;
}

/** A request as the sandbox received it. Nothing in it holds a key. */
export interface ReceivedRequest {
  /** Milliseconds since 1970. */
  at: number;
  method: string;
  /** With its port, as the request named it. */
  host: string;
  /** With its query. */
  path: string;
  /** The names of all headers, in small letters. */
  headers: string[];
  /** The key's first letters and its length. */
  key?: string;
  idempotency_key?: string;
  body_bytes: number;
  /** What was answered; nothing where no byte of an answer was sent. */
  status?: number;
  /** What was done instead of simply answering, where a fault was asked for. */
  delivery?: "drop" | "stall" | "truncate" | "throttle";
}

/** The Image-to-3D API, in this page. */
export interface Sandbox {
  /**
   * Answers as the API does, at any `http:` or `https:` address and at the `blob:` addresses of its
   * results; what else there is goes to the global `fetch`, as does a picture that a session names
   * by its address. Nothing else leaves the page. It needs no `this`.
   *
   * Faults come by the key, `apiKey: "fault_429_2"`: `GET /sandbox/faults` lists them. An abort
   * rejects with the signal's reason; a connection that a fault breaks, with a `TypeError`.
   *
   * @throws {ImageTo3dError} with kind `"internal"` where the WebAssembly cannot be loaded, or
   * broke: all sessions are gone then, and the next request finds a new, empty sandbox.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /**
   * Forgets all sessions and requests, revokes all `blob:` addresses, and ends what is under way:
   * its promises reject with a `TypeError`. The sandbox can be used on, as if it were new.
   */
  reset(): Promise<void>;
  /**
   * What was received since the last `reset`, the newest 1000, the oldest of them first: for tests
   * that count what was really sent.
   */
  requests(): Promise<ReceivedRequest[]>;
}

/**
 * Makes a sandbox: the API itself, in this page or in Node.js, for demos and tests without a
 * server, a key or a network. It makes real models of the pictures that it gets.
 *
 * Nothing is loaded before the first request. The work is done in a worker of its own; where none
 * can be started (`worker-src` without `blob:`, Node.js) on the page's own thread.
 *
 * @throws {ImageTo3dError} with kind `"invalid_options"`, at once.
 *
 * @example
 * const sandbox = createSandbox({ speed: 20 });
 * const session = await imageTo3d({ image: file, fetch: sandbox.fetch, interval: 50 });
 * viewer.src = session.preview_mesh_url_glb ?? ""; // a blob: address
 */
export function createSandbox(options?: SandboxOptions): Sandbox;
