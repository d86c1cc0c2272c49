// What the library, the server, the sandbox, the documentation and the page say about each image
// format. The table of docs/formats.md is compared with the code by a test of `crates/contract`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { createSession } from "../../pkg/index.js";
import { createSandbox } from "../../pkg/sandbox.js";
import { failure } from "../support/fake-api.js";

const baseUrl = process.env.SERVER;
const sandbox = createSandbox();
const servers = [
  { name: "server", options: { baseUrl } },
  { name: "sandbox", options: { fetch: sandbox.fetch } },
];

const picture = (/** @type {string} */ name) => readFileSync(`tests/fixtures/pictures/${name}`);

/**
 * A small file of each format. Those that nothing reads are cut off after their signature.
 *
 * @type {Record<string, Uint8Array<ArrayBuffer>>}
 */
const files = {
  PNG: picture("icc_swap.png"),
  JPEG: picture("icc_p3.jpg"),
  WebP: picture("orient6.webp"),
  GIF: Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64"),
  BMP: Buffer.from(
    "Qk06AAAAAAAAADYAAAAoAAAAAQAAAAEAAAABABgAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAQIDAAA",
    "base64",
  ),
  TIFF: picture("rgba_assoc.tif"),
  SVG: Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><rect width="9" height="9"/></svg>',
  ),
  AVIF: picture("photo.avif"),
  HEIC: picture("photo.heic"),
  "JPEG XL": Buffer.from([0xff, 0x0a]),
  ICO: Buffer.from([0, 0, 1, 0, 1, 0]),
};

/**
 * Returns the names in a list such as "PNG, GIF (the first frame) and SVG".
 *
 * @param {string} list
 */
const names = (list) =>
  list
    .replace(/\(.*?\)/g, "")
    .split(/,| and /)
    .map((name) => name.trim());

/**
 * Returns the captured groups of a pattern in a file, whose line breaks and comment signs are spaces.
 *
 * @param {string} file
 * @param {RegExp} pattern
 */
function find(file, pattern) {
  const text = readFileSync(file, "utf8").replace(/\n( \*|\/\/\/)?\s*/g, " ");
  const match = pattern.exec(text);
  assert.ok(match, `${pattern} is not in ${file}`);
  return match.slice(1);
}

const table = find("docs/formats.md", /## Images (.*?) The bytes decide/)[0]
  .split("| |")
  .slice(2);
const [everywhere, byServer, nowhere] = table.map((row) => names(row.split("|")[0]));

/** The formats that each server reads. */
const read = { server: [...everywhere, ...byServer], sandbox: everywhere };

test("the table has all formats", () => {
  assert.deepEqual([...everywhere, ...byServer, ...nowhere], Object.keys(files));
});

for (const [format, file] of Object.entries(files)) {
  for (const { name, options } of servers) {
    const isRead = read[/** @type {keyof typeof read} */ (name)].includes(format);
    test(`the ${name} ${isRead ? "reads" : "rejects"} ${format}`, async () => {
      const image = new Blob([file]);
      if (isRead) {
        await createSession({ image, ...options });
        return;
      }
      const error = await failure(createSession({ image, ...options }));
      assert.match(
        error.message,
        new RegExp(`^image: this server does not read ${format}. Convert it to JPEG, or use`),
      );
      assert.deepEqual(
        [error.code, error.status, error.body.code],
        ["unsupported_image", 400, "unsupported_image"],
      );
    });
  }
}

test("the library names the formats that the server or the sandbox reads", async () => {
  const image = new Blob(["text"]);
  const { message, sent } = await failure(createSession({ image, baseUrl }));
  assert.equal(sent, "no");
  assert.deepEqual(names(message.split("Supported: ")[1]), read.server);
});

for (const { name, options } of servers) {
  test(`the ${name} names the formats that it reads`, async () => {
    const { fetch = globalThis.fetch, baseUrl = "https://sandbox.example" } = options;
    const response = await fetch(`${baseUrl}/image-to-3d-sessions`, {
      method: "POST",
      body: JSON.stringify({ image_url: "data:image/png;base64,dGV4dA==" }),
    });
    const { message } = await response.json();
    assert.deepEqual(
      names(message.split("Supported: ")[1]),
      read[/** @type {keyof typeof read} */ (name)],
    );
  });
}

test("the documentation has the same lists", () => {
  assert.deepEqual(
    find("docs/api.d.ts", /server and its sandbox read (.*?), and the server reads (.*?)\. /).map(
      names,
    ),
    [everywhere, byServer],
  );
  assert.deepEqual(
    find(
      "docs/server.md",
      /It reads (.*?); the API in pages .*? except (.*?)\. (.*?) are rejected/,
    ).map(names),
    [read.server, byServer, nowhere],
  );
  assert.deepEqual(find("pkg/sandbox.d.ts", /It reads (.*?), but not (.*?)\./).map(names), [
    everywhere,
    byServer,
  ]);
});

test("the page offers the files that the server or the browser's `prepare` and the sandbox read", async () => {
  const [accept] = find("www/index.html", /<input id="image" .*? accept="(.*?)"/);
  const mediaTypes = read.server.map(async (format) => {
    // The library writes the media type of the format that it detects.
    /** @type {string[]} */
    const bodies = [];
    const fetch = async (/** @type {any} */ _url, /** @type {any} */ init) => {
      bodies.push(await new Response(init.body).text());
      return new Response();
    };
    await failure(createSession({ image: new Blob([files[format]]), baseUrl, fetch }));
    return bodies[0].match(/"data:(.*?);base64,/)?.[1];
  });
  assert.deepEqual(accept.split(","), await Promise.all(mediaTypes));
});
