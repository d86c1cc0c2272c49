// The form's request as code. No snippet contains the API key.

/** @import { ModelParameters } from "./pkg/index.js" */
/** @import { Endpoint } from "./endpoint.js" */

/**
 * @typedef {object} SnippetRequest
 * @property {Endpoint} endpoint
 * @property {ModelParameters} parameters
 * @property {string | undefined} engine
 * @property {boolean} hasApiKey
 */

/**
 * Returns the request as JavaScript.
 *
 * @param {SnippetRequest} request
 */
export function javascriptSnippet({ endpoint, parameters, engine, hasApiKey }) {
  const inPage = endpoint === null;
  const options = Object.entries(parameters).map(
    ([name, value]) => `  ${name}: ${JSON.stringify(value)},\n`,
  );
  const extra = engine ? `  extra: { engine: ${JSON.stringify(engine)} },\n` : "";
  const apiKey = hasApiKey ? "  apiKey: getApiKey,\n" : "";
  return (
    'import { imageTo3d } from "csm-image-to-3d";\n' +
    (inPage
      ? 'import { createSandbox } from "csm-image-to-3d/sandbox";\n\nconst sandbox = createSandbox();\n'
      : "\n") +
    "const session = await imageTo3d({\n" +
    `  image: file,\n${options.join("")}${extra}` +
    (inPage ? "  fetch: sandbox.fetch,\n" : `  baseUrl: ${JSON.stringify(endpoint)},\n`) +
    `${apiKey}});\n`
  );
}

/**
 * Returns the request as a curl command.
 *
 * @param {SnippetRequest} request
 * @param {{ name: string, type: string }} image
 */
export function curlSnippet({ endpoint, parameters, engine, hasApiKey }, { name, type }) {
  if (endpoint === null) {
    return "# curl needs a server: select one under Endpoint.\n";
  }
  const body = JSON.stringify({ ...parameters, engine }).slice(1, -1);
  const header = hasApiKey ? '  --header "x-api-key: $API_KEY" \\\n' : "";
  const start = `{${body ? `${body},` : ""}"image_url":"data:${type};base64,`;
  // In the format of `printf`, a backslash or a percent sign would be interpreted.
  return (
    `{ printf %s ${quoteForShell(start)}\n` +
    `  base64 < ${quoteForShell(name)} | tr -d '\\n'; printf '"}'; } |\n` +
    `curl ${quoteForShell(`${endpoint}/image-to-3d-sessions`)} \\\n` +
    `  --header 'content-type: application/json' \\\n${header}  --data-binary @-\n`
  );
}

/**
 * Returns the text as one word of a shell, in which nothing is expanded or executed. The engine's name
 * and the file's name may have been chosen by others.
 *
 * @param {string} text
 */
const quoteForShell = (text) => `'${text.replaceAll("'", "'\\''")}'`;
