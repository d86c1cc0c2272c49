// An app at one origin with the API: serves `dist`, the output of `vite build`, and the proxy under
// PATH_PREFIX, such as /api. The app passes `baseUrl: "/api"`.

import express from "express";

import { imageTo3dProxy } from "./express.js";

const { PATH_PREFIX, PORT = "3000" } = process.env;
const app = express();
app.use(PATH_PREFIX || "/", imageTo3dProxy({ ...process.env }));
app.use(express.static("dist"));
const server = app.listen(Number(PORT), "127.0.0.1", () => {
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  console.log(`listening on http://127.0.0.1:${port}`);
});
