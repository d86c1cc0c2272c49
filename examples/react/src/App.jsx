import "@google/model-viewer";
import { stageOf } from "csm-image-to-3d";
import { useState } from "react";

import { useImageTo3d } from "./useImageTo3d.js";

export function App() {
  const [image, setImage] = useState();
  const [texture, setTexture] = useState(true);
  const { running, progress, session, error, make, cancel } = useImageTo3d();

  function submit(event) {
    event.preventDefault();
    make(image, { generate_texture: texture });
  }

  return (
    <main>
      <h1>Image to 3D</h1>
      <form onSubmit={submit}>
        <label>
          Picture{" "}
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
          With texture
        </label>
        <button disabled={running}>Make the model</button>
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
          alt="The model made from the picture"
          camera-controls
          auto-rotate
        />
      )}
    </main>
  );
}

/** How far it is: the upload first, then the stages of the session. */
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
      Uploading <progress max={progress?.total} value={progress?.loaded} />
    </p>
  );
}

/** A session costs money: where one may exist, whoever tries again should know it. */
function Failure({ error }) {
  return (
    <p role="alert">
      {error.message}
      {error.session && ` It goes on as ${error.session.session_code}.`}
      {!error.session &&
        error.sent === "unknown" &&
        " A session may exist all the same: look before you try again."}
    </p>
  );
}
