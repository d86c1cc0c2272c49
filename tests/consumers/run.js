// Tests the packed package in bundlers, runtimes and Jest, the examples and the proxies.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { bundlers } from "./bundlers.js";
import { examples } from "./examples.js";
import { jest } from "./jest.js";
import { generatedClients } from "./openapi.js";
import { run } from "./programs.js";
import { deployment } from "./proxies/deploy.js";
import { keyProxies } from "./proxies/proxies.js";
import { viteProxy } from "./proxies/vite-proxy.js";
import { printTable } from "./report.js";
import { scripts } from "./scripts.js";
import { runtimes } from "./runtimes.js";
import { tarball } from "./workspace.js";

after(printTable);

describe("the package in", { concurrency: 2 }, () => {
  bundlers();
  runtimes();
  jest();
  examples();
  scripts();
  generatedClients();
});

test("passes publint", async () => {
  const output = await run("publint", ["run", tarball, "--strict"]);
  console.log(output.trim());
  assert.match(output, /All good!/);
});

test("resolves its types in arethetypeswrong", async () => {
  const format = ["--format", "table-flipped", "--no-emoji", "--no-color"];
  console.log((await run("attw", [tarball, "--profile", "esm-only", ...format])).trim());
});

keyProxies();
viteProxy();
deployment();
