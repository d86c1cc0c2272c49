import { imageTo3d } from "csm-image-to-3d";
import { useEffect, useRef, useState } from "react";

/** A server that adds the key: a page holds none. */
const baseUrl = import.meta.env.VITE_API ?? "http://127.0.0.1:8787";

/**
 * One model at a time. What is known of it comes as `running`, `progress` (of the upload),
 * `session` and `error`.
 */
export function useImageTo3d() {
  const [state, setState] = useState({ running: false });
  const controller = useRef(new AbortController());

  // Nobody waits for the model any more when the component is gone.
  useEffect(() => () => controller.current.abort(), []);

  function cancel() {
    controller.current.abort();
    setState({ running: false });
  }

  async function make(image, parameters) {
    cancel();
    const { signal } = (controller.current = new AbortController());
    const update = (news) => {
      if (!signal.aborted) setState((state) => ({ ...state, ...news }));
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

  return { ...state, make, cancel };
}
