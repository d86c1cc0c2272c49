import { imageTo3d } from "csm-image-to-3d";
import { useEffect, useRef, useState } from "react";

/** A server that needs no key from the page, such as a proxy that adds it. */
const baseUrl = import.meta.env.VITE_API ?? "http://127.0.0.1:8787";

/**
 * Creates one model at a time. Returns its state: `running`, `progress` (of the upload), `session`
 * and `error`.
 */
export function useImageTo3d() {
  const [state, setState] = useState({ running: false });
  const controller = useRef(new AbortController());

  // Aborts the call when the component unmounts.
  useEffect(() => () => controller.current.abort(), []);

  function cancel() {
    controller.current.abort();
    setState({ running: false });
  }

  async function createModel(image, parameters) {
    cancel();
    const { signal } = (controller.current = new AbortController());
    const update = (changes) => {
      if (!signal.aborted) setState((state) => ({ ...state, ...changes }));
    };
    update({ running: true });
    try {
      const session = await imageTo3d({
        image,
        ...parameters,
        baseUrl,
        signal,
        onProgress: (progress) => update({ progress }),
        onUpdate: (session) => update({ session }),
      });
      update({ running: false, session });
    } catch (error) {
      update({ running: false, error });
    }
  }

  return { ...state, createModel, cancel };
}
