// The links of the documentation.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

/** The folders that are written by tools. */
const written = /(^|\/)(node_modules|target|dist|\.\w+)\//;

const documents = readdirSync(".")
  .flatMap((name) =>
    statSync(name).isDirectory() && !written.test(`${name}/`)
      ? readdirSync(name, { recursive: true, encoding: "utf8" }).map((path) => join(name, path))
      : name,
  )
  .filter((path) => path.endsWith(".md") && !written.test(path) && !/^pkg\//.test(path))
  // The texts of the licences are those of others.
  .filter((path) => !path.endsWith("THIRD_PARTY_NOTICES.md"));

/**
 * Returns the anchors of a document, as GitHub derives them from its headings.
 *
 * @param {string} file
 */
function anchors(file) {
  const headings = withoutCode(readFileSync(file, "utf8")).matchAll(/^#+ (.*)$/gm);
  return Array.from(headings, ([, heading]) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** @param {string} text */
const withoutCode = (text) => text.replaceAll(/^```.*?^```/gms, "");

/** @param {string} text */
const linksOf = (text) =>
  Array.from(withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target);

test("relative links lead to files and headings", () => {
  const broken = documents.flatMap((file) =>
    linksOf(readFileSync(file, "utf8"))
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [path, anchor] = target.split("#");
        const to = path ? join(dirname(file), path) : file;
        if (!existsSync(to)) return true;
        return anchor && (statSync(to).isDirectory() || !anchors(to).includes(anchor));
      })
      .map((target) => `${file}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test("the README of the package has no relative links", () => {
  const links = linksOf(readFileSync("pkg/README.md", "utf8"));
  assert.ok(links.length > 10);
  assert.deepEqual(
    links.filter((target) => !/^(https:|#)/.test(target)),
    [],
  );
});

test("the links of llms.txt lead to files of the site and of the repository", () => {
  const repository =
    /^https:\/\/github\.com\/csm-image-to-3d\/csm-image-to-3d\/(blob|tree)\/main\//;
  const links = linksOf(readFileSync("dist/llms.txt", "utf8"));
  assert.ok(links.length > 8);
  const broken = links.filter(
    (target) =>
      !existsSync(repository.test(target) ? target.replace(repository, "") : `dist/${target}`),
  );
  assert.deepEqual(broken, []);
});

test("llms.txt starts with a title and a summary, and its sections are lists of links", () => {
  const [start, ...sections] = readFileSync("dist/llms.txt", "utf8").split(/^## .*\n/m);
  assert.match(start, /^# .+\n\n(> .+\n)+/);
  for (const section of sections) {
    for (const line of section.trim().split("\n")) assert.match(line, /^- \[[^\]]+\]\([^)]+\): ./);
  }
});

test("README can be read in some minutes", () => {
  const words = readFileSync("README.md", "utf8").split(/\s+/).length;
  assert.ok(words <= 1200, `${words} words`);
});
