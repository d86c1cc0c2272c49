// An app for Express with the proxy as a middleware.

import express from "express";

import { imageTo3dProxy } from "./express.js";

const { PATH_PREFIX } = process.env;
const app = express();
app.use(PATH_PREFIX || "/", imageTo3dProxy({ ...process.env }));
app.use(express.json());
const server = app.listen(0, "127.0.0.1", () => {
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  console.log(`listening on http://127.0.0.1:${port}`);
});
