// The same call in code. The key is in neither text.

/** @import { Parameters } from "./pkg/index.js" */

/**
 * @param {string} baseUrl
 * @param {Parameters} parameters
 * @param {boolean} withKey
 */
export function javascript(baseUrl, parameters, withKey) {
  const lines = Object.entries(parameters).map(
    ([name, value]) => `  ${name}: ${JSON.stringify(value)},\n`,
  );
  const key = withKey ? "  apiKey: askForTheKey,\n" : "";
  return (
    'import { imageTo3d } from "csm-image-to-3d";\n\n' +
    "const session = await imageTo3d({\n" +
    `  image: file,\n${lines.join("")}  baseUrl: ${JSON.stringify(baseUrl)},\n${key}});\n`
  );
}

/**
 * @param {string} baseUrl
 * @param {Parameters} parameters
 * @param {boolean} withKey
 * @param {{ name: string, type: string }} picture
 */
export function curl(baseUrl, parameters, withKey, { name, type }) {
  const body = JSON.stringify(parameters).slice(1, -1);
  const key = withKey ? '  --header "x-api-key: $API_KEY" \\\n' : "";
  const file = `'${name.replaceAll("'", "'\\''")}'`;
  return (
    `{ printf '${body ? `{${body.replaceAll("%", "%%")},` : "{"}"image_url":"data:${type};base64,'\n` +
    `  base64 < ${file} | tr -d '\\n'; printf '"}'; } |\n` +
    `curl '${baseUrl}/image-to-3d-sessions' \\\n` +
    `  --header 'content-type: application/json' \\\n${key}  --data-binary @-\n`
  );
}
