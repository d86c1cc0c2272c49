// Installs the packed package in apps of every kind, and makes a session with each.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { built } from "./built.js";
import { examples } from "./examples.js";
import { tarball } from "./folder.js";
import { run } from "./programs.js";
import { keyProxies } from "./proxies/proxies.js";
import { printTable } from "./report.js";
import { runtimes } from "./runtimes.js";

after(printTable);

describe("the package in", { concurrency: 2 }, () => {
  built();
  runtimes();
  examples();
});

test("publint finds nothing", async () => {
  const said = await run("publint", ["run", tarball, "--strict"]);
  console.log(said.trim());
  assert.match(said, /All good!/);
});

test("the types resolve, says arethetypeswrong", async () => {
  const format = ["--format", "table-flipped", "--no-emoji", "--no-color"];
  console.log((await run("attw", [tarball, "--profile", "esm-only", ...format])).trim());
});

keyProxies();
