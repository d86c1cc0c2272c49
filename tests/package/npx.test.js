// `npx csm-image-to-3d`: the API as a server, without Rust.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, globalAgent } from "node:https";
import { createServer as createPlainServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

import { isPublic, publicFetch } from "../../pkg/bin/fetch.js";
import {
  createSession,
  downloadModel,
  getSession,
  imageTo3d,
  waitForSession,
} from "../../pkg/index.js";
import { server } from "../support/browsers.js";
import { canary } from "../support/keys.js";
import { runNpx, startNpx } from "../support/npx.js";

const image = new Blob([readFileSync("www/samples/turtle.webp")]);
const fault = (/** @type {string} */ name) => `fault_${name}_${canary}${Math.random()}`;

/** A body that starts and never ends. */
const endless = () =>
  new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1000)) });

/** @type {Awaited<ReturnType<typeof startNpx>>} */
let npx;
/** @type {{ baseUrl: string, interval: number }} */
let options;
/** The URL of its sessions. @type {string} */
let sessions;
before(async () => {
  npx = await startNpx("--speed", "20");
  options = { baseUrl: npx.address, interval: 50 };
  sessions = `${npx.address}/image-to-3d-sessions`;
});

test("serves the library", async () => {
  const session = await imageTo3d({ image, ...options });
  assert.equal(session.status, "preview_done");
  const files = `${npx.address}/files/${session.session_code}`;
  assert.equal(session.image_url, `${files}/image`);
  assert.equal(session.preview_mesh_url_glb, `${files}/preview.glb`);
  assert.match(await (await downloadModel(session)).text(), /^glTF/);
  const picture = await fetch(`${files}/image`);
  assert.deepEqual(await picture.arrayBuffer(), await image.arrayBuffer());
});

test("serves the description of the API", async () => {
  const response = await fetch(`${npx.address}/openapi.json`);
  assert.equal(response.headers.get("content-type"), "application/json");
  const text = readFileSync("crates/server/docs/openapi.json", "utf8");
  assert.equal(await response.text(), text);
  assert.equal(readFileSync("pkg/openapi.json", "utf8"), text);
});

test("an image that crashes the decoder gets a 400, and the server keeps its sessions", async () => {
  const baseUrl = npx.address;
  const { session_code } = await createSession({ image, baseUrl });
  for (const name of ["tiled-planar.tif", "zero-width-frame.webp"]) {
    const file = new Blob([readFileSync(`tests/fixtures/${name}`)]);
    await assert.rejects(createSession({ image: file, baseUrl }), { status: 400 });
  }
  assert.equal((await getSession(session_code, { baseUrl })).session_code, session_code);
});

test("prints a curl command that makes a model", async () => {
  const line = String(/^ {2}(curl .*)$/m.exec(npx.printed.out)?.[1]);
  const { stdout } = await promisify(execFile)("sh", ["-c", `${line} --silent`]);
  const { data, statusCode } = JSON.parse(stdout);
  assert.equal(statusCode, 201);
  const session = await waitForSession(data.session_code, options);
  assert.equal(session.status, "preview_done");
});

test("responds as the Rust server does, with the same CORS headers", async () => {
  const headers = { "content-type": "application/json" };
  const [evil, local] = ["https://evil.example", "http://localhost:5173"];
  const privateNetwork = { "access-control-request-private-network": "true" };
  const data = `data:image/webp;base64,${Buffer.from(await image.arrayBuffer()).toString("base64")}`;
  const body = JSON.stringify({ image_url: data });
  /** @type {[string, RequestInit?][]} */
  const asked = [
    ["/image-to-3d-sessions", { method: "OPTIONS" }],
    ["/image-to-3d-sessions", { method: "OPTIONS", headers: { origin: evil, ...privateNetwork } }],
    ["/image-to-3d-sessions", { method: "OPTIONS", headers: { origin: local, ...privateNetwork } }],
    ["/image-to-3d-sessions", { method: "POST", headers: { origin: evil }, body }],
    ["/image-to-3d-sessions", { headers: { origin: "null" } }],
    ["/image-to-3d-sessions", { headers: { origin: local } }],
    ["/image-to-3d-sessions", { headers: { origin: evil, "x-api-key": fault("echo-json") } }],
    ["/files/SESSION_1_1/image", { headers: { origin: local } }],
    ["/image-to-3d-sessions", { method: "POST", headers, body }],
    ["/image-to-3d-sessions", { method: "POST", headers, body: '{ "creativity": "none" }' }],
    ["/image-to-3d-sessions", { method: "PUT", body }],
    ["/image-to-3d-sessions", { method: "HEAD" }],
    ["/image-to-3d-sessions/SESSION_1_1"],
    ["/files/SESSION_1_1/preview.glb", { method: "HEAD" }],
    ["/files/SESSION_1_1/preview.glb"],
    ["/sandbox/faults"],
    ["/image-to-3d-sessions", { headers: { "x-api-key": fault("429-after") } }],
    ["/image-to-3d-sessions", { headers: { "x-api-key": fault("429-hidden") } }],
    ["/image-to-3d-sessions", { headers: { "x-api-key": fault("echo-json") } }],
  ];
  for (const [path, init] of asked) {
    const [own, other] = await Promise.all(
      [npx.address, server].map(async (origin) => {
        // Only the Rust server compresses responses, and only it has the header `x-request-id`.
        const asked = { "accept-encoding": "identity", ...init?.headers };
        const answer = await fetch(origin + path, { ...init, headers: asked });
        const headers = Object.fromEntries(answer.headers);
        headers.vary = headers.vary?.replace(/(, )?accept-encoding/, "");
        // These depend on the connection, or on the length of codes and keys.
        for (const name of [
          ...["date", "connection", "keep-alive", "content-length", "x-echo", "x-request-id"],
          ...(headers.vary ? [] : ["vary"]),
        ]) {
          delete headers[name];
        }
        return { status: answer.status, headers, empty: !(await answer.text()) };
      }),
    );
    assert.deepEqual(own, other, `${init?.method ?? "GET"} ${path}`);
  }
});

test("sends the headers, ranges and validators of results", async () => {
  const session = await imageTo3d({ image, ...options });
  const url = String(session.preview_mesh_url_glb);
  const whole = await fetch(url);
  const size = (await whole.arrayBuffer()).byteLength;
  assert.equal(whole.headers.get("cache-control"), "private, max-age=86400");
  const name = `inline; filename="${session.session_code}-preview.glb"`;
  assert.equal(whole.headers.get("content-disposition"), name);
  const head = await fetch(url, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get("content-length"), String(size));
  const known = await fetch(url, {
    headers: { "if-none-match": String(whole.headers.get("etag")) },
  });
  assert.deepEqual([known.status, await known.text()], [304, ""]);
  const part = await fetch(url, { headers: { range: "bytes=0-3" } });
  assert.deepEqual([part.status, await part.text()], [206, "glTF"]);
  assert.equal(part.headers.get("content-range"), `bytes 0-3/${size}`);
  assert.equal(part.headers.get("content-length"), "4");
});

test("returns URLs at the address that it listens on, whatever the Host header says", async () => {
  const { session_code: code } = await createSession({ image, baseUrl: npx.address });
  const { port } = new URL(npx.address);
  for (const host of [`localhost:${port}`, `[::1]:${port}`]) {
    const flags = ["--silent", "--header", `Host: ${host}`, `${sessions}/${code}`];
    const { stdout } = await promisify(execFile)("curl", flags);
    assert.equal(JSON.parse(stdout).data.image_url, `${npx.address}/files/${code}/image`, host);
  }
  const { stdout } = await promisify(execFile)("curl", [
    ...["--silent", "--header", "Host:", "--write-out", "%{http_code}", "--http1.0", sessions],
  ]);
  assert.match(stdout, /200$/);
});

/**
 * Sends a request with these headers, and returns its status and message.
 *
 * @param {string} url
 * @param {string[]} headers
 */
async function sendWithCurl(url, ...headers) {
  const flags = headers.flatMap((header) => ["--header", header]);
  const { stdout } = await promisify(execFile)("curl", ["--silent", ...flags, url]);
  const { statusCode, message } = JSON.parse(stdout);
  return { status: statusCode, message };
}

test("rejects pages of other origins and other hosts, as the Rust server does", async () => {
  const shop = "https://shop.example";
  for (const url of [sessions, `${server}/image-to-3d-sessions`]) {
    assert.deepEqual(await sendWithCurl(url, `Origin: ${shop}`), {
      status: 403,
      message: `Requests from pages of ${shop} are not allowed. Start the server with --origin ${shop}`,
    });
    assert.deepEqual(
      await sendWithCurl(url, "Host: evil.example:80", "Origin: http://evil.example:80"),
      {
        status: 421,
        message:
          "Requests for the host evil.example are not allowed. Start the server with --host-name evil.example",
      },
    );
    for (const origin of [
      "http://localhost:1",
      "https://127.0.0.1",
      "http://[::1]:3",
      new URL(url).origin,
    ]) {
      assert.equal((await sendWithCurl(url, `Origin: ${origin}`)).status, 200, origin);
    }
  }
});

test("--origin and --host-name allow others", async () => {
  const { address, printed, kill, ended } = await startNpx(
    ...["--origin", "https://Shop.example:443/", "--host-name", "models.example"],
  );
  const url = `${address}/image-to-3d-sessions`;
  const local = "web pages: of localhost, 127.0.0.1, [::1] and this server";
  assert.ok(printed.out.includes(`\n${local}, and of https://shop.example\n`), printed.out);
  assert.equal((await sendWithCurl(url, "Origin: https://shop.example")).status, 200);
  assert.equal((await sendWithCurl(url, "Host: models.example:80")).status, 200);
  kill("SIGTERM");
  await ended;
});

describe("simulates failures", { concurrency: true }, () => {
  const asked = (/** @type {string} */ name, init = {}) =>
    fetch(sessions, { headers: { "x-api-key": fault(name) }, ...init });

  test("closes a connection before the response", async () => {
    for (const name of ["drop-before", "drop-after"]) {
      await assert.rejects(asked(name), { message: "fetch failed" });
    }
  });

  test("closes a connection in the middle of the response", async () => {
    const half = await asked("drop-middle");
    assert.equal(half.status, 200);
    let size = 0;
    const reading = async () => {
      for await (const piece of /** @type {AsyncIterable<Uint8Array>} */ (half.body)) {
        size += piece.length;
      }
    };
    await assert.rejects(reading());
    assert.equal(size, Math.floor(Number(half.headers.get("content-length")) / 2));
  });

  test("throttles a response", async () => {
    const began = performance.now();
    const slow = await asked("trickle");
    const head = performance.now() - began;
    assert.equal((await slow.text()).length, Number(slow.headers.get("content-length")));
    // About three seconds, minus the time that this process took to see the head.
    assert.ok(performance.now() - began - head > 1000);
  });

  test("stalls a response until the client aborts", async () => {
    for (const name of ["stall", "trickle"]) {
      const signal = AbortSignal.timeout(300);
      const answer = asked(name, { signal }).then((answer) => answer.text());
      await assert.rejects(answer, { name: "TimeoutError" });
    }
    assert.equal((await fetch(sessions)).status, 200);
  });

  test("redirects to another origin, and hides results from pages", async () => {
    const away = await asked("redirect", { redirect: "manual" });
    const elsewhere = sessions.replace("127.0.0.1", "localhost");
    assert.deepEqual([away.status, away.headers.get("location")], [307, elsewhere]);

    const session = await imageTo3d({ image, ...options, apiKey: fault("result-no-cors") });
    const model = await fetch(String(session.preview_mesh_url_glb));
    assert.deepEqual([model.status, model.headers.get("access-control-allow-origin")], [200, null]);
  });
});

test("rejects a body larger than 64 MiB, reads one of 64 MiB", async () => {
  const limit = 64 * 1024 * 1024;
  const post = (/** @type {number} */ size) =>
    fetch(sessions, { method: "POST", body: new Uint8Array(size).fill(32) });
  assert.equal((await post(limit)).status, 400);
  const refused = await post(limit + 1);
  assert.equal(refused.status, 413);
  assert.equal(refused.headers.get("access-control-allow-origin"), "*");
  // The Rust server's test compares its response with the same file.
  const expected = readFileSync("tests/support/payload-too-large.json", "utf8");
  assert.deepEqual(await refused.json(), JSON.parse(expected));
});

test("survives a client that aborts its upload", async () => {
  const signal = AbortSignal.timeout(200);
  /** @type {RequestInit & { duplex: string }} */
  const init = { method: "POST", body: endless(), signal, duplex: "half" };
  await assert.rejects(fetch(sessions, init));
  assert.equal((await fetch(sessions)).status, 200);
});

test("prints nothing while it serves parallel requests", async () => {
  const { out, err } = npx.printed;
  const responses = await Promise.all(Array.from({ length: 30 }, () => fetch(sessions)));
  assert.ok(responses.every(({ status }) => status === 200));
  assert.deepEqual(npx.printed, { out, err });
  assert.equal(err, "");
});

test("reports invalid flags", async () => {
  for (const [flags, words] of /** @type {const} */ ([
    [["--prot", "1"], "Unknown option '--prot'"],
    [["8080"], "Unexpected argument '8080'"],
    [["--port"], "Option '--port <value>' argument missing"],
    [["--port", "65536"], 'Invalid --port "65536": expected a whole number from 0 to 65535'],
    [["--port", "x"], 'Invalid --port "x": expected a whole number from 0 to 65535'],
    [
      ["--origin", "shop"],
      'Invalid --origin "shop": expected an origin such as "https://shop.example"',
    ],
    [["--host-name", "a:1"], 'Invalid --host-name "a:1": expected a name such as "models.example"'],
    [["--speed", "0"], 'Invalid --speed "0": expected a number greater than 0'],
  ])) {
    const { code, err, out } = await runNpx(...flags);
    assert.deepEqual({ code, out }, { code: 2, out: "" });
    assert.ok(err.startsWith(words) && err.endsWith("\nRun with --help for usage.\n"), err);
  }
});

test("--help lists the flags", async () => {
  const { code, out, err } = await runNpx("--help");
  assert.deepEqual({ code, err }, { code: 0, err: "" });
  for (const flag of [
    "--port N",
    "--speed N",
    "--origin URL",
    "--host-name NAME",
    "--help",
    "8787",
  ])
    assert.ok(out.includes(flag));
});

test("reports a port that is in use", async () => {
  const { port } = new URL(npx.address);
  const { code, err } = await runNpx("--port", port);
  assert.equal(code, 1);
  assert.equal(
    err,
    `Cannot listen on port ${port}: already in use. Choose another port with --port.\n`,
  );
});

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  test(`stops on ${signal} despite open requests and jobs`, async () => {
    const { address, ended, kill } = await startNpx("--speed", "0.1");
    await createSession({ image, baseUrl: address });
    const stalled = fetch(`${address}/image-to-3d-sessions`, {
      headers: { "x-api-key": fault("stall") },
    });
    const body = endless();
    /** @type {RequestInit & { duplex: string }} */
    const upload = { method: "POST", body, duplex: "half" };
    const sending = fetch(`${address}/image-to-3d-sessions`, upload);
    const broken = Promise.all([assert.rejects(stalled), assert.rejects(sending)]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const began = performance.now();
    kill(signal);
    const { code, err } = await ended;
    await broken;
    assert.deepEqual({ code, err }, { code: 0, err: "" });
    // Shorter than the first stage.
    assert.ok(performance.now() - began < 10_000);
  });
}

describe("images given by URL", () => {
  const folder = mkdtempSync(join(tmpdir(), "npx-"));
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder, name));
  /** @type {string[]} */
  const paths = [];
  /** @type {import("node:https").Server} */
  let host;
  /** @type {number} */
  let port;

  before(async () => {
    execFileSync("openssl", [
      ...["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
      ...["-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost"],
      ...["-addext", "subjectAltName=DNS:localhost"],
    ]);
    const files = { key: readFileSync(key), cert: readFileSync(cert) };
    host = createServer(files, (request, response) => {
      paths.push(`${request.headers.authorization ?? ""}${request.url}`);
      const to = /^\/to\/(.*)/.exec(request.url ?? "")?.[1];
      if (to) response.writeHead(302, { location: decodeURIComponent(to) });
      response.end("picture");
    });
    await once(host.listen(0, "127.0.0.1"), "listening");
    ({ port } = /** @type {import("node:net").AddressInfo} */ (host.address()));
    globalAgent.options.ca = files.cert;
  });
  after(() => {
    rmSync(folder, { recursive: true });
    globalAgent.destroy();
    host.closeAllConnections();
    host.close();
  });

  const to = (/** @type {string} */ url) =>
    `https://localhost:${port}/to/${encodeURIComponent(url)}`;

  test("a private address fails the session without a request", async () => {
    const plain = createPlainServer((_, response) => response.end()).listen(0, "127.0.0.1");
    await once(plain, "listening");
    const at = /** @type {import("node:net").AddressInfo} */ (plain.address());
    try {
      for (const [image_url, message] of /** @type {const} */ ([
        [`https://127.0.0.1:${port}/picture`, /does not lead to a public address/],
        [`https://localhost:${port}/picture`, /does not lead to a public address/],
        [`https://[::1]:${port}/picture`, /does not lead to a public address/],
        [`http://127.0.0.1:${at.port}/picture`, /only https: URLs are fetched/],
      ])) {
        const session = imageTo3d({ image_url, ...options });
        await assert.rejects(session, { kind: "session_failed", message });
      }
      assert.deepEqual(paths, []);
    } finally {
      plain.close();
    }
  });

  test("fetches from allowed addresses, following redirects to allowed addresses", async () => {
    const fetch = publicFetch((address) => address === "127.0.0.1" || address === "::1");
    const text = async (/** @type {string} */ url) => (await fetch(url)).text();
    const picture = `https://name:password@localhost:${port}/picture`;
    assert.equal(await text(picture), "picture");
    assert.equal(await text(to(to("/picture"))), "picture");
    assert.deepEqual([paths[0], paths.at(-1)], ["/picture", "/picture"]);

    const asked = paths.length;
    for (const url of ["https://10.0.0.1/", "https://0x7f.2/", "https://[::ffff:7f00:1]/"]) {
      await assert.rejects(text(to(url)), /does not lead to a public address/);
    }
    await assert.rejects(text(to("http://localhost/")), /only https/);
    assert.equal(paths.length, asked + 4);
    await assert.rejects(text(to(to(to(to("/picture"))))), /more than 3 redirects/);
    await assert.rejects(fetch(picture, { signal: AbortSignal.abort("enough") }), (reason) => {
      return reason === "enough";
    });
  });

  test("tells public addresses from others, as the Rust server does", () => {
    const table = readFileSync("tests/support/addresses.json", "utf8");
    for (const { address, is_public, why } of JSON.parse(table)) {
      assert.equal(isPublic(address), is_public, `${address}: ${why}`);
    }
  });
});
