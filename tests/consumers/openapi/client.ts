// Creates a session with the client that openapi-fetch derives from the types, and prints the URL of its
// model: node built/client.js SERVER IMAGE

import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

import createClient from "openapi-fetch";

import type { components, paths } from "./api.js";

type Session = components["schemas"]["Session"];

const [baseUrl = "", image = ""] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl });

const image_url = `data:image/webp;base64,${readFileSync(image, "base64")}`;
const created = await client.POST("/image-to-3d-sessions", {
  params: { header: { "Idempotency-Key": crypto.randomUUID() } },
  body: { image_url, creativity: "lowest", cutout: "background", pivot_point: [0, -0.5, 0] },
});
if (created.error) throw new Error(created.error.message);
let session: Session = created.data.data;

while (session.session_status !== "complete") {
  if (session.session_status === "failed") throw new Error(session.error);
  await setTimeout(100);
  const { session_code } = session;
  const polled = await client.GET("/image-to-3d-sessions/{session_code}", {
    params: { path: { session_code } },
  });
  if (polled.error) throw new Error(polled.error.message);
  session = polled.data.data;
}
console.log(session.preview_mesh_url_glb);

const rejected = await client.POST("/image-to-3d-sessions", {
  // @ts-expect-error the API knows no such value
  body: { image_url, creativity: "high" },
});
console.log(rejected.error?.message);

// @ts-expect-error there is no such field
console.log(session.mesh_glb);
// @ts-expect-error there is no such route
await client.GET("/image-to-3d-session");
