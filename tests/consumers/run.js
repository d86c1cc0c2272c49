// Installs the packed package in apps of every kind, and makes a session with each.

import { after, describe } from "node:test";

import { built } from "./built.js";
import { install } from "./folder.js";
import { printTable } from "./report.js";
import { runtimes } from "./runtimes.js";

install();
after(printTable);

describe("the package in", { concurrency: 2 }, () => {
  built();
  runtimes();
});
