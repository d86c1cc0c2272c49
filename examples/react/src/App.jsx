import "@google/model-viewer";
import { stageOf } from "csm-image-to-3d";
import { useState } from "react";

import { useImageTo3d } from "./useImageTo3d.js";

export function App() {
  const [image, setImage] = useState();
  const [texture, setTexture] = useState(true);
  const { running, progress, session, error, createModel, cancel } = useImageTo3d();

  function submit(event) {
    event.preventDefault();
    createModel(image, { generate_texture: texture });
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
            onChange={(event) => setImage(event.target.files[0])}
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
        <button disabled={running}>Create model</button>
        {running && (
          <button type="button" onClick={cancel}>
            Cancel
          </button>
        )}
      </form>

      {running && <Status progress={progress} session={session} />}
      {error && <Failure error={error} />}
      {session?.preview_mesh_url_glb && (
        <model-viewer
          src={session.preview_mesh_url_glb}
          alt="3D model of the image"
          camera-controls
          auto-rotate
        />
      )}
    </main>
  );
}

/** Shows the progress of the upload, then of the session. */
function Status({ progress, session }) {
  if (session) {
    const { stage, state, percent } = stageOf(session);
    return (
      <p role="status">
        {session.session_code}: {stage} {state} <progress max="100" value={percent} />
      </p>
    );
  }
  return (
    <p role="status">
      Uploading… <progress max={progress?.total} value={progress?.loaded} />
    </p>
  );
}

/** Shows an error. Warns if a session may exist, because sessions can cost money. */
function Failure({ error }) {
  return (
    <p role="alert">
      {error.message}
      {error.session && ` The session ${error.session.session_code} keeps running.`}
      {!error.session &&
        error.sent === "unknown" &&
        " A session may have been created anyway: check before you try again."}
    </p>
  );
}
