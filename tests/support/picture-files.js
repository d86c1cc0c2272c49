// Makes image files of the same nine patches: each format with color profiles, orientations, depths and
// transparency.

import { existsSync, readFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";

/** @import { Sharp, TiffOptions } from "sharp" */

/**
 * @typedef {object} PictureFile
 * @property {string} name
 * @property {string} type the media type
 * @property {Buffer} bytes
 * @property {number} [tolerance] the largest difference of a channel, if it is not the usual one
 * @property {string} [refusal] the server's message, if it does not read the file
 * @property {[number, number][]} points where the colors are compared, from 0 to 1 from the upper left
 * @property {{ bytes: Buffer, type: string, orientation: number }} [twin] a file with the same pixels that
 *   browsers show, and the orientation that they do not know
 */

/** The edge of a patch, in pixels: large enough for the subsampled colors of JPEG. */
const PATCH = 32;
const EDGE = 3 * PATCH;

/** Colors of the patches, row by row. */
const COLORS = [
  [202, 59, 43],
  [85, 177, 78],
  [40, 70, 190],
  [240, 240, 235],
  [128, 128, 128],
  [30, 28, 36],
  [230, 190, 40],
  [60, 170, 180],
  [150, 60, 150],
];

/** The opacity of the patches: the one in the middle is a hole. */
const OPACITIES = [255, 255, 200, 255, 0, 255, 170, 255, 255];

/** @param {number[]} positions */
const grid = (...positions) =>
  positions.flatMap((y) => positions.map((x) => /** @type {[number, number]} */ ([x, y])));

/** The centers of the patches, row by row. */
const NINTHS = grid(1 / 6, 1 / 2, 5 / 6);

/** Points in the quarters of the stored images. */
const QUARTERS = grid(0.3, 0.7);

const UNSUPPORTED_TIFF =
  "this server does not read this kind of TIFF file. Save it as PNG or JPEG.";

/** @param {string} name */
const fixture = (name) => `tests/fixtures/pictures/${name}`;

/** The orientations of EXIF, which name the edges of the upright image that the first row and column are. */
const ORIENTATIONS = [1, 2, 3, 4, 5, 6, 7, 8];

/**
 * @typedef {object} Pixels
 * @property {1 | 2 | 3 | 4} channels
 * @property {8 | 16} depth
 */

/**
 * Returns the patches as an input of `sharp`.
 *
 * @param {Pixels} pixels
 */
function patches({ channels, depth }) {
  const samples = new (depth === 8 ? Uint8Array : Uint16Array)(EDGE * EDGE * channels);
  for (let pixel = 0; pixel < EDGE * EDGE; pixel++) {
    const column = Math.floor((pixel % EDGE) / PATCH);
    const row = Math.floor(pixel / EDGE / PATCH);
    const patch = 3 * row + column;
    const opacity = channels % 2 === 0 ? [OPACITIES[patch]] : [];
    const color = channels > 2 ? COLORS[patch] : COLORS[patch].slice(1, 2);
    const values = [...color, ...opacity].map((value) => (depth === 8 ? value : value * 257));
    samples.set(values, pixel * channels);
  }
  const image = sharp(samples, { raw: { width: EDGE, height: EDGE, channels } });
  if (depth === 16) return image.toColourspace(channels > 2 ? "rgb16" : "grey16");
  return channels > 2 ? image : image.toColourspace("b-w");
}

const PROFILES = {
  plain: undefined,
  p3: fixture("p3.icc"),
  swapped: fixture("swap.icc"),
};

/** @param {number} channels */
const kind = (channels) => ({ 1: "gray", 2: "gray-alpha", 3: "rgb", 4: "rgba" })[channels];

/**
 * @param {Pixels} pixels
 * @param {{ profile?: keyof typeof PROFILES, orientation?: number }} [settings]
 */
function withMetadata(pixels, { profile = "plain", orientation = 1 } = {}) {
  let image = patches(pixels);
  // Before the profile, because it adds one of sRGB.
  if (orientation !== 1) image = image.withMetadata({ orientation });
  const path = PROFILES[profile];
  return path ? image.withIccProfile(path) : image;
}

/** @returns {AsyncGenerator<Omit<PictureFile, "points">>} */
async function* pngFiles() {
  for (const depth of /** @type {const} */ ([8, 16])) {
    for (const channels of /** @type {const} */ ([1, 2, 3, 4])) {
      for (const profile of /** @type {const} */ (["plain", "p3", "swapped"])) {
        if (channels < 3 && profile !== "plain") continue;
        const bytes = await withMetadata({ channels, depth }, { profile }).png().toBuffer();
        yield { name: `png ${kind(channels)} ${depth} ${profile}`, type: "image/png", bytes };
      }
    }
  }
  const palette = await patches({ channels: 3, depth: 8 }).png({ palette: true }).toBuffer();
  yield { name: "png palette", type: "image/png", bytes: palette };
  for (const colours of [2, 4, 8]) {
    const bytes = await patches({ channels: 1, depth: 8 })
      .png({ palette: true, colours, dither: 0 })
      .toBuffer();
    yield { name: `png palette of ${colours} colors`, type: "image/png", bytes };
  }
  const interlaced = await patches({ channels: 4, depth: 8 }).png({ progressive: true }).toBuffer();
  yield { name: "png interlaced", type: "image/png", bytes: interlaced };
  for (const orientation of [3, 6, 8]) {
    const bytes = await withMetadata({ channels: 3, depth: 8 }, { orientation }).png().toBuffer();
    yield { name: `png orientation ${orientation}`, type: "image/png", bytes };
  }
  const rgb = await patches({ channels: 3, depth: 8 }).png().toBuffer();
  const gray = await patches({ channels: 1, depth: 8 }).png().toBuffer();
  const gamma = (/** @type {number} */ value) => pngChunk("gAMA", numbers(value));
  // The primaries of Display P3 and the white of D65, times 100,000.
  const primaries = [31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000];
  const chromaticities = pngChunk("cHRM", numbers(...primaries));
  const srgb = pngChunk("sRGB", Buffer.of(0));
  /** @type {Record<string, Buffer[]>} */
  const chunks = {
    "gamma 1.0": [gamma(100_000)],
    "gamma 1/1.8": [gamma(55_556)],
    "gamma 1/2.2": [gamma(45_455)],
    "gamma and chromaticities": [gamma(45_455), chromaticities],
    "sRGB before gamma": [srgb, gamma(100_000)],
    "cICP Display P3": [pngChunk("cICP", Buffer.of(12, 13, 0, 1))],
    "cICP before gamma": [pngChunk("cICP", Buffer.of(1, 13, 0, 1)), gamma(100_000)],
    "profile before gamma": [iccChunk("swap.icc"), gamma(100_000)],
    "damaged profile": [pngChunk("iCCP", Buffer.from("damaged\0\0not deflated", "latin1"))],
  };
  for (const [name, added] of Object.entries(chunks)) {
    yield { name: `png ${name}`, type: "image/png", bytes: insertChunks(rgb, added) };
  }
  yield {
    name: "png gray gamma 1.0",
    type: "image/png",
    bytes: insertChunks(gray, [gamma(100_000)]),
  };
  const gammaProfile = pngChunk("iCCP", deflatedProfile(grayProfile(1.0)));
  yield { name: "png gray profile", type: "image/png", bytes: insertChunks(gray, [gammaProfile]) };
  yield {
    name: "png rgb with a gray profile",
    type: "image/png",
    bytes: insertChunks(rgb, [gammaProfile]),
  };
}

/** @returns {AsyncGenerator<Omit<PictureFile, "points">>} */
async function* jpegFiles() {
  const type = "image/jpeg";
  const settings = { quality: 95, chromaSubsampling: "4:4:4" };
  for (const profile of /** @type {const} */ (["plain", "p3", "swapped"])) {
    for (const orientation of profile === "plain" ? ORIENTATIONS : [1, 6]) {
      const image = withMetadata({ channels: 3, depth: 8 }, { profile, orientation });
      const bytes = await image.jpeg(settings).toBuffer();
      yield { name: `jpeg ${profile} orientation ${orientation}`, type, bytes };
    }
  }
  for (const [name, options] of Object.entries({
    "4:2:0": { quality: 95, chromaSubsampling: "4:2:0" },
    progressive: { ...settings, progressive: true },
    "quality 60": { quality: 60 },
  })) {
    const bytes = await patches({ channels: 3, depth: 8 }).jpeg(options).toBuffer();
    yield { name: `jpeg ${name}`, type, bytes };
  }
  for (const orientation of [3, 8]) {
    const image = withMetadata({ channels: 1, depth: 8 }, { orientation });
    const bytes = await image.jpeg(settings).toBuffer();
    yield { name: `jpeg gray orientation ${orientation}`, type, bytes };
  }
  const gray = await patches({ channels: 1, depth: 8 }).jpeg(settings).toBuffer();
  yield { name: "jpeg gray", type, bytes: gray };
  yield { name: "jpeg gray profile", type, bytes: insertProfile(gray, grayProfile(1.0)) };
  const rgb = await patches({ channels: 3, depth: 8 }).jpeg(settings).toBuffer();
  yield { name: "jpeg rgb with a gray profile", type, bytes: insertProfile(rgb, grayProfile(1.0)) };
  yield { name: "jpeg damaged profile", type, bytes: insertProfile(rgb, Buffer.alloc(200, 1)) };
  const cmyk = patches({ channels: 3, depth: 8 }).toColourspace("cmyk");
  yield { name: "jpeg CMYK", type, bytes: await cmyk.jpeg(settings).toBuffer() };
}

/** @returns {AsyncGenerator<Omit<PictureFile, "points">>} */
async function* webpFiles() {
  const type = "image/webp";
  for (const lossless of [true, false]) {
    for (const channels of /** @type {const} */ ([3, 4])) {
      for (const profile of /** @type {const} */ (["plain", "p3", "swapped"])) {
        const image = withMetadata({ channels, depth: 8 }, { profile });
        const bytes = await image.webp({ lossless, quality: 95 }).toBuffer();
        const form = lossless ? "lossless" : "lossy";
        yield { name: `webp ${form} ${kind(channels)} ${profile}`, type, bytes };
      }
    }
  }
  for (const orientation of [3, 6]) {
    const image = withMetadata({ channels: 3, depth: 8 }, { orientation });
    const bytes = await image.webp({ lossless: true }).toBuffer();
    yield { name: `webp orientation ${orientation}`, type, bytes };
  }
}

/** @returns {AsyncGenerator<Omit<PictureFile, "points">>} */
async function* avifFiles() {
  const type = "image/avif";
  for (const bitdepth of /** @type {const} */ ([8, 10, 12])) {
    for (const channels of /** @type {const} */ ([3, 4])) {
      for (const profile of /** @type {const} */ (["plain", "p3", "swapped"])) {
        if (bitdepth !== 8 && profile === "swapped") continue;
        const image = withMetadata({ channels, depth: 8 }, { profile });
        const options = { quality: 95, effort: 1, chromaSubsampling: "4:4:4", bitdepth };
        const bytes = await image.avif(options).toBuffer();
        // Chromium converts more than 8 bits less precisely: it shows 55 for a channel with the color 60.
        const tolerance = bitdepth > 8 && profile !== "plain" ? 6 : undefined;
        yield { name: `avif ${kind(channels)} ${bitdepth} ${profile}`, type, bytes, tolerance };
      }
    }
  }
  const options = { quality: 95, effort: 1 };
  for (const orientation of ORIENTATIONS.slice(1)) {
    const image = withMetadata({ channels: 3, depth: 8 }, { orientation });
    const bytes = await image.avif({ ...options, chromaSubsampling: "4:4:4" }).toBuffer();
    yield { name: `avif orientation ${orientation}`, type, bytes };
  }
  for (const bitdepth of /** @type {const} */ ([8, 10, 12])) {
    for (const channels of /** @type {const} */ ([1, 3, 4])) {
      const image = patches({ channels, depth: 8 });
      const form = { ...options, chromaSubsampling: "4:2:0", bitdepth };
      const bytes = await image.avif(form).toBuffer();
      yield { name: `avif 4:2:0 ${kind(channels)} ${bitdepth}`, type, bytes };
    }
  }
  const lossless = await patches({ channels: 3, depth: 8 }).avif({ lossless: true }).toBuffer();
  yield { name: "avif lossless", type, bytes: lossless };
}

/** @returns {AsyncGenerator<Omit<PictureFile, "points">>} */
async function* tiffFiles() {
  const type = "image/tiff";
  /** @param {Sharp} image */
  const twin = async (image, orientation = 1) => ({
    bytes: await image.clone().png().toBuffer(),
    type: "image/png",
    orientation,
  });
  for (const depth of /** @type {const} */ ([8, 16])) {
    for (const channels of /** @type {const} */ ([1, 2, 3, 4])) {
      for (const profile of /** @type {const} */ (["plain", "p3", "swapped"])) {
        if (channels < 3 && profile !== "plain") continue;
        const image = withMetadata({ channels, depth }, { profile });
        const bytes = await image.clone().tiff({ compression: "lzw" }).toBuffer();
        const name = `tiff ${kind(channels)} ${depth} ${profile}`;
        yield { name, type, bytes, twin: await twin(image) };
      }
    }
  }
  for (const orientation of ORIENTATIONS.slice(1)) {
    const image = withMetadata({ channels: 3, depth: 8 }, { orientation });
    const bytes = await image.tiff({ compression: "none" }).toBuffer();
    const upright = await twin(patches({ channels: 3, depth: 8 }), orientation);
    yield { name: `tiff orientation ${orientation}`, type, bytes, twin: upright };
  }
  /** @type {Record<string, TiffOptions>} */
  const forms = {
    uncompressed: { compression: "none" },
    deflate: { compression: "deflate" },
    "deflate with a predictor": { compression: "deflate", predictor: "horizontal" },
    packbits: { compression: "packbits" },
    tiles: { compression: "lzw", tile: true, tileWidth: 32, tileHeight: 32 },
    BigTIFF: { compression: "lzw", bigtiff: true },
    pyramid: { compression: "none", tile: true, pyramid: true },
  };
  for (const [name, options] of Object.entries(forms)) {
    for (const channels of /** @type {const} */ ([1, 3, 4])) {
      const image = patches({ channels, depth: 8 });
      const bytes = await image.clone().tiff(options).toBuffer();
      // The decoder of LZW data loses the end of such tiles.
      const refusal = name === "tiles" && channels === 1 ? UNSUPPORTED_TIFF : undefined;
      yield {
        name: `tiff ${kind(channels)} ${name}`,
        type,
        bytes,
        twin: await twin(image),
        refusal,
      };
    }
  }
  for (const channels of /** @type {const} */ ([1, 3])) {
    const image = patches({ channels, depth: 8 });
    const bytes = await image.clone().tiff({ compression: "jpeg", quality: 95 }).toBuffer();
    yield { name: `tiff ${kind(channels)} JPEG`, type, bytes, twin: await twin(image) };
  }
}

/** @returns {AsyncGenerator<Omit<PictureFile, "points">>} */
async function* otherFiles() {
  for (const channels of /** @type {const} */ ([3, 4])) {
    const bytes = await patches({ channels, depth: 8 }).gif({ dither: 0 }).toBuffer();
    yield { name: `gif ${kind(channels)}`, type: "image/gif", bytes };
  }
  for (const isTopDown of [false, true]) {
    const name = `bmp ${isTopDown ? "from the top" : "from the bottom"}`;
    yield { name, type: "image/bmp", bytes: await bitmap(isTopDown) };
  }
  const opaque = svg(OPACITIES.map(() => 255));
  yield { name: "svg", type: "image/svg+xml", bytes: opaque };
  yield { name: "svg with transparency", type: "image/svg+xml", bytes: svg(OPACITIES) };
}

/** @param {number[]} opacities */
function svg(opacities) {
  const rectangles = COLORS.map(([red, green, blue], patch) => {
    const [x, y] = [PATCH * (patch % 3), PATCH * Math.floor(patch / 3)];
    const fill = `fill="rgb(${red} ${green} ${blue})" fill-opacity="${opacities[patch] / 255}"`;
    return `<rect x="${x}" y="${y}" width="${PATCH}" height="${PATCH}" ${fill}/>`;
  });
  const size = `width="${EDGE}" height="${EDGE}"`;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} shape-rendering="crispEdges">${rectangles.join("")}</svg>`,
  );
}

/**
 * Writes a bitmap with 24 bits per pixel.
 *
 * @param {boolean} isTopDown
 */
async function bitmap(isTopDown) {
  const { data } = await patches({ channels: 3, depth: 8 })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const header = Buffer.alloc(54);
  header.write("BM", "latin1");
  header.writeUInt32LE(54 + data.length, 2);
  header.writeUInt32LE(54, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(EDGE, 18);
  header.writeInt32LE(isTopDown ? -EDGE : EDGE, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(24, 28);
  const rows = Array.from({ length: EDGE }, (_, row) => {
    const bytes = Buffer.from(data.subarray(3 * EDGE * row, 3 * EDGE * (row + 1)));
    // The colors are in the order blue, green, red.
    for (let at = 0; at < bytes.length; at += 3) bytes.subarray(at, at + 3).reverse();
    return bytes;
  });
  return Buffer.concat([header, ...(isTopDown ? rows : rows.reverse())]);
}

/** @param {number[]} values */
function numbers(...values) {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32BE(value, 4 * index));
  return bytes;
}

/**
 * @param {string} name
 * @param {Buffer} data
 */
function pngChunk(name, data) {
  const named = Buffer.concat([Buffer.from(name, "latin1"), data]);
  return Buffer.concat([numbers(data.length), named, numbers(crc32(named))]);
}

/** @param {Buffer} profile */
const deflatedProfile = (profile) =>
  Buffer.concat([Buffer.from("profile\0\0", "latin1"), deflateSync(profile)]);

/** @param {string} name */
const iccChunk = (name) => pngChunk("iCCP", deflatedProfile(readFileSync(fixture(name))));

/**
 * Inserts chunks after the header of a PNG file.
 *
 * @param {Buffer} file
 * @param {Buffer[]} chunks
 */
function insertChunks(file, chunks) {
  const header = 8 + 25;
  return Buffer.concat([file.subarray(0, header), ...chunks, file.subarray(header)]);
}

/**
 * Inserts a color profile at the start of a JPEG file.
 *
 * @param {Buffer} file
 * @param {Buffer} profile
 */
function insertProfile(file, profile) {
  const data = Buffer.concat([Buffer.from("ICC_PROFILE\0\x01\x01", "latin1"), profile]);
  const marker = Buffer.of(0xff, 0xe2, (data.length + 2) >> 8, (data.length + 2) & 0xff);
  return Buffer.concat([file.subarray(0, 2), marker, data, file.subarray(2)]);
}

/**
 * Makes a color profile of gray images: version 2 of ICC.1, with a white point and a gamma.
 *
 * @param {number} gamma
 */
function grayProfile(gamma) {
  const text = (/** @type {string} */ value) => Buffer.from(value.padEnd(4, "\0"), "latin1");
  const d50 = numbers(63190, 65536, 54061);
  const white = Buffer.concat([text("XYZ"), numbers(0), d50]);
  white[3] = 0x20;
  const exponent = Buffer.alloc(4);
  exponent.writeUInt16BE(Math.round(gamma * 256));
  const curve = Buffer.concat([text("curv"), numbers(0, 1), exponent]);
  const start = 128 + 4 + 2 * 12;
  const table = Buffer.concat([
    numbers(2),
    text("wtpt"),
    numbers(start, white.length),
    text("kTRC"),
    numbers(start + white.length, 14),
  ]);
  const header = Buffer.alloc(128);
  header.writeUInt32BE(start + white.length + curve.length);
  header.writeUInt32BE(0x02400000, 8);
  header.write("mntrGRAYXYZ ", 12, "latin1");
  header.write("acsp", 36, "latin1");
  d50.copy(header, 68);
  return Buffer.concat([header, table, white, curve]);
}

/** The stored files, each of which was once read wrong. */
const STORED = {
  "bigtiff.tif": "image/tiff",
  "display-p3.jpg": "image/jpeg",
  "exif-prefixed.webp": "image/webp",
  "gama1.png": "image/png",
  "icc_p3.jpg": "image/jpeg",
  "icc_swap.png": "image/png",
  "noiend.png": "image/png",
  "orient6.webp": "image/webp",
  "pal.tif": "image/tiff",
  "photo.avif": "image/avif",
  "rgba_assoc.tif": "image/tiff",
};

/** @returns {AsyncGenerator<Omit<PictureFile, "points">>} */
async function* storedFiles() {
  for (const [name, type] of Object.entries(STORED)) {
    const paths = [fixture(name), `tests/fixtures/${name}`];
    const bytes = readFileSync(paths.find((path) => existsSync(path)) ?? name);
    const isTiff = type === "image/tiff";
    const png = isTiff ? await sharp(bytes).png().toBuffer() : undefined;
    const twin = png && { bytes: png, type: "image/png", orientation: 1 };
    yield { name, type, bytes, twin };
  }
}

/** Makes the files of all formats. */
export async function makePictureFiles() {
  /** @type {PictureFile[]} */
  const files = [];
  for (const make of [
    pngFiles,
    jpegFiles,
    webpFiles,
    avifFiles,
    tiffFiles,
    otherFiles,
    storedFiles,
  ]) {
    const points = make === storedFiles ? QUARTERS : NINTHS;
    for await (const file of make()) files.push({ ...file, points });
  }
  return files;
}
