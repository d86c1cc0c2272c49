// Compiles the code of the documentation and of the examples as strict TypeScript.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";

const folder = "target/snippets";

/** What the code of the documentation uses without declaring it. */
const GLOBALS = `
declare const file: File;
declare const baseUrl: string;
declare const session_code: string;
declare const session: import("csm-image-to-3d").Session;
declare const fileInput: HTMLInputElement;
declare const bar: HTMLProgressElement;
declare const viewer: { src: string | null };
declare const modelViewer: { src: string | null };
declare function show(value: unknown): void;
`;

const SETTINGS = {
  compilerOptions: {
    target: "es2024",
    module: "nodenext",
    lib: ["es2024", "dom", "dom.iterable"],
    types: ["node"],
    jsx: "react-jsx",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    allowJs: true,
    checkJs: true,
    noEmit: true,
    paths: {
      "csm-image-to-3d": ["../../pkg/index.d.ts"],
      "csm-image-to-3d/*": ["../../pkg/*.d.ts"],
    },
  },
  include: ["*", "../../tests/package/types.ts"],
};

/**
 * What the examples in comments use without importing it, by entry.
 *
 * @type {[entry: string, names: string[]][]}
 */
const EXPORTS = [
  [
    "csm-image-to-3d",
    Array.from(
      readFileSync("pkg/index.d.ts", "utf8").matchAll(/^ {2}([a-z]\w+),$|\{ (\w+)\b/gm),
      ([, name, single]) => name ?? single,
    ),
  ],
  ["csm-image-to-3d/react", ["useImageTo3d"]],
  ["csm-image-to-3d/sandbox", ["createSandbox"]],
];

test("the code of the documentation and of the examples is strict TypeScript", () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const written = [
    ...["README.md", ...markdownOf("docs"), ...markdownOf("examples")].flatMap(writeBlocks),
    ...[
      "wasm/csm_image_to_3d",
      "index",
      "error",
      "external",
      "react",
      "sandbox",
      "sandbox/external",
      "stage",
    ].flatMap((name) => writeExamples(`pkg/${name}.d.ts`)),
  ];
  for (const name of ["model.js", "upload.js"]) {
    cpSync(`examples/vitest/${name}`, `${folder}/${name}`);
  }
  writeFileSync(`${folder}/globals.d.ts`, GLOBALS);
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(SETTINGS, undefined, 2));
  writeFileSync(`${folder}/package.json`, '{ "type": "module" }\n');
  // README has blocks of JavaScript and of React, and each function an example.
  assert.ok(written.length > 12, String(written));
  const tsc = resolve("node_modules/.bin/tsc");
  const { stdout, status } = spawnSync(tsc, ["--project", folder], { encoding: "utf8" });
  assert.equal(stdout, "");
  assert.equal(status, 0);
});

/** @param {string} path */
const markdownOf = (path) =>
  readdirSync(path, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".md") && !name.includes("node_modules"))
    .map((name) => `${path}/${name}`);

/**
 * Writes the fenced blocks of a Markdown file.
 *
 * @param {string} path
 */
function writeBlocks(path) {
  const blocks = readFileSync(path, "utf8").matchAll(/^```(jsx?|tsx?)\n(.*?)^```$/gms);
  return [...blocks].map(([, language, code], index) => {
    const extension = language.endsWith("x") ? "tsx" : "ts";
    return write(`${path}-${index}`, extension, code);
  });
}

/**
 * Writes the examples in the comments of type definitions.
 *
 * @param {string} path
 */
function writeExamples(path) {
  const comments = readFileSync(path, "utf8").matchAll(/^ *\* @example\n(.*?)^ *(?:\*\/|\* @)/gms);
  return [...comments].map(([, comment], index) => {
    const code = comment.replaceAll(/^ *\* ?/gm, "");
    const imports = EXPORTS.map(([entry, names]) => {
      const used = names.filter((name) => new RegExp(`\\b${name}\\b`).test(code));
      return `import { ${used.join(", ")} } from "${entry}";\n`;
    });
    const isComplete = /^import /m.test(code);
    return write(`${path}-${index}`, "ts", isComplete ? code : imports.join("") + code);
  });
}

/**
 * @param {string} name
 * @param {string} extension
 * @param {string} code
 */
function write(name, extension, code) {
  const path = `${folder}/${name.replaceAll(/\W+/g, "-")}.${extension}`;
  writeFileSync(path, `${code}export {};\n`);
  return path;
}
