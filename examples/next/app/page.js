"use client";

import { useImageTo3d } from "csm-image-to-3d/react";
import { useEffect } from "react";

export default function Page() {
  // The route handler in app/api adds the key.
  const { running, progress, session, error, start, cancel } = useImageTo3d({
    baseUrl: "/api",
    prepare: true,
    storageKey: "model",
  });
  // The viewer needs a browser: it cannot be imported where the page is rendered on the server.
  useEffect(() => void import("@google/model-viewer"), []);

  return (
    <main>
      <label>
        Image{" "}
        <input
          type="file"
          accept="image/*"
          disabled={running}
          onChange={({ target }) => target.files?.[0] && start({ image: target.files[0] })}
        />
      </label>
      {running && <progress max="100" value={progress} />}
      {running && <button onClick={cancel}>Cancel</button>}
      {error && <p role="alert">{error.userMessage}</p>}
      {session?.preview_mesh_url_glb && (
        <model-viewer
          src={session.preview_mesh_url_glb}
          alt="3D model of the image"
          camera-controls
          style={{ width: "100%", height: "70vh" }}
        />
      )}
    </main>
  );
}
