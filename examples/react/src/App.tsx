import "@google/model-viewer";
import type { ImageTo3dError } from "csm-image-to-3d";
import { useImageTo3d, type UseImageTo3dResult } from "csm-image-to-3d/react";
import { useState, type FormEvent } from "react";

/** A server that needs no key from the page, such as a proxy that adds it. */
const baseUrl: string = import.meta.env.VITE_API ?? "http://127.0.0.1:8787";

export function App() {
  const [image, setImage] = useState<File>();
  const [texture, setTexture] = useState(true);
  const model = useImageTo3d({
    baseUrl,
    prepare: true, // a photo of a phone is scaled down before the upload
    onAbort: "delete", // "Cancel" deletes the session
    storageKey: "csm-image-to-3d-example", // a reload resumes the session
  });

  function submit(event: FormEvent) {
    event.preventDefault();
    if (image) void model.start({ image, generate_texture: texture });
  }

  return (
    <main>
      <h1>Image to 3D</h1>
      <form onSubmit={submit}>
        <label>
          Image{" "}
          <input
            type="file"
            accept="image/*"
            required
            onChange={(event) => setImage(event.target.files?.[0])}
          />
        </label>
        <label>
          <input
            type="checkbox"
            checked={texture}
            onChange={(event) => setTexture(event.target.checked)}
          />{" "}
          Texture
        </label>
        <button disabled={model.running}>Create model</button>
        {model.running && (
          <button type="button" onClick={model.cancel}>
            Cancel
          </button>
        )}
      </form>

      <Status {...model} />
      {model.error && <Failure error={model.error} />}
      {model.session?.preview_mesh_url_glb && (
        <model-viewer
          src={model.session.preview_mesh_url_glb}
          alt="3D model of the image"
          camera-controls
          auto-rotate
        />
      )}
    </main>
  );
}

const messages: Record<UseImageTo3dResult["state"], string> = {
  idle: "Choose an image.",
  preparing: "Preparing the image…",
  encoding: "Reading the image…",
  sending: "Uploading…",
  generating: "Generating the model…",
  done: "Done.",
  failed: "",
  cancelled: "Cancelled.",
};

function Status({ state, running, progress, session }: UseImageTo3dResult) {
  return (
    <p role="status">
      {messages[state]} {running && <progress max="100" value={progress} />}{" "}
      {session && <small>{session.session_code}</small>}
    </p>
  );
}

/** Shows an error. Warns if a session may exist, because sessions can cost money. */
function Failure({ error }: { error: ImageTo3dError }) {
  const mayExist = error.sent === "unknown" && error.kind !== "session_failed";
  return (
    <p role="alert">
      {error.userMessage}
      {mayExist && " A model may have been started: look for it before you try again."}
      <br />
      <small>{error.message}</small>
    </p>
  );
}
