"use client";

import { useCallback, useEffect, useRef, useState } from "react";

import { deleteSession, imageTo3d, ImageTo3dError, stageOf, waitForSession } from "./index.js";

/** @import { Progress, Session, StageName } from "./index.js" */
/** @import { UseImageTo3dOptions, UseImageTo3dResult } from "./react.js" */
/** @typedef {Omit<UseImageTo3dResult, "start" | "resume" | "cancel" | "running">} View */
/** @typedef {{ controller: AbortController, session?: Session }} Call */
/** @typedef {{ code: string, until: StageName }} StoredCall */

/** @type {View} */
const idle = { state: "idle" };

/** @type {Set<View["state"]>} */
const settled = new Set(["idle", "done", "failed", "cancelled"]);

/** @type {typeof import("./react.js").useImageTo3d} */
export function useImageTo3d(options = {}) {
  const [view, setView] = useState(idle);
  // The functions always use the options of the last rendering, and keep their identity.
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  /** The running call, if there is one. */
  const running = useRef(/** @type {Call | undefined} */ (undefined));

  /** Ends the running call, if there is one. Only here a session is deleted, not by an unmount. */
  const end = useCallback(() => {
    const call = running.current;
    running.current = undefined;
    call?.controller.abort();
    const { storageKey, onAbort, apiKey, baseUrl, headers, fetch } = latest.current;
    if (call) store(storageKey, undefined);
    if (call?.session && onAbort === "delete") {
      const { session_code } = call.session;
      deleteSession(session_code, { apiKey, baseUrl, headers, fetch }).catch((error) =>
        console.warn(`csm-image-to-3d: could not delete the session ${session_code}:`, error),
      );
    }
    return call !== undefined;
  }, []);

  /**
   * Runs a call in place of the running one. A call that was replaced or cancelled changes the view no
   * more.
   */
  const run = useCallback(
    /**
     * @param {View} first what the hook returns at first
     * @param {StageName} until
     * @param {(callbacks: {
     *   signal: AbortSignal,
     *   onProgress: (progress: Progress) => void,
     *   onUpdate: (session: Session) => void,
     * }) => Promise<Session>} send
     */
    async (first, until, send) => {
      end();
      /** @type {Call} */
      const call = { controller: new AbortController() };
      running.current = call;
      const { signal } = call.controller;
      const { storageKey, onProgress, onUpdate } = latest.current;
      const update = (/** @type {View} */ view) => {
        if (!signal.aborted) setView(view);
      };
      update(first);
      try {
        const session = await send({
          signal,
          onProgress(progress) {
            const { phase, loaded, total } = progress;
            if (phase === "downloading") return;
            const percent = phase === "encoding" && total ? (loaded / total) * 100 : undefined;
            update({ state: phase, progress: percent });
            onProgress?.(progress);
          },
          onUpdate(session) {
            call.session = session;
            store(storageKey, { code: session.session_code, until });
            update({ state: "generating", session, progress: stageOf(session).percent });
            onUpdate?.(session);
          },
        });
        store(storageKey, undefined);
        update({ state: "done", session, progress: 100 });
        return signal.aborted ? undefined : session;
      } catch (thrown) {
        if (signal.aborted) return undefined;
        const error = toError(thrown, call.session);
        // After any other error the session may go on, and a reload may resume it.
        if (error.kind === "session_failed" || error.kind === "not_found") {
          store(storageKey, undefined);
        }
        update({ state: "failed", error, session: error.session });
        return undefined;
      } finally {
        if (running.current === call) running.current = undefined;
      }
    },
    [end],
  );

  /** @type {UseImageTo3dResult["start"]} */
  const start = useCallback(
    (startOptions) => {
      const { storageKey, onAbort, onProgress, onUpdate, ...shared } = latest.current;
      const options = { ...shared, ...startOptions };
      const until =
        options.preview_mesh === "turbo" ? "spins" : options.auto_refine ? "refine" : "preview";
      return run({ state: options.prepare ? "preparing" : "encoding" }, until, (callbacks) =>
        imageTo3d({ ...options, ...callbacks }),
      );
    },
    [run],
  );

  /** @type {UseImageTo3dResult["resume"]} */
  const resume = useCallback(
    (session_code, until = "preview") => {
      const { apiKey, baseUrl, headers, timeout, maxRetries, fetch, interval } = latest.current;
      const connection = { apiKey, baseUrl, headers, timeout, maxRetries, fetch, interval };
      return run({ state: "generating" }, until, ({ signal, onUpdate }) =>
        waitForSession(session_code, { ...connection, until, signal, onUpdate }),
      );
    },
    [run],
  );

  const cancel = useCallback(() => {
    if (end()) setView({ state: "cancelled" });
  }, [end]);

  useEffect(() => {
    const stored = load(latest.current.storageKey);
    if (stored) void resume(stored.code, stored.until);
    // Ends the polling; the session stays stored, so that the next mount resumes it.
    return () => {
      running.current?.controller.abort();
      running.current = undefined;
    };
  }, [resume]);

  return { ...view, running: !settled.has(view.state), start, resume, cancel };
}

/**
 * @param {unknown} thrown
 * @param {Session} [session]
 */
function toError(thrown, session) {
  if (thrown instanceof ImageTo3dError) return thrown;
  // A function of the app has thrown.
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ImageTo3dError(message, { kind: "internal", sent: "unknown", session, cause: thrown });
}

/**
 * Stores the running session, or removes it.
 *
 * @param {string | undefined} key
 * @param {StoredCall | undefined} call
 */
function store(key, call) {
  if (key === undefined) return;
  try {
    if (call) localStorage.setItem(key, JSON.stringify(call));
    else localStorage.removeItem(key);
  } catch {
    // The browser denies access to storage: a reload then resumes nothing.
  }
}

/**
 * @param {string | undefined} key
 * @returns {StoredCall | undefined}
 */
function load(key) {
  if (key === undefined) return undefined;
  try {
    const { code, until } = JSON.parse(localStorage.getItem(key) ?? "");
    return { code, until };
  } catch {
    return undefined;
  }
}
