// The same call in code. The key is in neither text.

/** @import { Parameters } from "./pkg/index.js" */
/** @import { Endpoint } from "./endpoint.js" */

/**
 * @param {Endpoint} endpoint
 * @param {Parameters} parameters
 * @param {string | undefined} engine
 * @param {boolean} withKey
 */
export function javascript(endpoint, parameters, engine, withKey) {
  const inPage = endpoint === null;
  const lines = Object.entries(parameters).map(
    ([name, value]) => `  ${name}: ${JSON.stringify(value)},\n`,
  );
  const extra = engine ? `  extra: { engine: ${JSON.stringify(engine)} },\n` : "";
  const key = withKey ? "  apiKey: askForTheKey,\n" : "";
  return (
    'import { imageTo3d } from "csm-image-to-3d";\n' +
    (inPage
      ? 'import { createSandbox } from "csm-image-to-3d/sandbox";\n\nconst sandbox = createSandbox();\n'
      : "\n") +
    "const session = await imageTo3d({\n" +
    `  image: file,\n${lines.join("")}${extra}` +
    (inPage ? "  fetch: sandbox.fetch,\n" : `  baseUrl: ${JSON.stringify(endpoint)},\n`) +
    `${key}});\n`
  );
}

/**
 * @param {Endpoint} endpoint
 * @param {Parameters} parameters
 * @param {string | undefined} engine
 * @param {boolean} withKey
 * @param {{ name: string, type: string }} picture
 */
export function curl(endpoint, parameters, engine, withKey, { name, type }) {
  if (endpoint === null) {
    return "# curl needs a server: choose one as the endpoint above.\n";
  }
  const body = JSON.stringify({ ...parameters, engine }).slice(1, -1);
  const key = withKey ? '  --header "x-api-key: $API_KEY" \\\n' : "";
  const file = `'${name.replaceAll("'", "'\\''")}'`;
  return (
    `{ printf '${body ? `{${body.replaceAll("%", "%%")},` : "{"}"image_url":"data:${type};base64,'\n` +
    `  base64 < ${file} | tr -d '\\n'; printf '"}'; } |\n` +
    `curl '${endpoint}/image-to-3d-sessions' \\\n` +
    `  --header 'content-type: application/json' \\\n${key}  --data-binary @-\n`
  );
}
