import type {
  ImageSource,
  ImageTo3dError,
  ImageTo3dSettings,
  Session,
  StageName,
} from "./index.js";

/** The options of the hook: defaults for all calls, and where a running session is stored. */
export interface UseImageTo3dOptions extends Omit<ImageTo3dSettings, "signal"> {
  /**
   * The key in `localStorage` under which the hook stores the code of the running session. With a key,
   * the hook resumes that session when the component is mounted again, for example after a reload.
   * Default: nothing is stored.
   */
  storageKey?: string | undefined;
}

/**
 * The state of the hook.
 *
 * - `"idle"`: nothing was started yet.
 * - `"preparing"`, `"encoding"`, `"sending"`: the phases of the upload.
 * - `"generating"`: the session exists, and the server generates the model.
 * - `"done"`: `session` has the model, or the spins with `preview_mesh: "turbo"`.
 * - `"failed"`: `error` tells why.
 * - `"cancelled"`: `cancel` was called.
 */
export type UseImageTo3dState =
  "idle" | "preparing" | "encoding" | "sending" | "generating" | "done" | "failed" | "cancelled";

/** The state and the functions of the hook. */
export interface UseImageTo3dResult {
  /** What the hook is doing. */
  state: UseImageTo3dState;
  /** Whether a call is running. */
  running: boolean;
  /** The progress of `state` from 0 to 100, if it is known. */
  progress?: number | undefined;
  /** The session as received last. */
  session?: Session | undefined;
  /** The error of a failed call; show its `userMessage`. */
  error?: ImageTo3dError | undefined;
  /**
   * Creates a session and waits for its model, in place of a running call. The options replace those
   * of the hook.
   *
   * @returns The session, or `undefined` if the call failed or was cancelled. Never rejects.
   */
  start(options: StartOptions): Promise<Session | undefined>;
  /**
   * Waits for an existing session, in place of a running call.
   *
   * @param session_code The code of the session.
   * @param until The stage to wait for. Default: `"preview"`.
   * @returns The session, or `undefined` if the call failed or was cancelled. Never rejects.
   */
  resume(session_code: string, until?: StageName): Promise<Session | undefined>;
  /** Cancels the running call. */
  cancel(): void;
}

/** The options of `start`. */
export type StartOptions = ImageSource &
  Omit<ImageTo3dSettings, "signal" | "onAbort" | "onProgress" | "onUpdate">;

/**
 * Creates one model at a time, and renders its progress.
 *
 * A call that is cancelled or replaced stops waiting; with `onAbort: "delete"` its session is deleted
 * too. A component that is unmounted only stops waiting.
 *
 * @param options Defaults for all calls. The hook uses those of the last rendering.
 * @returns The state and the functions, which keep their identity.
 *
 * @example
 * const { state, progress, session, error, start, cancel } = useImageTo3d({
 *   baseUrl: "https://my-server.example/csm",
 *   prepare: true,
 *   storageKey: "model",
 * });
 */
export function useImageTo3d(options?: UseImageTo3dOptions): UseImageTo3dResult;
