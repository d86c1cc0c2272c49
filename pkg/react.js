"use client";

import { useCallback, useEffect, useRef, useState } from "react";

import { deleteSession, imageTo3d, ImageTo3dError, stageOf, waitForSession } from "./index.js";

/** @import { ConnectionOptions, ImageTo3dOptions, ImageTo3dSettings } from "./index.js" */
/** @import { Progress, Session, StageName } from "./index.js" */
/** @import { UseImageTo3dResult, UseImageTo3dView } from "./react.js" */

/**
 * A running call.
 *
 * @typedef {object} Call
 * @property {AbortController} controller
 * @property {ConnectionOptions} connection
 * @property {ImageTo3dSettings["onAbort"]} onAbort
 * @property {string | undefined} storageKey
 * @property {boolean} isResumed whether the hook has started it by itself
 * @property {boolean} isSent whether the request was sent
 * @property {string} [code] of its session
 */

/** @typedef {{ code: string, until: StageName }} StoredCall */

/** @type {UseImageTo3dView} */
const idle = { state: "idle", running: false };

const stages = ["spins", "preview", "refine"];

/** @type {typeof import("./react.js").useImageTo3d} */
export function useImageTo3d(options = {}) {
  const [view, setView] = useState(idle);
  // The functions use the options of the last rendering, and keep their identity.
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  const isUnmounted = useRef(false);
  /** The running call, if there is one. */
  const running = useRef(/** @type {Call | undefined} */ (undefined));

  /**
   * Ends the running call, if there is one. Its session is deleted with `onAbort: "delete"`, unless the
   * next call continues it.
   */
  const end = useCallback((/** @type {string | undefined} */ nextCode) => {
    const call = running.current;
    running.current = undefined;
    if (!call) return;
    call.controller.abort();
    const { code, connection, onAbort, storageKey } = call;
    if (!code || code === nextCode) return;
    forget(storageKey, code);
    if (onAbort !== "delete") return;
    deleteSession(code, connection).catch((error) =>
      console.warn(`csm-image-to-3d: could not delete the session ${code}:`, error),
    );
  }, []);

  /**
   * Runs a call in place of the running one. A call that was replaced or cancelled no longer changes
   * what the hook returns.
   */
  const run = useCallback(
    /**
     * @param {ImageTo3dSettings} options
     * @param {{ until: StageName, code?: string, isResumed?: boolean }} about
     * @param {UseImageTo3dView} first what the hook returns at first
     * @param {(callbacks: {
     *   signal: AbortSignal,
     *   onProgress: (progress: Progress) => void,
     *   onUpdate: (session: Session) => void,
     * }) => Promise<Session>} send
     * @returns {Promise<Session | undefined>}
     */
    async (options, { until, code, isResumed = false }, first, send) => {
      if (isUnmounted.current) return undefined;
      end(code);
      const { storageKey } = latest.current;
      const controller = new AbortController();
      const { onAbort } = options;
      const connection = connectionOf(options);
      /** @type {Call} */
      const call = { controller, connection, onAbort, storageKey, isResumed, isSent: false, code };
      running.current = call;
      /** @type {Session | undefined} */
      let last;
      const { signal } = controller;
      const update = (/** @type {UseImageTo3dView} */ view) => {
        if (!signal.aborted) setView(view);
      };
      update(first);
      try {
        const session = await send({
          signal,
          onProgress(progress) {
            const { phase, loaded, total } = progress;
            if (phase === "downloading") return;
            call.isSent ||= phase === "sending";
            const percent = phase === "encoding" && total ? (loaded / total) * 100 : undefined;
            update({ state: phase, running: true, progress: percent });
            latest.current.onProgress?.(progress);
          },
          onUpdate(session) {
            call.code = session.session_code;
            // Once, so that another component with the same key is not overwritten again and again.
            if (storageKey && !last) store(storageKey, { code: call.code, until });
            last = session;
            const progress = stageOf(session).percent;
            update({ state: "generating", running: true, session, progress });
            latest.current.onUpdate?.(session);
          },
        });
        // A session that waits for the selection of a spin goes on.
        if (stageOf(session).stage !== "spins") forget(storageKey, session.session_code);
        update({ state: "done", running: false, session });
        return signal.aborted ? undefined : session;
      } catch (thrown) {
        if (!signal.aborted) update(failure(thrown, call, last));
        return undefined;
      } finally {
        if (running.current === call) running.current = undefined;
      }
    },
    [end],
  );

  /** @type {UseImageTo3dResult["start"]} */
  const start = useCallback(
    async (startOptions) => {
      const { storageKey, onProgress, onUpdate, ...shared } = latest.current;
      // The default for images does not apply to a URL.
      if ("image_url" in startOptions) delete shared.prepare;
      const options = { ...shared, ...startOptions };
      /** @type {StageName} */
      const until =
        options.preview_mesh === "turbo" ? "spins" : options.auto_refine ? "refine" : "preview";
      const state = options.prepare ? "preparing" : "encoding";
      // The hook deletes the session itself, because an unmount must not.
      return run(options, { until }, { state, running: true }, (callbacks) =>
        imageTo3d(/** @type {ImageTo3dOptions} */ ({ ...options, onAbort: "keep", ...callbacks })),
      );
    },
    [run],
  );

  const follow = useCallback(
    (/** @type {string} */ code, /** @type {StageName} */ until, isResumed = false) =>
      run(
        latest.current,
        { until, code, isResumed },
        { state: "generating", running: true },
        (callbacks) => {
          const { signal, onUpdate } = callbacks;
          const { interval } = latest.current;
          const connection = connectionOf(latest.current);
          return waitForSession(code, { ...connection, until, signal, interval, onUpdate });
        },
      ),
    [run],
  );

  /** @type {UseImageTo3dResult["resume"]} */
  const resume = useCallback((code, until = "preview") => follow(code, until), [follow]);

  const cancel = useCallback(() => {
    end(undefined);
    forget(latest.current.storageKey);
    setView((view) => (view.running ? { state: "cancelled", running: false } : view));
  }, [end]);

  const { storageKey } = options;
  useEffect(() => {
    isUnmounted.current = false;
    const stored = load(storageKey);
    if (stored && !running.current) void follow(stored.code, stored.until, true);
    return () => {
      isUnmounted.current = true;
      // Ends the polling. The session stays stored, so that the next mount resumes it.
      running.current?.controller.abort();
      running.current = undefined;
      // The effect also ends without an unmount, for example when the component is hidden.
      setView((view) => (view.running ? idle : view));
    };
  }, [follow, storageKey]);

  return { ...view, start, resume, cancel };
}

/**
 * Returns the view of a failed call, and forgets its session if it has ended.
 *
 * @param {unknown} thrown
 * @param {Call} call
 * @param {Session} [session] as received last
 * @returns {UseImageTo3dView}
 */
function failure(thrown, { storageKey, code, isResumed, isSent }, session) {
  /** @type {ImageTo3dError} */
  let error;
  if (thrown instanceof ImageTo3dError) {
    error = thrown;
  } else {
    // A function of the app has thrown.
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const sent = isSent || session ? "unknown" : "no";
    error = new ImageTo3dError(message, { kind: "internal", sent, session, cause: thrown });
  }
  // After any other error the session may go on, and a reload may resume it.
  const isOver = ["session_failed", "not_found", "invalid_options"].includes(error.kind);
  if (isOver && code) forget(storageKey, code);
  // The user has not asked for a session that no longer exists.
  if (isOver && isResumed && !session) return idle;
  return { state: "failed", running: false, error, session: error.session };
}

/**
 * @param {ImageTo3dSettings} options
 * @returns {ConnectionOptions}
 */
const connectionOf = ({ apiKey, baseUrl, headers, timeout, maxRetries, fetch }) => ({
  apiKey,
  baseUrl,
  headers,
  timeout,
  maxRetries,
  fetch,
});

/**
 * Stores the running session.
 *
 * @param {string} key
 * @param {StoredCall} call
 */
function store(key, call) {
  try {
    localStorage.setItem(key, JSON.stringify(call));
  } catch {
    // The browser denies access to storage: a reload then resumes nothing.
  }
}

/**
 * Removes what is stored: any session, or only the one with this code.
 *
 * @param {string | undefined} key
 * @param {string} [code]
 */
function forget(key, code) {
  if (key === undefined || (code !== undefined && load(key)?.code !== code)) return;
  try {
    localStorage.removeItem(key);
  } catch {
    // See `store`.
  }
}

/**
 * Returns the stored session, if there is one.
 *
 * @param {string | undefined} key
 * @returns {StoredCall | undefined}
 */
function load(key) {
  if (key === undefined) return undefined;
  try {
    const { code, until } = JSON.parse(localStorage.getItem(key) ?? "null") ?? {};
    return typeof code === "string" && stages.includes(until) ? { code, until } : undefined;
  } catch {
    return undefined;
  }
}
