// Prints how many WebAssembly modules a sandbox compiles before its first request, how many after it,
// and the request's status. Then it must exit, although the session is still in progress.

import { readFileSync } from "node:fs";

import { createSandbox } from "../../pkg/sandbox.js";

let compiled = 0;
const { compile } = WebAssembly;
WebAssembly.compile = (bytes) => {
  // Node.js compiles small modules of its own.
  if (bytes.byteLength > 500_000) compiled++;
  return compile(bytes);
};

const sandbox = createSandbox({ speed: 0.001 });
const before = compiled;
const image = readFileSync("www/samples/turtle.webp").toString("base64");
const { status } = await sandbox.fetch("https://api.example/image-to-3d-sessions", {
  method: "POST",
  body: JSON.stringify({ image_url: `data:image/webp;base64,${image}` }),
});
console.log(before, compiled, status);
