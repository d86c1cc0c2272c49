/**
 * A React hook that makes models.
 *
 * @module csm-image-to-3d/react
 */

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
   * the hook resumes that session when the component is mounted again, for example after a reload, and
   * in a second tab. Each component needs a key of its own. Default: nothing is stored.
   */
  storageKey?: string | undefined;
}

/**
 * What a call is doing, and its result.
 *
 * - `"idle"`: nothing was started yet.
 * - `"preparing"`, `"encoding"`, `"sending"`: the phases of the upload.
 * - `"generating"`: the session exists, and the server generates the model.
 * - `"done"`: `session` has the model, or the spins with `preview_mesh: "turbo"`.
 * - `"failed"`: `error` tells why; show its `userMessage`.
 * - `"cancelled"`: `cancel` was called.
 *
 * `progress` is that of `state` from 0 to 100, if it is known; `session` is the session as received
 * last.
 */
export type UseImageTo3dView =
  | {
      state: "idle" | "cancelled";
      running: false;
      progress?: undefined;
      session?: undefined;
      error?: undefined;
    }
  | {
      state: "preparing" | "encoding" | "sending" | "generating";
      running: true;
      progress?: number | undefined;
      session?: Session | undefined;
      error?: undefined;
    }
  | { state: "done"; running: false; progress?: undefined; session: Session; error?: undefined }
  | {
      state: "failed";
      running: false;
      progress?: undefined;
      session?: Session | undefined;
      error: ImageTo3dError;
    };

/** The functions of the hook. */
export interface UseImageTo3dFunctions {
  /**
   * Creates a session and waits for its model, in place of a running call. The options replace those
   * of the hook.
   *
   * @returns The session, or `undefined` if the call failed or was cancelled. Never rejects.
   */
  start: (options: StartOptions) => Promise<Session | undefined>;
  /**
   * Waits for an existing session, in place of a running call.
   *
   * @param session_code The code of the session.
   * @param until The stage to wait for. Default: `"preview"`.
   * @returns The session, or `undefined` if the call failed or was cancelled. Never rejects.
   */
  resume: (session_code: string, until?: StageName) => Promise<Session | undefined>;
  /** Cancels the running call, and removes the stored session. */
  cancel: () => void;
}

/** The result of the hook. */
export type UseImageTo3dResult = UseImageTo3dView & UseImageTo3dFunctions;

/** The options of `start`. A session that is resumed after a reload uses the hook's options only. */
export type StartOptions = ImageSource &
  Omit<ImageTo3dSettings, "signal" | "onProgress" | "onUpdate">;

/**
 * Creates one model at a time, and returns its progress.
 *
 * A call that is cancelled or replaced ends its upload or stops waiting; with `onAbort: "delete"` its
 * session is deleted too. When the component is unmounted, the call ends and the session is kept.
 *
 * @param options Defaults for all calls. The hook uses those of the last rendering.
 * @returns What the running call does, and functions that keep their identity.
 *
 * @example
 * const { state, progress, session, error, start, cancel } = useImageTo3d({
 *   baseUrl: "https://my-server.example/csm",
 *   prepare: true,
 *   storageKey: "model",
 * });
 */
export function useImageTo3d(options?: UseImageTo3dOptions): UseImageTo3dResult;
